package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// TestOptimizersLikePyTorch holds every rule against the weights that PyTorch's optimiser comes to in float64. A step
// rounds weights of up to 2 by 2⁻²³ at most, and what moves them by less.
func TestOptimizersLikePyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Begin     []float32
		Gradients [][]float32
		Rates     []float64
		Decay     float64
		Weights   map[string][][]float64
	}
	if err := json.Unmarshal(data, &reference); err != nil {
		t.Fatal(err)
	}
	for _, rule := range []Rule{Adam, AdamW, SGD} {
		p, w := sampleProgram(t, samples[0], 2, Options{Stage: Everything})
		const name = "classifier.bias"
		if err := w.Set(name, reference.Begin); err != nil {
			t.Fatal(err)
		}
		o := NewOptimizer(rule, w, Everything, reference.Decay)
		want := reference.Weights[rule.String()]
		if len(want) != len(reference.Rates) {
			t.Fatalf("%v: %d steps", rule, len(want))
		}
		for step, rate := range reference.Rates {
			copy(w.mustPlace(name).of(p.gradients), reference.Gradients[step])
			o.Step(p, rate)
			for i, got := range w.Get(name) {
				if d := math.Abs(float64(got) - want[step][i]); !(d <= float64(step+1)*0x1p-23) {
					t.Errorf("%v: weight %d after step %d is %v, want %v", rule, i, step+1, got, want[step][i])
				}
			}
		}
	}
}

func TestRuleNames(t *testing.T) {
	for _, want := range []Rule{Adam, AdamW, SGD} {
		var got Rule
		text, err := want.MarshalText()
		if err != nil || got.UnmarshalText(text) != nil || got != want {
			t.Errorf("%v is written %q and read as %v", want, text, got)
		}
	}
	var r Rule
	if err := r.UnmarshalText([]byte("lion")); err == nil {
		t.Errorf("lion is %v", r)
	}
}

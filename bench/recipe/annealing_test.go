package recipe

import (
	"math"
	"testing"
)

// TestCosine: 1, (1+√½)/2, ½, (1−√½)/2 of the rate in a stage of four epochs, whatever the steps are.
func TestCosine(t *testing.T) {
	r := Recipe{LR: 0.1, LRStep: 1, LRGamma: 0.5, Annealing: Cosine}
	for epoch, want := range []float64{0.1, 0.05 * (1 + math.Sqrt(0.5)), 0.05, 0.05 * (1 - math.Sqrt(0.5))} {
		if got := r.Rate(epoch, 4); math.Abs(got-want) > 1e-15 {
			t.Errorf("epoch %d: %v, want %v", epoch, got, want)
		}
	}
}

func TestAnnealingNames(t *testing.T) {
	for _, want := range []Annealing{Steps, Cosine} {
		var got Annealing
		text, err := want.MarshalText()
		if err != nil || got.UnmarshalText(text) != nil || got != want {
			t.Errorf("%v is written %q and read as %v", want, text, got)
		}
	}
	var a Annealing
	if err := a.UnmarshalText([]byte("linear")); err == nil {
		t.Errorf("linear is %v", a)
	}
}

package train

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// tripletProgram compiles a sample with a triplet loss. Of its three images, the first two have a positive and a
// negative each, and it is always the same, so that there is no kink.
func tripletProgram(t *testing.T, s sample, threads int, opt Options) (*Program, *Weights) {
	t.Helper()
	p, w := sampleProgram(t, s, threads, opt)
	copy(p.Labels(), []int32{4, 4, 1})
	return p, w
}

// TestTripletGradients checks the whole network's gradients of both losses against central differences, as
// TestGradients does. Samples have 4 to 20 features; two random images are closer than a third.
func TestTripletGradients(t *testing.T) {
	for _, s := range samples {
		if s.large() {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			p, w := tripletProgram(t, s, 2, Options{Stage: Everything, Seed: 9, Triplet: Triplet{Margin: 30}})
			compareGradients(t, p, w, 2, 1)
		})
	}
}

// TestTripletFused: what is fused, or computed again, has the gradients of what is not, as TestFusionAndRecomputation
// asks for; and those differ from the gradients of the logits' loss alone.
func TestTripletFused(t *testing.T) {
	triplet := Triplet{Soft: true}
	for _, s := range samples {
		if s.large() {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			plain, _ := tripletProgram(t, s, 1, Options{
				Stage: Everything, Seed: 9, Triplet: triplet, Unfused: Fusions(), Activations: Kept,
			})
			want := plain.Train(3, 5)
			without, _ := tripletProgram(t, s, 1, Options{Stage: Everything, Seed: 9})
			if without.Train(3, 5) >= want || slices.Equal(without.gradients, plain.gradients) {
				t.Error("a triplet loss changes nothing")
			}
			scale := 0.0
			for _, g := range plain.gradients {
				scale = max(scale, math.Abs(float64(g)))
			}
			for _, activations := range []Activations{Kept, Recomputed} {
				p, _ := tripletProgram(t, s, 2, Options{
					Stage: Everything, Seed: 9, Triplet: triplet, Activations: activations,
				})
				if got := p.Train(3, 5); math.Abs(got-want) > 1e-5*math.Abs(want) {
					t.Errorf("loss %v, want %v", got, want)
				}
				for i, g := range plain.gradients {
					if d := math.Abs(float64(p.gradients[i] - g)); !(d <= 1e-5*scale) {
						t.Fatalf("gradient %d: %v, want %v", i, p.gradients[i], g)
					}
				}
			}
		})
	}
}

// TestTripletStage: features that aren't trained have no loss.
func TestTripletStage(t *testing.T) {
	alone, _ := tripletProgram(t, samples[0], 1, Options{Stage: ClassifierOnly})
	with, _ := tripletProgram(t, samples[0], 1, Options{Stage: ClassifierOnly, Triplet: Triplet{Soft: true}})
	if a, b := alone.Train(3, 0), with.Train(3, 0); a != b {
		t.Errorf("loss %v without, %v with a triplet loss", a, b)
	}
}

func TestTripletAllocatesNothing(t *testing.T) {
	p, _ := tripletProgram(t, samples[0], 1, Options{Stage: Everything, Triplet: Triplet{Soft: true}})
	if n := testing.AllocsPerRun(10, func() { p.Train(3, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTripletText(t *testing.T) {
	for text, want := range map[string]Triplet{
		"none": {}, "soft": {Soft: true}, "0.3": {Margin: 0.3}, "1": {Margin: 1},
	} {
		var got Triplet
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("%s is read as %+v, %v, and written %v", text, got, err, got)
		}
	}
	for _, text := range []string{"", "hard", "-1", "0", "NaN", "Inf", "0.3 "} {
		var l Triplet
		if err := l.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, fmt.Sprint(l))
		}
	}
}

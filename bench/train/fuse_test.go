package train

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bitwise are the fusions that change no bit: each element goes through the same operations in the same order, only
// at another time. The others sum in another order.
var bitwise = []string{"read through", "means", "joint backward"}

// TestFusions leaves out one fusion after the other. Losses and gradients of all samples stay the same: within 5e-6
// of the largest gradient, where rounding is 6e-8 of each value and goes through some ten layers (the largest
// difference seen is 5e-7). Every fusion is there in some sample.
func TestFusions(t *testing.T) {
	const tolerance = 5e-6
	fused := make([]*Program, len(samples))
	losses := make([]float64, len(samples))
	for i, s := range samples {
		fused[i], _ = sampleProgram(t, s, 2, Options{Stage: Everything, Seed: 9})
		losses[i] = fused[i].Train(sampleBatch, 5)
	}
	for _, name := range Fusions() {
		if name == "fold" || name == "micro-batches" {
			continue // for inference alone: see TestFoldedFeatures and TestInferenceBits
		}
		t.Run(name, func(t *testing.T) {
			applied := 0
			for i, s := range samples {
				if fused[i].Fused()[name] == 0 {
					continue
				}
				applied++
				p, _ := sampleProgram(t, s, 2, Options{Stage: Everything, Seed: 9, Unfused: []string{name}})
				loss := p.Train(sampleBatch, 5)
				if _, ok := p.Fused()[name]; ok {
					t.Errorf("%s: it was not left out", s.name)
				}
				allowed := 0.0
				if !slices.Contains(bitwise, name) {
					for _, g := range fused[i].gradients {
						allowed = max(allowed, tolerance*math.Abs(float64(g)))
					}
				}
				if d := math.Abs(loss - losses[i]); !(d <= allowed) {
					t.Errorf("%s: loss %v without it, %v with it", s.name, loss, losses[i])
				}
				for j, want := range fused[i].gradients {
					if d := math.Abs(float64(p.gradients[j] - want)); !(d <= allowed) {
						t.Errorf("%s: gradient %d is %v without it, %v with it", s.name, j, p.gradients[j], want)
						break
					}
				}
			}
			if applied == 0 {
				t.Error("no sample has it")
			}
		})
	}
}

// TestFused counts what is fused in some samples.
func TestFused(t *testing.T) {
	const residual, maps = "inverted residual with a gate", "large maps, then small ones"
	for _, test := range []struct {
		name, sample string
		threads      int
		opt          Options
		want         map[string]int
	}{
		{"training", residual, 1, Options{Stage: Everything}, map[string]int{
			"residual": 1, "activation": 2, "statistics": 3, "sums": 1, "means": 1, "gate": 1, "joint backward": 2,
		}},
		{"inference", residual, 1, Options{}, map[string]int{"fold": 3, "residual": 1, "activation": 3}},
		{"unfused", residual, 1, Options{Stage: Everything, Unfused: Fusions()}, map[string]int{}},
		{"micro-batches", maps, 1, Options{}, map[string]int{
			"fold": 4, "residual": 1, "activation": 4, "micro-batches": 1,
		}},
		{"a batch that is none", maps, 2, Options{}, map[string]int{"fold": 4, "residual": 1, "activation": 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := samples[slices.IndexFunc(samples, func(s sample) bool { return s.name == test.sample })]
			p, _ := sampleProgram(t, s, test.threads, test.opt)
			if diff := cmp.Diff(test.want, p.Fused()); diff != "" {
				t.Errorf("fused (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompileRefusesUnknownFusions(t *testing.T) {
	g := samples[0].graph(t)
	if _, err := Plan(g, 1, Options{Batch: 1, Unfused: []string{"gates"}}); err == nil {
		t.Error("a fusion that there is not was left out")
	}
}

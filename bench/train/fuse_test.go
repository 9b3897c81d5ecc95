package train

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// bitwise are the fusions that change no bit: each element goes through the same operations in the same order, only
// at another time. The others sum in another order, means where a map has more than a block of positions.
var bitwise = []string{"read through", "joint backward"}

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

// TestFused counts what is fused in an inverted residual with a gate.
func TestFused(t *testing.T) {
	s := samples[slices.IndexFunc(samples, func(s sample) bool { return s.name == "inverted residual with a gate" })]
	for _, test := range []struct {
		name string
		opt  Options
		want map[string]int
	}{
		{"training", Options{Stage: Everything}, map[string]int{
			"residual": 1, "activation": 2, "statistics": 3, "sums": 1, "means": 1, "gate": 1, "joint backward": 2,
		}},
		{"inference", Options{Stage: Inference}, map[string]int{"fold": 3, "residual": 1, "activation": 3}},
		{"unfused", Options{Stage: Everything, Unfused: Fusions()}, map[string]int{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, _ := sampleProgram(t, s, 1, test.opt)
			if diff := cmp.Diff(test.want, p.Fused()); diff != "" {
				t.Errorf("fused (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMicroBatches: they are as equal as can be, and there are none of a batch that is hardly larger.
func TestMicroBatches(t *testing.T) {
	s := samples[slices.IndexFunc(samples, func(s sample) bool { return s.name == "large maps, then small ones" })]
	for _, test := range []struct{ batch, threads, images int }{
		{4, 1, 2}, {9, 1, 2}, {9, 2, 3}, {32, 2, 4}, {3, 1, 0}, {7, 2, 0},
	} {
		g := s.graph(t)
		pool := parallel.NewPool(test.threads)
		defer pool.Close()
		p, err := Compile(g, NewWeights(g, 1), pool, Options{Batch: test.batch})
		if err != nil {
			t.Fatal(err)
		}
		images := 0
		if p.micro.steps > 0 {
			images = p.micro.images
		}
		if images != test.images || p.Fused()["micro-batches"] != min(images, 1) {
			t.Errorf("a batch of %d on %d threads: micro-batches of %d images, want %d",
				test.batch, test.threads, images, test.images)
		}
	}
}

func TestCompileRefusesUnknownFusions(t *testing.T) {
	g := samples[0].graph(t)
	if _, err := Plan(g, 1, Options{Batch: 1, Unfused: []string{"gates"}}); err == nil {
		t.Error("a fusion that there is not was left out")
	}
}

package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// TestGradients checks every parameter's gradient, in a few elements each, against central
// differences. The loss is a float64 of float32 arithmetic: its noise of some 1e-7 over twice the
// step of 1e-3 is about 1e-4, 1 % of the largest gradients; the kinks of ReLU and max pooling
// within the step cost as much.
func TestGradients(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			elements := 4
			if s.large() {
				if isa.Active() == isa.Generic {
					t.Skip("it is for results that are stored past the caches, and none is")
				}
				elements = 1
			}
			p, w := sampleProgram(t, s, 2, Options{Stage: Everything, Seed: 9})
			compareGradients(t, p, w, elements, 1)
		})
	}
}

// TestFusionAndRecomputation holds the optimised list of steps against the plain one. Both
// round differently, by 6e-8 of each value; sums of some hundred terms, and ten layers, can make 1e-5 of the largest
// gradient of that.
func TestFusionAndRecomputation(t *testing.T) {
	for _, s := range samples {
		plain, _ := sampleProgram(t, s, 1, Options{Stage: Everything, Seed: 9, Unfused: Fusions(), Activations: Kept})
		want := plain.Train(3, 5)
		for _, opt := range []Options{
			{Activations: Kept},
			{Activations: Recomputed},
			{Activations: Recomputed, Unfused: Fusions()},
		} {
			opt.Stage, opt.Seed = Everything, 9
			fused, recomputed := opt.Unfused == nil, opt.Activations == Recomputed
			t.Run(fmt.Sprintf("%s/fused=%v,recomputed=%v", s.name, fused, recomputed), func(t *testing.T) {
				p, _ := sampleProgram(t, s, 2, opt)
				if got := p.Train(3, 5); math.Abs(got-want) > 1e-5*math.Abs(want) {
					t.Errorf("loss %v, want %v", got, want)
				}
				scale := 0.0
				for _, g := range plain.gradients {
					scale = max(scale, math.Abs(float64(g)))
				}
				for i, g := range plain.gradients {
					if d := math.Abs(float64(p.gradients[i] - g)); !(d <= 1e-5*scale) {
						t.Fatalf("gradient %d: %v, want %v", i, p.gradients[i], g)
					}
				}
			})
		}
	}
}

// TestRecomputedBits: what is computed again has the bits that it had.
func TestRecomputedBits(t *testing.T) {
	for _, s := range samples {
		kept, _ := sampleProgram(t, s, 2, Options{Stage: Everything, Seed: 9, Activations: Kept})
		again, _ := sampleProgram(t, s, 2, Options{Stage: Everything, Seed: 9, Activations: Recomputed})
		if a, b := kept.Train(3, 5), again.Train(3, 5); a != b || !slices.Equal(kept.gradients, again.gradients) {
			equal := slices.Equal(kept.gradients, again.gradients)
			t.Errorf("%s: losses %v and %v, gradients equal: %v", s.name, a, b, equal)
		}
	}
}

// TestActivationsAsRoomAllows plans a network for one image and for more than fit.
func TestActivationsAsRoomAllows(t *testing.T) {
	large := samples[slices.IndexFunc(samples, sample.large)]
	g := large.graph(t)
	for _, test := range []struct {
		batch       int
		want, other Activations
	}{{1, Kept, Recomputed}, {1000, Recomputed, Kept}} {
		memory := map[Activations]int64{}
		for _, a := range []Activations{AsRoomAllows, Kept, Recomputed} {
			m, err := Plan(g, 1, Options{Batch: test.batch, Stage: Everything, Activations: a})
			if err != nil {
				t.Fatal(err)
			}
			memory[a] = m.Activations
		}
		if memory[AsRoomAllows] != memory[test.want] || memory[AsRoomAllows] == memory[test.other] {
			t.Errorf("a batch of %d: %v", test.batch, memory)
		}
	}
}

// TestPlanIsWhatCompileTakes: planning has no memory of its own to go wrong with.
func TestPlanIsWhatCompileTakes(t *testing.T) {
	for _, s := range samples {
		for _, stage := range []Stage{Inference, ClassifierOnly, Everything} {
			program, _ := sampleProgram(t, s, 2, Options{Stage: stage})
			planned, err := Plan(s.graph(t), 2, program.options)
			if err != nil {
				t.Fatal(err)
			}
			if taken := program.Memory(); planned != taken {
				t.Errorf("%s, %v: planned %+v, taken %+v", s.name, stage, planned, taken)
			}
		}
	}
}

func TestSameBitsForAnyThreadCount(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			one, oneWeights := sampleProgram(t, s, 1, Options{Stage: Everything})
			many, manyWeights := sampleProgram(t, s, 5, Options{Stage: Everything})
			a, b := NewAdam(oneWeights, Everything, 5e-4), NewAdam(manyWeights, Everything, 5e-4)
			for i := range 3 {
				if x, y := one.Train(3, uint64(i)), many.Train(3, uint64(i)); x != y {
					t.Fatalf("step %d: loss %v with one thread, %v with five", i, x, y)
				}
				a.Step(one, 1e-2)
				b.Step(many, 1e-2)
			}
			if !slices.Equal(oneWeights.parameters, manyWeights.parameters) {
				t.Error("the parameters differ")
			}
			if !slices.Equal(oneWeights.running, manyWeights.running) {
				t.Error("the running statistics differ")
			}
		})
	}
}

func TestNoAllocationPerStep(t *testing.T) {
	for _, s := range samples {
		p, w := sampleProgram(t, s, 2, Options{Stage: Everything})
		p.Watch(new(atomic.Bool))
		adam := NewAdam(w, Everything, 5e-4)
		step := uint64(0)
		allocations := testing.AllocsPerRun(5, func() {
			p.Train(3, step)
			adam.Step(p, 1e-3)
			step++
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations per step", s.name, allocations)
		}
	}
}

// TestSmallerBatch runs two samples in a program for three and in one for two.
func TestSmallerBatch(t *testing.T) {
	for _, s := range samples {
		if s.name == "dropout" {
			continue
		}
		g := s.graph(t)
		pool := parallel.NewPool(2)
		defer pool.Close()
		var losses []float64
		for _, batch := range []int{2, 3} {
			p, err := Compile(g, NewWeights(g, 7), pool, Options{Stage: Everything, Batch: batch})
			if err != nil {
				t.Fatal(err)
			}
			randomise(p, rand.New(rand.NewPCG(3, 4)))
			p.labels[0], p.labels[1] = 1, 2
			losses = append(losses, p.Train(2, 0))
		}
		if losses[0] != losses[1] {
			t.Errorf("%s: losses %v", s.name, losses)
		}
	}
}

// TestClassifierOnly leaves everything but the classifier as it was.
func TestClassifierOnly(t *testing.T) {
	for _, s := range samples {
		p, w := sampleProgram(t, s, 2, Options{Stage: ClassifierOnly})
		before := w.Copy()
		adam := NewAdam(w, ClassifierOnly, 5e-4)
		first := p.Train(3, 0)
		for i := range 20 {
			adam.Step(p, 1e-2)
			if last := p.Train(3, uint64(i)); i == 19 && !(last < first) {
				t.Errorf("%s: loss went from %v to %v", s.name, first, last)
			}
		}
		for _, name := range w.Names() {
			same := slices.Equal(w.Get(name), before.Get(name))
			if trained := name == "classifier.weight" || name == "classifier.bias"; same == trained {
				t.Errorf("%s: %s unchanged: %v", s.name, name, same)
			}
		}
	}
}

// TestPlanKeepsLivesApart gives buffers random lives.
func TestPlanKeepsLivesApart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		buffers := make([]storage, 1+r.IntN(40))
		for i := range buffers {
			first := r.IntN(30)
			buffers[i] = storage{
				perSample: r.IntN(100), fixed: r.IntN(20), samples: 1 + r.IntN(3),
				first: first, last: first + r.IntN(10),
			}
		}
		total := placeBuffers(buffers)
		for i, a := range buffers {
			if a.offset+a.floats() > total || a.offset%mem.Line != 0 {
				t.Fatalf("buffer at %d of %d floats in an arena of %d", a.offset, a.floats(), total)
			}
			for _, b := range buffers[:i] {
				alive := a.first <= b.last && b.first <= a.last
				if alive && a.offset < b.offset+b.floats() && b.offset < a.offset+a.floats() {
					t.Fatalf("overlap: %+v and %+v", a, b)
				}
			}
		}
	}
}

func TestWeightsKeepPublishedOrder(t *testing.T) {
	for _, s := range samples[:3] {
		g := s.graph(t)
		w := NewWeights(g, 1)
		for _, p := range g.Params {
			values := make([]float32, p.Size())
			for i := range values {
				values[i] = float32(i)
			}
			if err := w.Set(p.Name, values); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(w.Get(p.Name), values) {
				t.Errorf("%s: %s comes back in another order", s.name, p.Name)
			}
		}
	}
}

// TestProfile measures every step under the name of its layer.
func TestProfile(t *testing.T) {
	p, _ := sampleProgram(t, samples[0], 2, Options{Stage: Everything})
	profile := p.StartProfile()
	p.Train(3, 0)
	phases := map[string]bool{}
	for _, s := range profile.Steps() {
		phases[s.Node.Name+" "+s.Phase.String()] = true
	}
	for _, want := range []string{
		"stem forward", "stem weight gradient",
		"c forward", "c weight gradient", "c data gradient",
		"classifier forward",
	} {
		if !phases[want] {
			t.Errorf("no time for %q in %v", want, phases)
		}
	}
	if len(profile.Steps()) != len(p.forward)+len(p.backward) {
		t.Errorf("%d measured of %d steps", len(profile.Steps()), len(p.forward)+len(p.backward))
	}
}

package train

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
)

// necked is a sample's network with a neck.
func (s sample) necked(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder(s.name, graph.Shape{H: 6, W: 4, C: 3})
	x := b.Conv("stem", b.Input(), graph.Conv{Out: 8, Kernel: graph.Square(3), Pad: graph.Square(1)})
	x = b.GlobalAvgPool("pool", s.build(b, x))
	g, err := b.Graph(b.Neck(x, b.Linear("classifier", x, 5)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// neckedProgram compiles a sample with a neck, whose classifier begins with weights of a common size.
func neckedProgram(t *testing.T, s sample, opt Options) (*Program, *Weights) {
	t.Helper()
	g := s.necked(t)
	w := NewWeights(g, 7)
	head := w.of(g.Classifier.Params[0])
	for i := range head {
		head[i] *= 300
	}
	pool := parallel.NewPool(2)
	t.Cleanup(pool.Close)
	opt.Batch = sampleBatch
	p, err := Compile(g, w, pool, opt)
	if err != nil {
		t.Fatal(err)
	}
	randomise(p, rand.New(rand.NewPCG(3, 4)))
	copy(p.Labels(), []int32{4, 4, 1})
	return p, w
}

// TestNeckGradients checks the gradients of both losses together, that of triplets before the neck and that of the
// logits after it, against central differences. A norm over three vectors bends so much within their step that three
// times the distance is allowed that TestGradients allows.
func TestNeckGradients(t *testing.T) {
	for _, s := range samples {
		if s.input != (graph.Shape{}) || s.stem != (graph.Conv{}) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			p, w := neckedProgram(t, s, Options{Stage: Everything, Seed: 9, Triplet: Triplet{Margin: 30}})
			compareGradients(t, p, w, 2, 3)
		})
	}
}

// TestNeckHasNoBias: what began at zero stays there, whatever the optimiser does with the gradient and the decay.
func TestNeckHasNoBias(t *testing.T) {
	p, w := neckedProgram(t, samples[0], Options{Stage: Everything, Triplet: Triplet{Soft: true}})
	adam := NewAdam(w, Everything, 5e-4)
	before := w.Get("bottleneck.weight")
	for i := range 3 {
		p.Train(3, uint64(i))
		adam.Step(p, 1e-2)
	}
	if bias := w.Get("bottleneck.bias"); slices.ContainsFunc(bias, func(v float32) bool { return v != 0 }) {
		t.Errorf("the bias is %v", bias)
	}
	if slices.Equal(before, w.Get("bottleneck.weight")) {
		t.Error("the weight is what it was")
	}
}

// TestNeckInEvaluation: features are those after the neck, by its running statistics.
func TestNeckInEvaluation(t *testing.T) {
	p, w := neckedProgram(t, samples[0], Options{Stage: Inference})
	p.Forward(3)
	before := slices.Clone(p.Features(3))
	scale := w.Get("bottleneck.weight")
	for i := range scale {
		scale[i] *= 2
	}
	if err := w.Set("bottleneck.weight", scale); err != nil {
		t.Fatal(err)
	}
	p.Forward(3)
	for i, v := range p.Features(3) {
		if v != 2*before[i] { // there is neither a mean nor a bias, and 2 is a power of 2
			t.Fatalf("feature %d is %v, and was %v at half the scale", i, v, before[i])
		}
	}
}

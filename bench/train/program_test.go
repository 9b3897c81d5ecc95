package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models/graph"
)

// A sample is a small network with a few layers between a convolution and the classifier.
type sample struct {
	name  string
	build func(b *graph.Builder, x *graph.Node) *graph.Node
}

// samples has every operation of the graph at least once, in the company that the
// compiler treats specially: fused, shared, read twice.
var samples = []sample{
	{"conv", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Conv("c", x, graph.Conv{Out: 6, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1), Bias: true})
	}},
	{"grouped conv", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Conv("c", x, graph.Conv{Out: 8, Kernel: graph.Size2{H: 1, W: 3}, Pad: graph.Size2{W: 1}, Groups: 2})
	}},
	{"depthwise conv", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Conv("c", x, graph.Conv{Out: 8, Kernel: graph.Square(3), Pad: graph.Square(1), Groups: 8})
	}},
	{"conv relu", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.ReLU("r", b.Conv("c", x, graph.Conv{Out: 8, Kernel: graph.Square(3), Bias: true}))
	}},
	{"linear residual", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Add("a", x, b.Linear("l", x, 8))
	}},
	{"batch norm", func(b *graph.Builder, x *graph.Node) *graph.Node { return b.BatchNorm("n", x) }},
	{"batch norm of its residual", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.ReLU("r", b.Add("a", b.BatchNorm("n", x), x))
	}},
	{"bottleneck", func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Act("s", b.BatchNorm("n1", b.Conv("c1", x, graph.Conv{Out: 4, Kernel: graph.Square(1)})), graph.SiLU)
		y = b.BatchNorm("n2", b.Conv("c2", y, graph.Conv{Out: 8, Kernel: graph.Square(3), Pad: graph.Square(1)}))
		side := b.BatchNorm("n3", b.Conv("c3", x, graph.Conv{Out: 8, Kernel: graph.Square(1)}))
		return b.ReLU("r", b.Add("a", y, side))
	}},
	{"layer norm and GELU", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Add("a", x, b.Act("g", b.LayerNorm("n", x, 1e-6), graph.GELU))
	}},
	{"layer scale", func(b *graph.Builder, x *graph.Node) *graph.Node { return b.ChannelScale("s", x, 0.5, 8, 1, 1) }},
	{"max pool", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("p", graph.MaxPool{Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1)}, x)
	}},
	{"average pools", func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Op("p", graph.AvgPool{Kernel: graph.Square(2), Pad: graph.Square(1)}, x)
		return b.Op("q", graph.AdaptiveAvgPool{Out: graph.Size2{H: 3, W: 2}}, y)
	}},
	{"gate", func(b *graph.Builder, x *graph.Node) *graph.Node {
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", x), 8), graph.Sigmoid)
		return b.Op("m", graph.Mul{}, b.ReLU("r", b.BatchNorm("n", x)), g)
	}},
	{"squeeze and excitation", func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Act("a", b.BatchNorm("n", x), graph.SiLU)
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 8), graph.Sigmoid)
		return b.Op("m", graph.Mul{}, y, g)
	}},
	{"gate of what others read", func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.BatchNorm("n", x)
		other := b.Linear("o", y, 8)
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 8), graph.Sigmoid)
		return b.Add("a", other, b.Op("m", graph.Mul{}, y, g))
	}},
	{"shared gate", func(b *graph.Builder, x *graph.Node) *graph.Node {
		gate := func(y *graph.Node) *graph.Node {
			g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 8), graph.HardSigmoid)
			return b.Op("m", graph.Mul{}, y, g)
		}
		y := b.Act("t", x, graph.Tanh)
		first := gate(y)
		return b.Add("a", first, b.Shared(func() *graph.Node { return gate(x) }), y)
	}},
	{"product and scale", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("k", graph.Scale{Factor: 0.3}, b.Op("m", graph.Mul{}, b.Act("s", x, graph.Sigmoid), x))
	}},
	{"concat and slice", func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Op("c", graph.Concat{}, x, b.Linear("l", x, 3), x)
		return b.Add("a", b.Op("s", graph.Slice{From: 2, To: 9}, y), b.Op("t", graph.Slice{From: 12, To: 19}, y))
	}},
	{"dense block", func(b *graph.Builder, x *graph.Node) *graph.Node {
		layer := func(name string, x *graph.Node, out int) *graph.Node {
			return b.Conv(name+".c", b.ReLU(name+".r", b.BatchNorm(name+".n", x)), graph.Conv{Out: out, Kernel: graph.Square(1)})
		}
		for _, name := range []string{"1", "2", "3"} {
			x = b.Op(name, graph.Concat{}, x, layer(name+".b", layer(name+".a", x, 6), 3))
		}
		return b.ReLU("r", b.BatchNorm("n", b.Op("4", graph.Concat{}, x, layer("transition", x, 5))))
	}},
	{"concats of what is in none, another and twice", func(b *graph.Builder, x *graph.Node) *graph.Node {
		read := func(name string, x *graph.Node) *graph.Node {
			return b.Linear(name+".l", b.BatchNorm(name+".n", x), 5)
		}
		y := b.Op("y", graph.Concat{}, x, b.Linear("l", x, 3))
		z := b.Op("z", graph.Concat{}, b.Linear("k", x, 2), y, b.Act("t", x, graph.Tanh))
		return b.Add("a", read("1", y), read("2", z), read("3", b.Op("twice", graph.Concat{}, y, x)), b.Linear("o", y, 5))
	}},
	{"upsample", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Add("a", x, b.Op("u", graph.Upsample{Factor: 2}, b.Op("p", graph.AvgPool{Kernel: graph.Square(2)}, x)))
	}},
	{"flatten", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Linear("l", b.Op("f", graph.Flatten{}, x), 5)
	}},
	{"tokens", func(b *graph.Builder, x *graph.Node) *graph.Node {
		t := b.Op("t", graph.Reshape{To: graph.Shape{H: 1, W: x.Shape.Positions(), C: x.Shape.C}}, x)
		t = b.Position("pos", b.ClassToken("cls", t))
		t = b.Add("a", t, b.Op("att", graph.Attention{Heads: 2}, b.Linear("qkv", t, 24)))
		return b.Op("sel", graph.Token{Index: 0}, t)
	}},
	{"attention in windows", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("att", graph.Attention{Heads: 2}, b.Linear("qk", x, 16), b.Linear("v", x, 8))
	}},
	{"products and softmax", func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Linear("l", x, 8)
		p := b.Op("m", graph.MatMul{TransposeB: true, Scale: 0.5}, x, y)
		z := b.Op("n", graph.MatMul{}, b.Op("s", graph.Softmax{}, p), y)
		q := b.Op("o", graph.MatMul{TransposeA: true}, x, z)
		return b.Op("q", graph.MatMul{TransposeA: true, TransposeB: true}, q, z)
	}},
	{"windows", func(b *graph.Builder, x *graph.Node) *graph.Node {
		t := b.PixelPosition("pos", b.Op("w", graph.Windows{Size: graph.Square(2)}, x), graph.Square(2))
		t = b.Op("pad", graph.PadToken{}, t)
		return b.Add("a", t, b.Op("s", graph.Softmax{OverTokens: true}, b.Linear("l", t, 8)))
	}},
	{"dropout", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Linear("l", b.Op("p", graph.DropPath{P: 0.3}, b.Op("d", graph.Dropout{P: 0.3}, x)), 4)
	}},
}

func (s sample) graph(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder(s.name, graph.Shape{H: 6, W: 4, C: 3})
	x := b.Conv("stem", b.Input(), graph.Conv{Out: 8, Kernel: graph.Square(3), Pad: graph.Square(1)})
	x = b.GlobalAvgPool("pool", s.build(b, x))
	g, err := b.Graph(x, b.Linear("classifier", x, 5))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func randomise(p *Program, r *rand.Rand) {
	for i := range p.images {
		p.images[i] = float32(r.NormFloat64())
	}
	for i := range p.labels {
		p.labels[i] = int32(r.IntN(p.graph.Logits.Shape.C))
	}
}

// sampleProgram compiles a sample with weights and a batch of three that are always the same.
func sampleProgram(t *testing.T, s sample, threads int, opt Options) (*Program, *Weights) {
	t.Helper()
	g := s.graph(t)
	w := NewWeights(g, 7)
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range g.Params {
		if p.Role == graph.NormWeight || p.Role == graph.NormBias || p.Role == graph.Bias || p.Role == graph.Embedding {
			for i, at := 0, w.of(p); i < len(at); i++ {
				at[i] += float32(0.2 * r.NormFloat64())
			}
		}
	}
	pool := kernels.NewPool(threads)
	t.Cleanup(pool.Close)
	opt.Batch = 3
	p, err := Compile(g, w, pool, opt)
	if err != nil {
		t.Fatal(err)
	}
	randomise(p, rand.New(rand.NewPCG(3, 4)))
	return p, w
}

// TestGradients checks every parameter's gradient, in a few elements each, against central
// differences. The loss is a float64 of float32 arithmetic: its noise of some 1e-7 over twice the
// step of 1e-3 is about 1e-4, 1 % of the largest gradients; the kinks of ReLU and max pooling
// within the step cost as much.
func TestGradients(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			p, w := sampleProgram(t, s, 2, Options{Stage: Everything, Seed: 9})
			p.Train(3, 5)
			gradients := map[string][]float32{}
			scale := 0.0
			for _, param := range p.graph.Params {
				gradients[param.Name] = p.Gradient(param.Name)
				for _, g := range gradients[param.Name] {
					scale = max(scale, math.Abs(float64(g)))
				}
			}
			r := rand.New(rand.NewPCG(5, 6))
			for _, param := range p.graph.Params {
				values := w.Get(param.Name)
				for range min(4, len(values)) {
					i := r.IntN(len(values))
					difference := 0.0
					const h = 1e-3
					for _, sign := range []float64{1, -1} {
						moved := slices.Clone(values)
						moved[i] += float32(sign * h)
						if err := w.Set(param.Name, moved); err != nil {
							t.Fatal(err)
						}
						difference += sign * p.Train(3, 5) / (2 * h)
					}
					if err := w.Set(param.Name, values); err != nil {
						t.Fatal(err)
					}
					got := float64(gradients[param.Name][i])
					if d := math.Abs(got - difference); !(d <= 1e-2*scale+0.02*math.Abs(difference)) {
						t.Errorf("%s[%d]: gradient %v, difference quotient %v", param.Name, i, got, difference)
					}
				}
			}
		})
	}
}

// TestFusionAndRecomputation holds the optimised list of steps against the plain one. Both
// round differently, by a few units in the last place of the largest gradient.
func TestFusionAndRecomputation(t *testing.T) {
	for _, s := range samples {
		plain, _ := sampleProgram(t, s, 1, Options{Stage: Everything, Seed: 9, NoFusion: true, Activations: Kept})
		want := plain.Train(3, 5)
		for _, opt := range []Options{{Activations: Kept}, {Activations: Recomputed}, {Activations: Recomputed, NoFusion: true}} {
			opt.Stage, opt.Seed = Everything, 9
			t.Run(fmt.Sprintf("%s/fused=%v,recomputed=%v", s.name, !opt.NoFusion, opt.Activations == Recomputed), func(t *testing.T) {
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
			t.Errorf("%s: losses %v and %v, gradients equal: %v", s.name, a, b, slices.Equal(kept.gradients, again.gradients))
		}
	}
}

// TestActivationsAsRoomAllows plans a network for one image and for more than fit.
func TestActivationsAsRoomAllows(t *testing.T) {
	bottleneck := samples[slices.IndexFunc(samples, func(s sample) bool { return s.name == "bottleneck" })]
	g := bottleneck.graph(t)
	for _, test := range []struct {
		batch       int
		want, other Activations
	}{{1, Kept, Recomputed}, {4_000_000, Recomputed, Kept}} {
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
			if !slices.Equal(oneWeights.parameters, manyWeights.parameters) || !slices.Equal(oneWeights.statistic, manyWeights.statistic) {
				t.Error("the weights differ")
			}
		})
	}
}

func TestNoAllocationPerStep(t *testing.T) {
	for _, s := range samples {
		p, w := sampleProgram(t, s, 2, Options{Stage: Everything})
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
		pool := kernels.NewPool(2)
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
			buffers[i] = storage{perSample: r.IntN(100), fixed: r.IntN(20), first: first, last: first + r.IntN(10)}
		}
		total := plan(buffers, 3)
		for i, a := range buffers {
			if a.offset+a.floats(3) > total || a.offset%vectorFloats != 0 {
				t.Fatalf("buffer at %d of %d floats in an arena of %d", a.offset, a.floats(3), total)
			}
			for _, b := range buffers[:i] {
				alive := a.first <= b.last && b.first <= a.last
				if alive && a.offset < b.offset+b.floats(3) && b.offset < a.offset+a.floats(3) {
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
	for _, want := range []string{"stem forward", "stem weight gradient", "c forward", "c weight gradient", "c data gradient", "classifier forward"} {
		if !phases[want] {
			t.Errorf("no time for %q in %v", want, phases)
		}
	}
	if len(profile.Steps()) != len(p.forward)+len(p.backward) {
		t.Errorf("%d measured of %d steps", len(profile.Steps()), len(p.forward)+len(p.backward))
	}
}

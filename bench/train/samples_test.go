package train

import (
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
)

// A sample is a small network with a few layers between a convolution and the classifier.
type sample struct {
	name  string
	input graph.Shape // of an image; the zero value is 6×4×3
	stem  graph.Conv  // the convolution; the zero value is 3×3 with 8 channels
	build func(b *graph.Builder, x *graph.Node) *graph.Node
}

// samples has every operation of the graph at least once, in the company that the
// compiler treats specially: fused, shared, read twice.
var samples = []sample{
	{name: "conv", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Conv("c", x, graph.Conv{
			Out: 6, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1), Bias: true,
		})
	}},
	{name: "grouped conv", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Conv("c", x, graph.Conv{Out: 8, Kernel: graph.Size2{H: 1, W: 3}, Pad: graph.Size2{W: 1}, Groups: 2})
	}},
	{name: "depthwise conv", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Conv("c", x, graph.Conv{Out: 8, Kernel: graph.Square(3), Pad: graph.Square(1), Groups: 8})
	}},
	{name: "conv relu", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.ReLU("r", b.Conv("c", x, graph.Conv{Out: 8, Kernel: graph.Square(3), Bias: true}))
	}},
	{name: "linear residual", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Add("a", x, b.Linear("l", x, 8))
	}},
	{name: "batch norm", build: func(b *graph.Builder, x *graph.Node) *graph.Node { return b.BatchNorm("n", x) }},
	{name: "batch norm of its residual", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.ReLU("r", b.Add("a", b.BatchNorm("n", x), x))
	}},
	{name: "bottleneck", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Act("s", b.BatchNorm("n1", b.Conv("c1", x, graph.Conv{Out: 4, Kernel: graph.Square(1)})), graph.SiLU)
		y = b.BatchNorm("n2", b.Conv("c2", y, graph.Conv{Out: 8, Kernel: graph.Square(3), Pad: graph.Square(1)}))
		side := b.BatchNorm("n3", b.Conv("c3", x, graph.Conv{Out: 8, Kernel: graph.Square(1)}))
		return b.ReLU("r", b.Add("a", y, side))
	}},
	{name: "layer norm and GELU", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Add("a", x, b.Act("g", b.LayerNorm("n", x, 1e-6), graph.GELU))
	}},
	{name: "layer scale", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.ChannelScale("s", x, 0.5, 8, 1, 1)
	}},
	{name: "max pool", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("p", graph.MaxPool{Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1)}, x)
	}},
	{name: "average pools", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Op("p", graph.AvgPool{Kernel: graph.Square(2), Pad: graph.Square(1)}, x)
		return b.Op("q", graph.AdaptiveAvgPool{Out: graph.Size2{H: 3, W: 2}}, y)
	}},
	{name: "gate", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", x), 8), graph.Sigmoid)
		return b.Op("m", graph.Mul{}, b.ReLU("r", b.BatchNorm("n", x)), g)
	}},
	{name: "squeeze and excitation", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Act("a", b.BatchNorm("n", x), graph.SiLU)
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 8), graph.Sigmoid)
		return b.Op("m", graph.Mul{}, y, g)
	}},
	{name: "gate of what others read", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.BatchNorm("n", x)
		other := b.Linear("o", y, 8)
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 8), graph.Sigmoid)
		return b.Add("a", other, b.Op("m", graph.Mul{}, y, g))
	}},
	{name: "shared gate", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		gate := func(y *graph.Node) *graph.Node {
			g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 8), graph.HardSigmoid)
			return b.Op("m", graph.Mul{}, y, g)
		}
		y := b.Act("t", x, graph.Tanh)
		first := gate(y)
		return b.Add("a", first, b.Shared(func() *graph.Node { return gate(x) }), y)
	}},
	{name: "product and scale", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("k", graph.Scale{Factor: 0.3}, b.Op("m", graph.Mul{}, b.Act("s", x, graph.Sigmoid), x))
	}},
	{name: "concat and slice", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Op("c", graph.Concat{}, x, b.Linear("l", x, 3), x)
		return b.Add("a", b.Op("s", graph.Slice{From: 2, To: 9}, y), b.Op("t", graph.Slice{From: 12, To: 19}, y))
	}},
	{name: "dense block", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		layer := func(name string, x *graph.Node, out int) *graph.Node {
			x = b.ReLU(name+".r", b.BatchNorm(name+".n", x))
			return b.Conv(name+".c", x, graph.Conv{Out: out, Kernel: graph.Square(1)})
		}
		for _, name := range []string{"1", "2", "3"} {
			x = b.Op(name, graph.Concat{}, x, layer(name+".b", layer(name+".a", x, 6), 3))
		}
		return b.ReLU("r", b.BatchNorm("n", b.Op("4", graph.Concat{}, x, layer("transition", x, 5))))
	}},
	{name: "concats of what is in none, another and twice", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		read := func(name string, x *graph.Node) *graph.Node {
			return b.Linear(name+".l", b.BatchNorm(name+".n", x), 5)
		}
		y := b.Op("y", graph.Concat{}, x, b.Linear("l", x, 3))
		z := b.Op("z", graph.Concat{}, b.Linear("k", x, 2), y, b.Act("t", x, graph.Tanh))
		twice := b.Op("twice", graph.Concat{}, y, x)
		return b.Add("a", read("1", y), read("2", z), read("3", twice), b.Linear("o", y, 5))
	}},
	{name: "upsample", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Add("a", x, b.Op("u", graph.Upsample{Factor: 2}, b.Op("p", graph.AvgPool{Kernel: graph.Square(2)}, x)))
	}},
	{name: "flatten", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Linear("l", b.Op("f", graph.Flatten{}, x), 5)
	}},
	{name: "tokens", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		t := b.Op("t", graph.Reshape{To: graph.Shape{H: 1, W: x.Shape.Positions(), C: x.Shape.C}}, x)
		t = b.Position("pos", b.ClassToken("cls", t))
		t = b.Add("a", t, b.Op("att", graph.Attention{Heads: 2}, b.Linear("qkv", t, 24)))
		return b.Op("sel", graph.Token{Index: 0}, t)
	}},
	{name: "attention in windows", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("att", graph.Attention{Heads: 2}, b.Linear("qk", x, 16), b.Linear("v", x, 8))
	}},
	{name: "products and softmax", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.Linear("l", x, 8)
		p := b.Op("m", graph.MatMul{TransposeB: true, Scale: 0.5}, x, y)
		z := b.Op("n", graph.MatMul{}, b.Op("s", graph.Softmax{}, p), y)
		q := b.Op("o", graph.MatMul{TransposeA: true}, x, z)
		return b.Op("q", graph.MatMul{TransposeA: true, TransposeB: true}, q, z)
	}},
	{name: "windows", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		t := b.PixelPosition("pos", b.Op("w", graph.Windows{Size: graph.Square(2)}, x), graph.Square(2))
		t = b.Op("pad", graph.PadToken{}, t)
		return b.Add("a", t, b.Op("s", graph.Softmax{OverTokens: true}, b.Linear("l", t, 8)))
	}},
	{name: "inverted residual", input: mapSize, build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := inverted(b, x, graph.ReLU6)
		return b.Add("a", convNorm(b, "project", y, graph.Conv{Out: 8, Kernel: graph.Square(1)}, graph.Identity), x)
	}},
	{name: "inverted residual with a gate", input: mapSize, build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := inverted(b, x, graph.SiLU)
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 24), graph.Sigmoid)
		y = b.Op("m", graph.Mul{}, y, g)
		return b.Add("a", convNorm(b, "project", y, graph.Conv{Out: 8, Kernel: graph.Square(1)}, graph.Identity), x)
	}},
	{name: "bottleneck of groups", input: mapSize, build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		groups := graph.Conv{Out: 32, Kernel: graph.Square(3), Pad: graph.Square(1), Groups: 2}
		y := convNorm(b, "1", x, graph.Conv{Out: 32, Kernel: graph.Square(1)}, graph.ReLU)
		y = convNorm(b, "2", y, groups, graph.ReLU)
		return convNorm(b, "3", y, graph.Conv{Out: 12, Kernel: graph.Square(1)}, graph.Identity)
	}},
	{name: "filters of 3×3", input: mapSize, build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		square := graph.Conv{Out: 48, Kernel: graph.Square(3), Pad: graph.Square(1)}
		y := convNorm(b, "1", x, graph.Conv{Out: 48, Kernel: graph.Square(1)}, graph.ReLU)
		return b.ReLU("r", b.Conv("3", convNorm(b, "2", y, square, graph.ReLU), square))
	}},
	{name: "filters of 5×5 and of lines", input: mapSize, build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		across := graph.Conv{Out: 24, Kernel: graph.Size2{H: 1, W: 7}, Pad: graph.Size2{W: 3}}
		down := graph.Conv{Out: 24, Kernel: graph.Size2{H: 7, W: 1}, Pad: graph.Size2{H: 3}}
		y := convNorm(b, "1", x, graph.Conv{Out: 24, Kernel: graph.Square(1)}, graph.ReLU)
		y = convNorm(b, "3", convNorm(b, "2", y, across, graph.ReLU), down, graph.ReLU)
		return b.Conv("4", y, graph.Conv{Out: 24, Kernel: graph.Square(5), Pad: graph.Square(2)})
	}},
	{name: "many channels", input: mapSize, build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := convNorm(b, "1", x, graph.Conv{Out: 192, Kernel: graph.Square(1)}, graph.ReLU)
		y = convNorm(b, "2", y, graph.Conv{Out: 128, Kernel: graph.Square(1)}, graph.ReLU)
		return convNorm(b, "3", y, graph.Conv{Out: 192, Kernel: graph.Square(1)}, graph.ReLU)
	}},
	{
		name: "results larger than the caches", input: graph.Shape{H: 512, W: 256, C: 3},
		stem: graph.Conv{Out: 24, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1)},
		build: func(b *graph.Builder, x *graph.Node) *graph.Node {
			x = b.Act("a", b.BatchNorm("n", x), graph.ReLU)
			return convNorm(b, "c", x, graph.Conv{Out: 32, Kernel: graph.Square(1)}, graph.SiLU)
		},
	},
	{name: "large maps, then small ones", input: graph.Shape{H: 24, W: 16, C: 3}, build: func(
		b *graph.Builder, x *graph.Node,
	) *graph.Node {
		y := convNorm(b, "1", x, graph.Conv{Out: 12, Kernel: graph.Square(1)}, graph.SiLU)
		g := b.Act("s", b.Linear("l", b.GlobalAvgPool("p", y), 12), graph.Sigmoid)
		y = convNorm(b, "2", b.Op("m", graph.Mul{}, y, g), graph.Conv{Out: 8, Kernel: graph.Square(1)}, graph.Identity)
		half := graph.Conv{Out: 9, Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1)}
		small := convNorm(b, "3", b.Add("a", x, y), half, graph.ReLU)
		side := convNorm(b, "4", small, graph.Conv{Out: 9, Kernel: graph.Square(3), Pad: graph.Square(1)}, graph.ReLU)
		return b.Add("b", small, side)
	}},
	{name: "dropout", build: func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Linear("l", b.Op("p", graph.DropPath{P: 0.3}, b.Op("d", graph.Dropout{P: 0.3}, x)), 4)
	}},
}

// sampleBatch is how many images samples are run on.
const sampleBatch = 3

// mapSize is that of samples whose maps, in a batch of three, are large enough for every form of convolutions.
var mapSize = graph.Shape{H: 16, W: 8, C: 3}

// convNorm is a convolution, the batch norm after it and an activation.
func convNorm(b *graph.Builder, name string, x *graph.Node, op graph.Conv, act graph.Activation) *graph.Node {
	x = b.BatchNorm(name+".norm", b.Conv(name+".conv", x, op))
	if act == graph.Identity {
		return x
	}
	return b.Act(name+".act", x, act)
}

// inverted is the first part of an inverted residual: 24 channels, each convolved on its own.
func inverted(b *graph.Builder, x *graph.Node, act graph.Activation) *graph.Node {
	x = convNorm(b, "expand", x, graph.Conv{Out: 24, Kernel: graph.Square(1)}, act)
	own := graph.Conv{Out: 24, Kernel: graph.Square(3), Pad: graph.Square(1), Groups: 24}
	return convNorm(b, "depthwise", x, own, act)
}

// large reports whether the sample takes much longer than the others.
func (s sample) large() bool { return s.input.Size() > mapSize.Size() }

func (s sample) graph(t *testing.T) *graph.Graph {
	t.Helper()
	if s.input == (graph.Shape{}) {
		s.input = graph.Shape{H: 6, W: 4, C: 3}
	}
	if s.stem == (graph.Conv{}) {
		s.stem = graph.Conv{Out: 8, Kernel: graph.Square(3), Pad: graph.Square(1)}
	}
	b := graph.NewBuilder(s.name, s.input)
	x := b.Conv("stem", b.Input(), s.stem)
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
			values := w.of(p)
			for i := range values {
				values[i] += float32(0.2 * r.NormFloat64())
			}
		}
	}
	pool := parallel.NewPool(threads)
	t.Cleanup(pool.Close)
	opt.Batch = sampleBatch
	p, err := Compile(g, w, pool, opt)
	if err != nil {
		t.Fatal(err)
	}
	randomise(p, rand.New(rand.NewPCG(3, 4)))
	return p, w
}

package onnx

import (
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/models/graph"
)

// A network is a small one with a few operations; its features are all that they make, channel by channel.
type network struct {
	name  string
	build func(b *graph.Builder, x *graph.Node) *graph.Node
}

// tokensOf reads a map as one sequence, sequencesOf as one for every row.
func tokensOf(b *graph.Builder, x *graph.Node) *graph.Node {
	return b.Op("tokens", graph.Reshape{To: graph.Shape{H: 1, W: x.Shape.Positions(), C: x.Shape.C}}, x)
}

func sequencesOf(b *graph.Builder, x *graph.Node) *graph.Node {
	return b.Op("sequences", graph.Reshape{To: x.Shape}, x)
}

// networks have every operation in every layout that it can come in.
var networks = []network{
	{"convolutions", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Conv("plain", x, graph.Conv{Out: 6, Kernel: graph.Square(3)})
		line, pad := graph.Size2{H: 1, W: 3}, graph.Size2{W: 1}
		x = b.Conv("grouped", x, graph.Conv{Out: 4, Kernel: line, Pad: pad, Groups: 2})
		return b.Conv("depthwise", x, graph.Conv{
			Out: 4, Kernel: graph.Square(3), Stride: graph.Size2{H: 2, W: 1}, Pad: graph.Square(1), Groups: 4,
			Bias: true,
		})
	}},
	{"folded", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Conv("conv", x, graph.Conv{Out: 4, Kernel: graph.Square(2), Bias: true})
		x = b.Op("drop", graph.Dropout{P: 0.5}, x)
		x = b.ReLU("relu", b.ChannelScale("scale", b.BatchNorm("norm", x), 1, 4, 1, 1))
		x = b.BatchNorm("norm of tokens", tokensOf(b, b.Linear("linear", x, 3)))
		return b.BatchNorm("norm of vector", b.Linear("vector", b.GlobalAvgPool("pool", x), 4))
	}},
	{"batch norms and channel scales of other things", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.ChannelScale("scale", b.BatchNorm("norm", x), 1, 3, 1, 1)
		x = b.BatchNorm("norm of tokens", b.ChannelScale("scale of tokens", tokensOf(b, x), 1, 3))
		return b.BatchNorm("norm of vector", b.ReLU("relu", b.GlobalAvgPool("pool", x)))
	}},
	{"linear layers", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Linear("of map", x, 5)
		x = b.LinearOp("of tokens", tokensOf(b, x), graph.Linear{Out: 4})
		x = b.Op("pool", graph.AdaptiveAvgPool{Out: graph.Square(1)}, x)
		return b.Linear("of vector", b.LinearOp("of vector, unbiased", x, graph.Linear{Out: 6}), 4)
	}},
	{"a module called twice", func(b *graph.Builder, x *graph.Node) *graph.Node {
		gate := func(x *graph.Node) *graph.Node {
			y := b.Conv("conv", b.GlobalAvgPool("pool", x), graph.Conv{Out: 3, Kernel: graph.Square(1)})
			y = b.BatchNorm("norm", y)
			return b.Op("gate", graph.Mul{}, x, b.Act("sigmoid", y, graph.Sigmoid))
		}
		return b.Shared(func() *graph.Node { return gate(gate(x)) })
	}},
	{"layer norms", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.LayerNorm("of tokens", tokensOf(b, b.LayerNorm("of map", x, 1e-6)), 1e-5)
		return b.LayerNorm("of vector", b.GlobalAvgPool("pool", x), 1e-6)
	}},
	{"activations", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Op("wider", graph.Scale{Factor: 5}, x)
		var all []*graph.Node
		for _, f := range []graph.Activation{
			graph.ReLU, graph.ReLU6, graph.SiLU, graph.GELU, graph.Sigmoid, graph.HardSigmoid, graph.HardSwish,
			graph.Tanh, graph.Identity,
		} {
			all = append(all, b.Act("act"+string(f), x, f))
		}
		return b.Op("all", graph.Concat{}, all...)
	}},
	{"maximum pools", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Op("ceil", graph.MaxPool{Kernel: graph.Square(2), Stride: graph.Size2{H: 3, W: 2}, Ceil: true}, x)
		return b.Op("padded", graph.MaxPool{Kernel: graph.Square(3), Stride: graph.Square(1), Pad: graph.Square(1)}, x)
	}},
	{"average pools", func(b *graph.Builder, x *graph.Node) *graph.Node {
		pool := graph.AvgPool{Kernel: graph.Square(3), Stride: graph.Square(1), Pad: graph.Square(1)}
		x = b.Op("padded", pool, x)
		pool.ExcludePad = true
		x = b.Op("of real pixels", pool, x)
		pool.Ceil, pool.Stride = true, graph.Size2{H: 2, W: 1}
		x = b.Op("upsample", graph.Upsample{Factor: 2}, b.Op("of real pixels, ceil", pool, x))
		return b.Op("ceil", graph.AvgPool{
			Kernel: graph.Square(3), Stride: graph.Square(2), Pad: graph.Square(1), Ceil: true,
		}, b.Conv("odd", x, graph.Conv{Out: 3, Kernel: graph.Size2{H: 2, W: 1}}))
	}},
	{"adaptive pools", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Op("even", graph.AdaptiveAvgPool{Out: graph.Size2{H: 3, W: 4}}, x)
		return b.Op("same", graph.AdaptiveAvgPool{Out: graph.Square(5)},
			b.Op("uneven", graph.AdaptiveAvgPool{Out: graph.Square(5)}, x))
	}},
	{"means of sequences", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("mean", graph.AdaptiveAvgPool{Out: graph.Square(1)}, sequencesOf(b, x))
	}},
	{"sums, products and parts", func(b *graph.Builder, x *graph.Node) *graph.Node {
		y := b.LayerNorm("channels last", x, 1e-5)
		x = b.Add("sum", y, b.ReLU("relu", x), y)
		x = b.Op("product", graph.Mul{}, x, y)
		x = b.Op("joined", graph.Concat{}, y, x, y)
		x = b.Op("part", graph.Slice{From: 2, To: 8}, x)
		return b.Op("part of tokens", graph.Slice{From: 1, To: 5}, tokensOf(b, x))
	}},
	{"gates", func(b *graph.Builder, x *graph.Node) *graph.Node {
		gate := b.GlobalAvgPool("pool", x)
		tokens := b.Op("of tokens", graph.Mul{}, tokensOf(b, b.Op("of map", graph.Mul{}, x, gate)), gate)
		sequences := b.Op("back", graph.Reshape{To: x.Shape}, tokens)
		return b.Op("of sequences", graph.Mul{}, sequences, gate)
	}},
	{"tokens", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Position("position", b.ClassToken("class", tokensOf(b, x)))
		x = b.Add("sum", x, b.Op("attention", graph.Attention{Heads: 3}, b.Linear("qkv", x, 9)))
		return b.Op("token", graph.Token{Index: 3}, b.Linear("linear", x, 4))
	}},
	{"windows", func(b *graph.Builder, x *graph.Node) *graph.Node {
		window := graph.Size2{H: 3, W: 2}
		x = b.Op("windows", graph.Windows{Size: window}, b.Linear("wider", x, 4))
		x = b.PixelPosition("position", x, window)
		qk, v := b.Linear("qk", x, 8), b.LinearOp("v", x, graph.Linear{Out: 4})
		x = b.Op("pad", graph.PadToken{}, b.Op("attention", graph.Attention{Heads: 2}, qk, v))
		x = b.ClassToken("class", x)
		picked := b.Op("token", graph.Token{Index: 2}, x)
		x = b.Op("patches", graph.Reshape{To: graph.Shape{H: 1, W: x.Shape.H, C: x.Shape.W * x.Shape.C}}, x)
		picked = b.Op("of each", graph.Reshape{To: graph.Shape{H: 1, W: x.Shape.W, C: 4}}, picked)
		return b.Op("all", graph.Concat{}, b.Op("pad patches", graph.PadToken{}, x), b.ClassToken("first", picked))
	}},
	{"one window", func(b *graph.Builder, x *graph.Node) *graph.Node {
		return b.Op("windows", graph.Windows{Size: graph.Size2{H: x.Shape.H, W: x.Shape.W}}, x)
	}},
	{"products of matrices", func(b *graph.Builder, x *graph.Node) *graph.Node {
		p := b.Op("abT", graph.MatMul{TransposeB: true, Scale: 0.5}, x, b.Linear("l", x, 3)) // of each row
		p = b.Op("ab", graph.MatMul{}, b.Op("softmax", graph.Softmax{}, p), x)
		p = b.Op("softmax of tokens", graph.Softmax{OverTokens: true}, p)
		p = b.Op("aTb", graph.MatMul{TransposeA: true}, x, p)
		p = b.Op("aTbT", graph.MatMul{TransposeA: true, TransposeB: true}, p, x)
		return b.Op("softmax of map", graph.Softmax{}, b.Conv("conv", p, graph.Conv{Out: 3, Kernel: graph.Square(1)}))
	}},
	{"a vector as a matrix", func(b *graph.Builder, x *graph.Node) *graph.Node {
		v, tokens := b.GlobalAvgPool("pool", x), tokensOf(b, x)
		scores := b.Op("scores", graph.MatMul{TransposeB: true}, v, tokens)
		seen := b.Op("seen", graph.MatMul{}, b.Op("softmax", graph.Softmax{}, scores), tokens)
		two := b.ClassToken("class", b.Position("position", seen))
		return b.Op("of one", graph.Attention{Heads: 1}, b.Linear("qkv", b.Op("token", graph.Token{Index: 1}, two), 9))
	}},
	{"convolutions of tokens", func(b *graph.Builder, x *graph.Node) *graph.Node {
		x = b.Conv("along", tokensOf(b, x), graph.Conv{Out: 4, Kernel: graph.Size2{H: 1, W: 3}, Pad: graph.Size2{W: 1}})
		return b.Linear("linear", x, 2)
	}},
}

// graph builds the network for images of 6×4 pixels.
func (n network) graph(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder(n.name, graph.Shape{H: 6, W: 4, C: 3})
	x := b.Op("features", graph.Flatten{}, n.build(b, b.Input()))
	g, err := b.Graph(x, b.Linear("classifier", x, 2))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// drawWeights gives a network weights as training leaves them: with those that are drawn first batch norms and the like
// do nothing.
func drawWeights(t *testing.T, g *graph.Graph) *train.Weights {
	t.Helper()
	w, r := train.NewWeights(g, 1), rand.New(rand.NewPCG(2, 3))
	change := func(p *graph.Param, of func(float32) float64) {
		values := w.Get(p.Name)
		for i, v := range values {
			values[i] = float32(of(v))
		}
		if err := w.Set(p.Name, values); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range g.Params {
		switch p.Role {
		case graph.NormWeight:
			change(p, func(float32) float64 { return 0.9 + 0.2*r.Float64() })
		case graph.NormBias, graph.Bias:
			change(p, func(v float32) float64 { return float64(v) + 0.1*r.NormFloat64() })
		case graph.Embedding:
			if _, ok := p.Owner.Op.(graph.ChannelScale); ok {
				change(p, func(float32) float64 { return 0.1 + 0.3*r.Float64() })
			} else {
				change(p, func(float32) float64 { return 0.1 * r.NormFloat64() })
			}
		}
	}
	// Scores that are not divided by the root of their length are kept small: a softmax that all but chooses one token
	// makes much of the last bits.
	for _, n := range g.Nodes {
		if _, ok := n.Op.(graph.MatMul); !ok {
			continue
		}
		for _, in := range n.Inputs {
			if _, ok := in.Op.(graph.Linear); ok {
				change(in.Params[0], func(v float32) float64 { return float64(v) / 4 })
			}
		}
	}
	for _, p := range g.Buffers {
		if p.Role == graph.RunningVar {
			change(p, func(float32) float64 { return 0.8 + 0.4*r.Float64() })
		} else {
			change(p, func(float32) float64 { return 0.1 * r.NormFloat64() })
		}
	}
	return w
}

package models

import "github.com/reidbench/reidbench/models/graph"

// The convolution, batch norm and ReLU that all Inception networks are made of, with PyTorch's
// and with TensorFlow's epsilon.
var (
	inceptionUnit   = unit{conv: "conv", norm: "bn", act: "relu", stats: pytorchNorm, f: graph.ReLU}
	inceptionTFUnit = unit{
		conv: "conv", norm: "bn", act: "relu", stats: graph.BatchNorm{Eps: 0.001, Momentum: 0.1}, f: graph.ReLU,
	}
)

// valid is a square convolution without padding.
func valid(out, kernel, stride int) graph.Conv {
	return graph.Conv{Out: out, Kernel: graph.Square(kernel), Stride: graph.Square(stride)}
}

// row is a horizontal convolution that keeps the map's size.
func row(out, kernel int) graph.Conv {
	return graph.Conv{Out: out, Kernel: graph.Size2{H: 1, W: kernel}, Pad: graph.Size2{W: kernel / 2}}
}

// column is a vertical convolution that keeps the map's size.
func column(out, kernel int) graph.Conv {
	return graph.Conv{Out: out, Kernel: graph.Size2{H: kernel, W: 1}, Pad: graph.Size2{H: kernel / 2}}
}

// halvingPool is the pool of the networks' stems and reductions.
var halvingPool = graph.MaxPool{Kernel: graph.Square(3), Stride: graph.Square(2)}

// averaging is the pool of the modules' last branches: a 3×3 mean.
var averaging = graph.AvgPool{Kernel: graph.Square(3), Stride: graph.Square(1), Pad: graph.Square(1)}

// averagingReal is averaging over real pixels only.
var averagingReal = graph.AvgPool{Kernel: graph.Square(3), Stride: graph.Square(1), Pad: graph.Square(1),
	ExcludePad: true}

// An inceptionModule appends the branches of one module under its name.
type inceptionModule struct {
	*graph.Builder
	name  string
	layer unit
}

// unit appends one convolution.
func (m inceptionModule) unit(name string, x *graph.Node, op graph.Conv) *graph.Node {
	return m.layer.build(m.Builder, m.name+"."+name, x, op)
}

// chain appends convolutions numbered from 0.
func (m inceptionModule) chain(name string, x *graph.Node, ops ...graph.Conv) *graph.Node {
	modules := sequence{module: name}
	for _, op := range ops {
		x = m.unit(modules.next(), x, op)
	}
	return x
}

// pool appends a pool.
func (m inceptionModule) pool(name string, x *graph.Node, op graph.Op) *graph.Node {
	return m.Op(m.name+"."+name, op, x)
}

// pooled appends averagingReal and a 1×1 convolution.
func (m inceptionModule) pooled(name string, x *graph.Node, out int) *graph.Node {
	return m.unit(name+".1", m.pool(name+".0", x, averagingReal), conv(out, 1, 1))
}

// concat ends the module.
func (m inceptionModule) concat(branches ...*graph.Node) *graph.Node {
	return m.Op(m.name+".concat", graph.Concat{}, branches...)
}

package models

import (
	"fmt"
	"strconv"

	"github.com/reidbench/reidbench/models/graph"
)

// conv is a square convolution without a bias that keeps the map's size but for its stride.
func conv(out, kernel, stride int) graph.Conv {
	return graph.Conv{
		Out: out, Kernel: graph.Square(kernel), Stride: graph.Square(stride), Pad: graph.Square(kernel / 2),
	}
}

// grouped is conv in groups.
func grouped(out, kernel, stride, groups int) graph.Conv {
	op := conv(out, kernel, stride)
	op.Groups = groups
	return op
}

// depthwise is conv with one channel per group.
func depthwise(channels, kernel, stride int) graph.Conv {
	return grouped(channels, kernel, stride, channels)
}

// biased is the convolution with a bias.
func biased(op graph.Conv) graph.Conv {
	op.Bias = true
	return op
}

// pytorchNorm is a batch norm with PyTorch's defaults.
var pytorchNorm = graph.BatchNorm{Eps: 1e-5, Momentum: 0.1}

// A unit is a convolution, its batch norm and its activation as submodules of one module,
// under the names that a family gives them.
type unit struct {
	conv, norm, act string
	stats           graph.BatchNorm
	f               graph.Activation // Identity: there is no activation
}

// numbered is the unit of a PyTorch Sequential.
var numbered = unit{conv: "0", norm: "1", act: "2", stats: pytorchNorm, f: graph.ReLU}

func (u unit) with(f graph.Activation) unit {
	u.f = f
	return u
}

func (u unit) build(b *graph.Builder, name string, x *graph.Node, op graph.Conv) *graph.Node {
	x = b.Conv(name+"."+u.conv, x, op)
	x = b.BatchNormOp(name+"."+u.norm, x, u.stats)
	if u.f == graph.Identity {
		return x
	}
	return b.Act(name+"."+u.act, x, u.f)
}

// A squeeze is a squeeze-and-excitation gate (Hu et al. 2018, §3): the map's mean through two
// biased 1×1 convolutions scales the map's channels.
type squeeze struct {
	pool, reduce, expand string // the names of its submodules
	inner, outer         graph.Activation
	functional           bool // the mean is no module of its own
}

// build appends the gate with the given number of hidden channels.
func (s squeeze) build(b *graph.Builder, name string, x *graph.Node, hidden int) *graph.Node {
	gate := b.Op(name+"."+s.pool, graph.AdaptiveAvgPool{Out: graph.Square(1), Functional: s.functional}, x)
	gate = b.Conv(name+"."+s.reduce, gate, biased(conv(hidden, 1, 1)))
	gate = b.Act(name+"."+s.reduce+".act", gate, s.inner)
	gate = b.Conv(name+"."+s.expand, gate, biased(conv(x.Shape.C, 1, 1)))
	gate = b.Act(name+"."+s.expand+".act", gate, s.outer)
	return b.Op(name+".mul", graph.Mul{}, x, gate)
}

// dropout appends a dropout, or nothing if it would drop nothing.
func dropout(b *graph.Builder, name string, x *graph.Node, p float64) *graph.Node {
	if p == 0 {
		return x
	}
	return b.Op(name, graph.Dropout{P: p}, x)
}

// dropPath appends a stochastic depth, or nothing if it would drop nothing.
func dropPath(b *graph.Builder, name string, x *graph.Node, p float64) *graph.Node {
	if p == 0 {
		return x
	}
	return b.Op(name, graph.DropPath{P: p}, x)
}

// at is the path of a module's numbered child.
func at(module string, index int) string { return fmt.Sprintf("%s.%d", module, index) }

// A sequence hands out the paths of a PyTorch Sequential's children, one after the other.
type sequence struct {
	module string // "" for the network itself
	given  int
}

func (s *sequence) next() string {
	s.given++
	if s.module == "" {
		return strconv.Itoa(s.given - 1)
	}
	return at(s.module, s.given-1)
}

// divisible rounds channels to the nearest multiple of 8, but never down by more than a tenth
// (torchvision's _make_divisible).
func divisible(channels float64) int {
	rounded := max(8, int(channels+4)/8*8)
	if float64(rounded) < 0.9*channels {
		rounded += 8
	}
	return rounded
}

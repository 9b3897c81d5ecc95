// Package graph describes a network as a static list of layers.
//
// A Graph is built once, without doing arithmetic, and is then both executed (bench/train compiles it) and counted
// (flops walks it). Every node knows its operation, its inputs, its output shape and the parameters it uses; the batch
// size is left open. Shapes are inferred while the graph is built, so a graph that exists is consistent.
package graph

import (
	"fmt"
	"slices"
)

// Shape is one sample's activation, [H, W, C], channels last.
//
// A feature map is H×W pixels of C channels. A sequence of tokens is {1, tokens, C}, several independent sequences are
// {sequences, tokens, C}, and a vector is {1, 1, C}.
type Shape struct{ H, W, C int }

// Size is the number of elements of one sample.
func (s Shape) Size() int { return s.H * s.W * s.C }

// Positions is the number of channel vectors of one sample, H·W.
func (s Shape) Positions() int { return s.H * s.W }

// IsVector reports whether the shape is {1, 1, C}.
func (s Shape) IsVector() bool { return s.H == 1 && s.W == 1 }

func (s Shape) String() string {
	if s.IsVector() {
		return fmt.Sprint(s.C)
	}
	return fmt.Sprintf("%d×%d×%d", s.H, s.W, s.C)
}

// A Graph is a network: nodes in an order in which each follows its inputs.
type Graph struct {
	Name  string
	Nodes []*Node

	// Params holds every parameter and Buffers every running statistic of the batch norms, each of them once, in the
	// order of the modules that own them.
	Params  []*Param
	Buffers []*Param

	// Input is the image, Features the embedding that evaluation uses, and Logits the output of Classifier, the last
	// linear layer.
	Input, Features, Logits, Classifier *Node

	// Compared are the features that losses compare with each other: those before a neck, see [Builder.Neck], else
	// Features.
	Compared *Node
}

// A Node is one call of a layer.
type Node struct {
	ID     int
	Name   string // unique: the module's path, with "#2", "#3" … for further calls of a shared module
	Module string // the module's path as in published checkpoints
	Op     Op
	Inputs []*Node
	Shape  Shape // output, per sample

	// Params are the parameters that this call uses, Buffers the running statistics that it updates; see the operation
	// for their order.
	Params, Buffers []*Param
}

// Owns reports whether the node is the first call that uses its parameters. Parameters are counted at their owner,
// arithmetic at every call.
func (n *Node) Owns() bool { return len(n.Params) > 0 && n.Params[0].Owner == n }

// Role says what a parameter is, which decides how it is initialised and whether the published counting sees it.
type Role int

// The roles of parameters and buffers.
const (
	Weight      Role = iota // of a convolution or linear layer
	Bias                    // of a convolution or linear layer
	NormWeight              // scale of a batch or layer norm
	NormBias                // shift of a batch or layer norm
	Embedding               // class token, position embedding, layer scale: a bare tensor
	RunningMean             // buffer of a batch norm
	RunningVar              // buffer of a batch norm
)

// A Param is a named tensor that training learns or, as a buffer, keeps.
type Param struct {
	Name  string // as in published checkpoints, "layer1.0.conv1.weight"
	Shape []int  // as in published checkpoints: convolution weights are [O, I/groups, KH, KW]
	Role  Role
	Owner *Node
	Init  Init
	Fixed bool // training leaves it as it began
}

// Size is the number of elements.
func (p *Param) Size() int {
	size := 1
	for _, d := range p.Shape {
		size *= d
	}
	return size
}

// FanIn is the number of inputs that each output of a weight sums over.
func (p *Param) FanIn() int {
	if len(p.Shape) < 2 {
		return 1
	}
	return p.Size() / p.Shape[0]
}

// Init names the distribution that a parameter is drawn from before training.
type Init struct {
	Kind  InitKind
	Value float64 // Constant: the value; Normal and TruncatedNormal: the standard deviation
}

// InitKind is a family of initial distributions.
type InitKind int

// The initial distributions in use by the published models.
const (
	Constant        InitKind = iota // every element is Value
	KaimingNormal                   // normal, variance 2/fan_out (He et al. 2015, eq. 14 with fan_out)
	FanInUniform                    // uniform in ±1/√fan_in, PyTorch's default for Linear and Conv2d
	Normal                          // normal with standard deviation Value
	TruncatedNormal                 // normal with standard deviation Value, cut at ±2
)

// Param returns the parameter or buffer of that name, or nil.
func (g *Graph) Param(name string) *Param {
	for _, list := range [][]*Param{g.Params, g.Buffers} {
		if i := slices.IndexFunc(list, func(p *Param) bool { return p.Name == name }); i >= 0 {
			return list[i]
		}
	}
	return nil
}

// Uses lists, for each node by ID, the nodes that read its output.
func (g *Graph) Uses() [][]*Node {
	uses := make([][]*Node, len(g.Nodes))
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			uses[in.ID] = append(uses[in.ID], n)
		}
	}
	return uses
}

// BeforeNorm reports, for each node by ID, whether only batch norms read its output: directly, or as a part of a
// concatenation that only batch norms read.
func (g *Graph) BeforeNorm() []bool {
	before := make([]bool, len(g.Nodes))
	for id, uses := range slices.Backward(g.Uses()) {
		before[id] = len(uses) > 0
		for _, n := range uses {
			switch n.Op.(type) {
			case BatchNorm:
			case Concat:
				before[id] = before[id] && before[n.ID]
			default:
				before[id] = false
			}
		}
	}
	return before
}

// Folds lists, for each convolution and linear layer, what only scales and shifts the channels of its output and can
// become part of its weights for inference: the batch norms and channel scales after it, in their order, each of which
// alone reads what is before it. Nodes that do nothing in inference may lie between them.
func (g *Graph) Folds() map[*Node][]*Node {
	uses, folds := g.Uses(), map[*Node][]*Node{}
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case Conv, Linear:
		default:
			continue
		}
		for at := n; at != g.Features && at != g.Logits && len(uses[at.ID]) == 1; {
			at = uses[at.ID][0]
			if !at.idle() {
				if !at.mapsChannels() || at.Shape.C != n.Shape.C {
					break
				}
				folds[n] = append(folds[n], at)
			}
		}
	}
	return folds
}

// mapsChannels reports whether the node only scales and shifts every channel of its input in inference.
func (n *Node) mapsChannels() bool {
	switch n.Op.(type) {
	case BatchNorm, ChannelScale:
		return true
	}
	return false
}

// idle reports whether the node's output is its input in inference, in the same order in memory.
func (n *Node) idle() bool {
	switch n.Op.(type) {
	case Dropout, DropPath, Reshape:
		return true
	case Flatten:
		return n.Inputs[0].Shape.IsVector()
	}
	return false
}

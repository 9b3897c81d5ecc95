package train

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/models/graph"
)

// A value is what flows between layers. Nodes that only rename or reshape share their input's.
type value struct {
	size    int         // floats per sample
	node    *graph.Node // whose output it is
	maker   layer       // nil for the image
	readers []layer     // in the order of the forward pass: the first is the last that adds to the gradient
	result  bool        // the caller reads it, too
	needs   bool        // a gradient must reach it
	buf     buffer      // where the forward pass puts it
	again   buffer      // where the backward pass computed it again, none until somebody reads it there
	grad    buffer      // where its gradient is gathered, none until something contributes
}

func newValue(n *graph.Node, maker layer) *value {
	return &value{size: n.Shape.Size(), node: n, maker: maker, buf: none, again: none, grad: none}
}

// soleReader returns the layer that alone reads a value, nil if there are others or the caller reads it.
func (v *value) soleReader() layer {
	if len(v.readers) != 1 || v.result {
		return nil
	}
	return v.readers[0]
}

// A layer is one or more fused nodes. A layer writes its steps twice: for the forward pass and, after everything that
// reads its output has done so, for the backward pass.
type layer interface {
	// label says whose step it is that a layer emits.
	label(Phase) label
	// output is the layer's value.
	output() *value
	setOutput(*value)
	// inputs are the values that it reads.
	inputs() []*value
	// trains reports whether the layer has parameters that this program trains.
	trains(c *compiler) bool
	// forward appends the steps that compute the output into out.
	forward(c *compiler, out buffer)
	// backward appends the steps that turn dy, the gradient of the output, into gradients of the inputs and parameters.
	backward(c *compiler, dy buffer)
}

// cheap layers cost no more than a pass over memory; the backward pass computes their output again where it needs it.
type cheap interface {
	// recomputable reports whether the layer is cheap where it stands.
	recomputable() bool
	// recompute appends the steps that compute the output once more, with the bits that it had.
	recompute(c *compiler, out buffer)
}

// base is what every layer is built on.
type base struct {
	node *graph.Node // that the layer is called after, its first
	in   []*value
	out  *value
}

func (b *base) label(p Phase) label     { return label{b.node, p} }
func (b *base) output() *value          { return b.out }
func (b *base) setOutput(v *value)      { b.out = v }
func (b *base) inputs() []*value        { return b.in }
func (b *base) trains(*compiler) bool   { return false }
func (b *base) positions() int          { return b.node.Shape.Positions() }
func (b *base) inputShape() graph.Shape { return b.node.Inputs[0].Shape }

// tail is what a layer does with its result: y = act(result + residual).
type tail struct {
	residual *value // nil for none; the last of the inputs, too
	act      act.Kind
}

// plain reports whether the result is the output.
func (t *tail) plain() bool { return t.residual == nil && t.act == act.None }

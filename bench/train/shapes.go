package train

import (
	"math"

	"github.com/reidbench/reidbench/kernels/attention"
	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/models/graph"
)

// ConvShape returns the shape of a convolution, or of a linear layer as the 1×1 convolution that it is; ok is false
// for other nodes. BeforeNorm is left out, which [graph.Graph.BeforeNorm] says, and Precision, which is the caller's
// choice.
func ConvShape(n *graph.Node) (s conv.Shape, ok bool) {
	switch op := n.Op.(type) {
	case graph.Conv:
		in := n.Inputs[0].Shape
		return conv.Shape{
			H: in.H, W: in.W, C: in.C, OutC: op.Out,
			KH: op.Kernel.H, KW: op.Kernel.W,
			SH: op.Steps().H, SW: op.Steps().W,
			PH: op.Pad.H, PW: op.Pad.W,
			Groups: op.GroupCount(),
		}, true
	case graph.Linear:
		in := n.Inputs[0].Shape
		return conv.Shape{H: in.H, W: in.W, C: in.C, OutC: op.Out, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, true
	}
	return conv.Shape{}, false
}

// AttentionShape returns the shape of attention within one sequence; ok is false for other nodes. A sample has
// n.Shape.H sequences. Products of queries and keys are divided by √HeadDim.
func AttentionShape(n *graph.Node) (s attention.Shape, ok bool) {
	op, ok := n.Op.(graph.Attention)
	if !ok {
		return attention.Shape{}, false
	}
	dim := n.Shape.C / op.Heads
	return attention.Shape{
		Tokens: n.Shape.W, Heads: op.Heads, HeadDim: dim, Scale: float32(1 / math.Sqrt(float64(dim))),
	}, true
}

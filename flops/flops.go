// Package flops counts the parameters and multiply-accumulates (MACs) of a layer graph
// for one image, without running it.
//
// Two conventions stand side by side. Exact counts what the arithmetic is: every parameter,
// and the MACs of convolutions, linear layers and products of two activations. Paper is the
// rule that reproduces the published tables: thop 0.0.31 (2020-05-24) on a network in
// evaluation mode.
//
//	layer               paper params   paper MACs
//	convolution         all            outputs · (inputs per output, + 1 with a bias)
//	linear              all            outputs · inputs per output
//	batch norm          all            2 · elements
//	windowed average    –              1 · outputs
//	adaptive average    –              outputs · (⌊H/outH⌋·⌊W/outW⌋ + 1), modules only
//	anything else       –              0
//
// Both leave out the classifier, which evaluation does not run. Parameters count once, at the
// call that owns them; arithmetic counts at every call.
package flops

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// Cost is what one node adds.
type Cost struct {
	Node *graph.Node

	// Exact counting.
	Params     int64 // elements of the parameters that the node owns, but for those that are never trained
	ConvMACs   int64
	LinearMACs int64
	MatMulMACs int64 // products of two activations: attention's q·kᵀ and p·v, and plain ones

	// The published counting.
	PaperParams int64
	PaperMACs   int64
}

// MACs is the exact counting's sum.
func (c Cost) MACs() int64 { return c.ConvMACs + c.LinearMACs + c.MatMulMACs }

func (c *Cost) add(d Cost) {
	c.Params += d.Params
	c.ConvMACs += d.ConvMACs
	c.LinearMACs += d.LinearMACs
	c.MatMulMACs += d.MatMulMACs
	c.PaperParams += d.PaperParams
	c.PaperMACs += d.PaperMACs
}

// Report is the count of a graph.
type Report struct {
	Costs      []Cost // one per node, in the graph's order
	Total      Cost   // the sum without the classifier; its Node is nil
	Classifier Cost
}

// Count counts every node of g. An operation that it does not know is an error.
func Count(g *graph.Graph) (Report, error) {
	var r Report
	for _, n := range g.Nodes {
		c, err := count(n)
		if err != nil {
			return Report{}, fmt.Errorf("counting %s, layer %s: %w", g.Name, n.Name, err)
		}
		r.Costs = append(r.Costs, c)
		if n == g.Classifier {
			r.Classifier = c
		} else {
			r.Total.add(c)
		}
	}
	return r, nil
}

func count(n *graph.Node) (Cost, error) {
	c := Cost{Node: n}
	fixed := int64(0)
	if n.Owns() {
		for _, p := range n.Params {
			if p.Fixed {
				fixed += int64(p.Size())
			} else {
				c.Params += int64(p.Size())
			}
		}
	}
	outputs := int64(n.Shape.Size())
	switch op := n.Op.(type) {
	case graph.Conv:
		perOutput := int64(n.Params[0].FanIn())
		c.ConvMACs, c.PaperMACs = outputs*perOutput, outputs*perOutput
		if op.Bias {
			c.PaperMACs += outputs
		}
		c.PaperParams = c.Params
	case graph.Linear:
		c.LinearMACs = outputs * int64(n.Inputs[0].Shape.C)
		c.PaperParams, c.PaperMACs = c.Params, c.LinearMACs
	case graph.BatchNorm:
		c.PaperParams, c.PaperMACs = c.Params+fixed, 2*outputs
	case graph.AvgPool:
		c.PaperMACs = outputs
	case graph.AdaptiveAvgPool:
		if !op.Functional {
			in := n.Inputs[0].Shape
			window := (in.H / op.Out.H) * (in.W / op.Out.W)
			c.PaperMACs = outputs * int64(window+1)
		}
	case graph.Attention:
		// Scores and weighted sum: each token meets each token in each channel, twice.
		c.MatMulMACs = 2 * outputs * int64(n.Shape.W)
	case graph.MatMul:
		inner := n.Inputs[0].Shape.C
		if op.TransposeA {
			inner = n.Inputs[0].Shape.W
		}
		c.MatMulMACs = outputs * int64(inner)
	case graph.Input, graph.LayerNorm, graph.ChannelScale, graph.ClassToken, graph.Position,
		graph.Act, graph.MaxPool, graph.Add, graph.Mul, graph.Scale, graph.Concat, graph.Slice,
		graph.Upsample, graph.Dropout, graph.DropPath, graph.Flatten, graph.Reshape, graph.Windows,
		graph.PadToken, graph.Token, graph.Softmax:
		// Neither convention counts their arithmetic.
	default:
		return c, fmt.Errorf("no rule for operation %v (%T)", op, op)
	}
	return c, nil
}

package measure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/kernels/attention"
	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
)

// A kernelCase is a convolution, linear layer or attention of one shape.
type kernelCase struct {
	shape  kernelShape
	models []string // that have it
}

// kernelShape is a layer's shape for one image. Linear layers are 1×1 convolutions, as they are for the kernels.
type kernelShape struct {
	conv      conv.Shape
	attention attention.Shape // if it has tokens
	sequences int             // of attention
}

// kernelCases collects the distinct shapes of some models, those that the same models have together, in the models'
// order.
func kernelCases(list []models.Model) ([]kernelCase, error) {
	var cases []kernelCase
	index := map[kernelShape]int{}
	rank := map[string]int{}
	for i, m := range list {
		rank[m.Name] = i
		g, err := m.Graph(flops.IdentityCount)
		if err != nil {
			return nil, err
		}
		beforeNorm := g.BeforeNorm()
		for _, n := range g.Nodes {
			shape, ok := shapeOf(n)
			if !ok {
				continue
			}
			shape.conv.BeforeNorm = beforeNorm[n.ID]
			at, ok := index[shape]
			if !ok {
				at = len(cases)
				index[shape] = at
				cases = append(cases, kernelCase{shape: shape})
			}
			if c := &cases[at]; !slices.Contains(c.models, m.Name) {
				c.models = append(c.models, m.Name)
			}
		}
	}
	slices.SortStableFunc(cases, func(a, b kernelCase) int {
		return slices.CompareFunc(a.models, b.models, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	})
	return cases, nil
}

// shapeOf returns the shape of a node that is measured.
func shapeOf(n *graph.Node) (kernelShape, bool) {
	if s, ok := train.ConvShape(n); ok {
		return kernelShape{conv: s}, true
	}
	if s, ok := train.AttentionShape(n); ok {
		return kernelShape{attention: s, sequences: n.Shape.H}, true
	}
	return kernelShape{}, false
}

// String names the shape as in "conv3x3-s2-p1-64x32x128-256": what is 1, or no padding, is left out.
func (k kernelShape) String() string {
	if a := k.attention; a.Tokens > 0 {
		return fmt.Sprintf("attention-%dx%d-heads%dx%d", k.sequences, a.Tokens, a.Heads, a.HeadDim)
	}
	s := k.conv
	var name strings.Builder
	part := func(format string, h, w, usual int) {
		if h != usual || w != usual {
			name.WriteString(fmt.Sprintf(format, h))
			if h != w {
				fmt.Fprintf(&name, "x%d", w)
			}
		}
	}
	switch {
	case s.H == 1 && s.KH == 1 && s.KW == 1:
		name.WriteString("linear")
	case s.Depthwise():
		fmt.Fprintf(&name, "depthwise%dx%d", s.KH, s.KW)
	default:
		fmt.Fprintf(&name, "conv%dx%d", s.KH, s.KW)
	}
	part("-s%d", s.SH, s.SW, 1)
	part("-p%d", s.PH, s.PW, 0)
	if !s.Depthwise() {
		part("-g%d", s.Groups, s.Groups, 1)
	}
	fmt.Fprintf(&name, "-%dx%dx%d-%d", s.H, s.W, s.C, s.OutC)
	return name.String()
}

package onnx

import (
	"fmt"

	"github.com/reidbench/reidbench/models/graph"
)

// A pool is a window that slides over a map.
type pool struct {
	kernel, steps, pad graph.Size2
	beyond             graph.Size2 // how far the last windows reach beyond the padding, in ceil mode
}

func poolOf(n *graph.Node, kernel, steps, pad graph.Size2) pool {
	in, out := n.Inputs[0].Shape, n.Shape
	reach := func(in, out, kernel, step, pad int) int { return max((out-1)*step+kernel-in-2*pad, 0) }
	return pool{kernel, steps, pad, graph.Size2{
		H: reach(in.H, out.H, kernel.H, steps.H, pad.H), W: reach(in.W, out.W, kernel.W, steps.W, pad.W),
	}}
}

// attributes are those with a padding before the map, and beside it what the last windows reach. ONNX's own ceil mode
// is not used: until version 19 it has windows that lie outside.
func (p pool) attributes(pad graph.Size2) []attribute {
	return []attribute{
		{"kernel_shape", []int{p.kernel.H, p.kernel.W}},
		{"strides", []int{p.steps.H, p.steps.W}},
		{"pads", []int{pad.H, pad.W, pad.H + p.beyond.H, pad.W + p.beyond.W}},
	}
}

func (t *translation) maxPool(n *graph.Node, op graph.MaxPool) {
	p := poolOf(n, op.Kernel, op.Steps(), op.Pad)
	t.set(n, first, t.add("MaxPool", []string{t.read(n.Inputs[0], first)}, p.attributes(p.pad)...))
}

func (t *translation) avgPool(n *graph.Node, op graph.AvgPool) {
	p := poolOf(n, op.Kernel, op.Steps(), op.Pad)
	x, pad, counted := t.read(n.Inputs[0], first), p.pad, 0
	if !op.ExcludePad {
		if p.beyond == (graph.Size2{}) {
			counted = 1
		} else { // the padding counts, what lies beyond it never does
			x = t.add("Pad", []string{x, t.integers(0, 0, pad.H, pad.W, 0, 0, pad.H, pad.W)})
			pad = graph.Size2{}
		}
	}
	attributes := append(p.attributes(pad), attribute{"count_include_pad", counted})
	t.set(n, first, t.add("AveragePool", []string{x}, attributes...))
}

// adaptiveAvgPool appends means over windows that tile the map. Where these are not all alike, a mean is a product with
// a matrix on either side.
func (t *translation) adaptiveAvgPool(n *graph.Node, op graph.AdaptiveAvgPool) {
	x, in, out := n.Inputs[0], n.Inputs[0].Shape, op.Out
	switch {
	case in.H == out.H && in.W == out.W:
		t.same(n, x)
	case out == graph.Square(1) && t.layoutOf(x) == first:
		t.set(n, first, t.add("GlobalAveragePool", []string{t.read(x, first)}))
	case out == graph.Square(1):
		axes := []int{1, 2}[:len(dims(in))-1]
		t.set(n, last, t.add("ReduceMean", []string{t.read(x, last)},
			attribute{"axes", axes}, attribute{"keepdims", 0}))
	case in.H%out.H == 0 && in.W%out.W == 0:
		size := graph.Size2{H: in.H / out.H, W: in.W / out.W}
		t.set(n, first, t.add("AveragePool", []string{t.read(x, first)}, poolOf(n, size, size, graph.Size2{}).
			attributes(graph.Size2{})...))
	default:
		columns := t.floats(fmt.Sprintf("%s/columns", n.Name), []int{in.W, out.W}, func() []float32 {
			return transpose(tiles(in.W, out.W), out.W, in.W)
		})
		rows := t.floats(fmt.Sprintf("%s/rows", n.Name), []int{out.H, in.H}, func() []float32 {
			return tiles(in.H, out.H)
		})
		t.set(n, first, t.add("MatMul", []string{rows, t.add("MatMul", []string{t.read(x, first), columns})}))
	}
}

// tiles is the matrix [out, in] of means over the windows from ⌊i·in/out⌋ to ⌈(i+1)·in/out⌉.
func tiles(in, out int) []float32 {
	matrix := make([]float32, out*in)
	for i := range out {
		from, to := i*in/out, ((i+1)*in+out-1)/out
		for j := from; j < to; j++ {
			matrix[i*in+j] = 1 / float32(to-from)
		}
	}
	return matrix
}

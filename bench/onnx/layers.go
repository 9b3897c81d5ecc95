package onnx

import (
	"github.com/reidbench/reidbench/models/graph"
)

// layerWeights are what a convolution or linear layer multiplies by and adds: parameters or, with what comes after it
// in them, constants of its own under the same names.
type layerWeights struct {
	t     *translation
	n     *graph.Node
	after []*graph.Node
}

func (t *translation) weightsOf(n *graph.Node) layerWeights { return layerWeights{t, n, t.folds[n]} }

// of returns the weight in the published order, and the bias.
func (l layerWeights) of() (weight, bias []float32) { return l.t.weights.Folded(l.n, l.after) }

// weight is the constant, as published or, of a linear layer, transposed: [I, O].
func (l layerWeights) weight(transposed bool) string {
	p := l.n.Params[0]
	name, values := p.Name, func() []float32 { return l.t.weights.Get(p.Name) }
	if len(l.after) > 0 {
		name, values = l.n.Name+".weight", func() []float32 { weight, _ := l.of(); return weight }
	}
	if !transposed {
		return l.t.floats(name, p.Shape, values)
	}
	out, in := p.Shape[0], p.Size()/p.Shape[0]
	return l.t.floats(name+".transposed", []int{in, out}, func() []float32 { return transpose(values(), out, in) })
}

// bias is the constant, "" if the layer has none.
func (l layerWeights) bias() string {
	switch {
	case len(l.after) > 0:
		return l.t.floats(l.n.Name+".bias", []int{l.n.Shape.C}, func() []float32 { _, bias := l.of(); return bias })
	case len(l.n.Params) > 1:
		return l.t.parameter(l.n.Params[1], l.n.Shape.C)
	}
	return ""
}

// transpose turns a matrix [rows, columns].
func transpose(values []float32, rows, columns int) []float32 {
	turned := make([]float32, len(values))
	for row := range rows {
		for column := range columns {
			turned[column*rows+row] = values[row*columns+column]
		}
	}
	return turned
}

func (t *translation) conv(n *graph.Node, op graph.Conv) {
	weights := t.weightsOf(n)
	inputs := []string{t.read(n.Inputs[0], first), weights.weight(false)}
	if bias := weights.bias(); bias != "" {
		inputs = append(inputs, bias)
	}
	t.set(n, first, t.add("Conv", inputs,
		attribute{"kernel_shape", []int{op.Kernel.H, op.Kernel.W}},
		attribute{"strides", []int{op.Steps().H, op.Steps().W}},
		attribute{"pads", []int{op.Pad.H, op.Pad.W, op.Pad.H, op.Pad.W}},
		attribute{"group", op.GroupCount()}))
}

// linear appends a Gemm for vectors, and a product with the transposed weight for the channels of all positions.
func (t *translation) linear(n *graph.Node) {
	weights := t.weightsOf(n)
	x, bias := t.read(n.Inputs[0], last), weights.bias()
	if n.Shape.IsVector() {
		inputs := []string{x, weights.weight(false)}
		if bias != "" {
			inputs = append(inputs, bias)
		}
		t.set(n, last, t.add("Gemm", inputs, attribute{"transB", 1}))
		return
	}
	y := t.add("MatMul", []string{x, weights.weight(true)})
	if bias != "" {
		y = t.add("Add", []string{y, bias})
	}
	t.set(n, last, y)
}

func (t *translation) batchNorm(n *graph.Node, op graph.BatchNorm) {
	at := first
	if n.Shape.IsVector() {
		at = t.layoutOf(n.Inputs...)
	}
	inputs := []string{t.read(n.Inputs[0], at)}
	for _, p := range []*graph.Param{n.Params[0], n.Params[1], n.Buffers[0], n.Buffers[1]} {
		inputs = append(inputs, t.parameter(p, n.Shape.C))
	}
	t.set(n, at, t.add("BatchNormalization", inputs, attribute{"epsilon", float32(op.Eps)}))
}

func (t *translation) layerNorm(n *graph.Node, op graph.LayerNorm) {
	t.set(n, last, t.add("LayerNormalization", []string{
		t.read(n.Inputs[0], last), t.parameter(n.Params[0], n.Shape.C), t.parameter(n.Params[1], n.Shape.C),
	}, attribute{"axis", -1}, attribute{"epsilon", float32(op.Eps)}))
}

func (t *translation) channelScale(n *graph.Node) {
	at, shape := t.layoutOf(n.Inputs...), []int{n.Shape.C}
	if at == first {
		shape = []int{n.Shape.C, 1, 1}
	}
	t.set(n, at, t.add("Mul", []string{t.read(n.Inputs[0], at), t.parameter(n.Params[0], shape...)}))
}

// classToken appends what repeats the token for every sequence and puts it first.
func (t *translation) classToken(n *graph.Node) {
	tokens := t.matrix(n.Inputs[0])
	one := matrixDims(graph.Shape{H: n.Shape.H, W: 1, C: n.Shape.C})
	batch := t.add("Shape", []string{tokens}, attribute{"start", 0}, attribute{"end", 1})
	shape := t.add("Concat", []string{batch, t.integers(one...)}, attribute{"axis", 0})
	token := t.add("Expand", []string{t.parameter(n.Params[0], 1, 1, n.Shape.C), shape})
	t.set(n, last, t.add("Concat", []string{token, tokens}, attribute{"axis", -2}))
}

// padToken appends what puts a token of zeros first.
func (t *translation) padToken(n *graph.Node) {
	rank := 1 + len(matrixDims(n.Shape))
	pads := make([]int, 2*rank)
	pads[rank-2] = 1
	t.set(n, last, t.add("Pad", []string{t.matrix(n.Inputs[0]), t.integers(pads...)}))
}

// position appends the sum with an embedding, of pixels too in the order of the tokens.
func (t *translation) position(n *graph.Node) {
	p, shape := n.Params[0], []int{1, n.Shape.W, n.Shape.C}
	embedding := ""
	if len(p.Shape) == 4 { // [1, C, h, w]
		embedding = t.floats(p.Name+".transposed", shape, func() []float32 {
			return transpose(t.weights.Get(p.Name), n.Shape.C, n.Shape.W)
		})
	} else {
		embedding = t.parameter(p, shape...)
	}
	t.setMatrix(n, t.add("Add", []string{t.matrix(n.Inputs[0]), embedding}))
}

// token appends what selects one.
func (t *translation) token(n *graph.Node, op graph.Token) {
	tokens := t.matrix(n.Inputs[0])
	if n.Shape.IsVector() {
		t.set(n, last, t.add("Gather", []string{tokens, t.index(op.Index)}, attribute{"axis", 1}))
		return
	}
	t.set(n, last, t.add("Gather", []string{tokens, t.integers(op.Index)}, attribute{"axis", 2}))
}

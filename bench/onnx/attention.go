package onnx

import (
	"math"

	"github.com/reidbench/reidbench/models/graph"
)

// attention appends softmax(q·kᵀ/√d)·v for every head.
func (t *translation) attention(n *graph.Node, op graph.Attention) {
	var q, k, v string
	if len(n.Inputs) == 1 {
		qkv := t.addAll("Split", []string{t.matrix(n.Inputs[0])}, 3, attribute{"axis", -1})
		q, k, v = qkv[0], qkv[1], qkv[2]
	} else {
		qk := t.addAll("Split", []string{t.matrix(n.Inputs[0])}, 2, attribute{"axis", -1})
		q, k, v = qk[0], qk[1], t.matrix(n.Inputs[1])
	}
	size := n.Shape.C / op.Heads
	perHead := append(matrixDims(graph.Shape{H: n.Shape.H, W: n.Shape.W, C: op.Heads}), size) // …, tokens, heads, size
	rank := 1 + len(perHead)
	heads := func(name string, tokens, channels int) string {
		return t.transpose(t.reshape(name, perHead...), exchange(rank, tokens, channels)...)
	}
	q, v = heads(q, rank-2, rank-1), heads(v, rank-2, rank-1) // …, heads, tokens, size
	k = heads(k, rank-1, rank-2)                              // …, heads, size, tokens
	scores := t.add("Mul", []string{t.add("MatMul", []string{q, k}), t.scalar(float32(1 / math.Sqrt(float64(size))))})
	shares := t.add("Softmax", []string{scores}, attribute{"axis", -1})
	seen := t.transpose(t.add("MatMul", []string{shares, v}), exchange(rank, rank-2, rank-1)...)
	t.set(n, last, t.reshape(seen, dims(n.Shape)...))
}

// exchange is the order of axes in which the last three, tokens, heads and size, become heads and the two others where
// they are said to be.
func exchange(rank, tokens, size int) []int {
	order := make([]int, rank)
	for i := range order {
		order[i] = i
	}
	order[rank-3] = rank - 2
	order[tokens], order[size] = rank-3, rank-1
	return order
}

func (t *translation) matMul(n *graph.Node, op graph.MatMul) {
	a, b := t.matrix(n.Inputs[0]), t.matrix(n.Inputs[1])
	rank := 1 + len(matrixDims(n.Inputs[0].Shape))
	if op.TransposeA {
		a = t.transpose(a, turned(rank)...)
	}
	if op.TransposeB {
		b = t.transpose(b, turned(rank)...)
	}
	y := t.add("MatMul", []string{a, b})
	if factor := op.Factor(); factor != 1 {
		y = t.add("Mul", []string{y, t.scalar(float32(factor))})
	}
	t.setMatrix(n, y)
}

// turned is the order of axes that exchanges the last two.
func turned(rank int) []int {
	order := make([]int, rank)
	for i := range order {
		order[i] = i
	}
	order[rank-2], order[rank-1] = rank-1, rank-2
	return order
}

func (t *translation) softmax(n *graph.Node, op graph.Softmax) {
	if op.OverTokens {
		t.setMatrix(n, t.add("Softmax", []string{t.matrix(n.Inputs[0])}, attribute{"axis", -2}))
		return
	}
	at := t.layoutOf(n.Inputs...)
	t.set(n, at, t.add("Softmax", []string{t.read(n.Inputs[0], at)}, attribute{"axis", channelAxis(at)}))
}

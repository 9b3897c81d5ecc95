package train

import (
	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models/graph"
)

// attentionLayer keeps of its probabilities only the logarithm of each row's sum.
type attentionLayer struct {
	part
	kernel    *kernels.Attention
	width     int // channels of each of q, k and v
	sequences int
	sums      buffer
}

func newAttentionLayer(p part, precision kernels.Precision) *attentionLayer {
	shape, _ := AttentionShape(p.at)
	shape.Precision = precision
	return &attentionLayer{part: p, width: p.at.Shape.C, sequences: p.at.Shape.H, kernel: kernels.NewAttention(shape)}
}

// split finds q, k and v in one buffer of the three, or in one of q and k and one of v.
func (l *attentionLayer) split(f *frame, first, second buffer) (q, k, v kernels.Rows) {
	data, c := f.at(first), l.width
	if second == none {
		return kernels.Rows{Data: data, Stride: 3 * c}, kernels.Rows{Data: data[c:], Stride: 3 * c}, kernels.Rows{Data: data[2*c:], Stride: 3 * c}
	}
	return kernels.Rows{Data: data, Stride: 2 * c}, kernels.Rows{Data: data[c:], Stride: 2 * c}, kernels.Rows{Data: f.at(second), Stride: c}
}

func (l *attentionLayer) read(c *compiler) (first, second buffer) {
	first, second = c.read(l.in[0]), none
	if len(l.in) == 2 {
		second = c.read(l.in[1])
	}
	return first, second
}

func (l *attentionLayer) forward(c *compiler, out buffer) {
	first, second := l.read(c)
	l.sums = c.newBuffer(l.sequences*l.at.Op.(graph.Attention).Heads*l.at.Shape.W, 0)
	sums := l.sums
	c.scratch(l.kernel.Workspace(c.threads))
	c.emit(l.step(Forward), []buffer{first, second}, []buffer{out, sums}, func(f *frame) {
		q, k, v := l.split(f, first, second)
		l.kernel.Forward(f.pool, f.n*l.sequences, kernels.Rows{Data: f.at(out), Stride: l.width}, q, k, v, f.at(sums), f.ws)
	})
}

func (l *attentionLayer) backward(c *compiler, dy buffer) {
	first, second := l.read(c)
	out, sums := c.read(l.out), l.sums
	dFirst, dSecond := c.contribute(l.in[0], false, none), contribution{dst: none}
	if second != none {
		dSecond = c.contribute(l.in[1], false, none)
	}
	reads := []buffer{dy, out, sums, first, second}
	c.emit(l.step(Gradient), reads, []buffer{dFirst.dst, dSecond.dst}, func(f *frame) {
		q, k, v := l.split(f, first, second)
		dq, dk, dv := l.split(f, dFirst.dst, dSecond.dst)
		l.kernel.Backward(f.pool, f.n*l.sequences, dq, dk, dv,
			kernels.Rows{Data: f.at(dy), Stride: l.width}, kernels.Rows{Data: f.at(out), Stride: l.width}, q, k, v, f.at(sums), f.ws)
	})
	dFirst.done()
	if second != none {
		dSecond.done()
	}
}

// matMulLayer multiplies two values, matrix by matrix.
type matMulLayer struct {
	part
	product, gradA, gradB *kernels.MatMul
}

func newMatMulLayer(p part, op graph.MatMul) *matMulLayer {
	a := p.at.Inputs[0].Shape
	m, k, n := p.at.Shape.W, a.C, p.at.Shape.C
	if op.TransposeA {
		k = a.W
	}
	scale := float32(op.Factor())
	ta, tb := op.TransposeA, op.TransposeB
	l := &matMulLayer{part: p}
	l.product = kernels.NewMatMul(kernels.MatMulShape{M: m, N: n, K: k, TransA: ta, TransB: tb, Scale: scale})
	// dA = dC·op(B)ᵀ and dB = op(A)ᵀ·dC, each transposed where its operand is stored so.
	if ta {
		l.gradA = kernels.NewMatMul(kernels.MatMulShape{M: k, N: m, K: n, TransA: tb, TransB: true, Scale: scale})
	} else {
		l.gradA = kernels.NewMatMul(kernels.MatMulShape{M: m, N: k, K: n, TransB: !tb, Scale: scale})
	}
	if tb {
		l.gradB = kernels.NewMatMul(kernels.MatMulShape{M: n, N: k, K: m, TransA: true, TransB: ta, Scale: scale})
	} else {
		l.gradB = kernels.NewMatMul(kernels.MatMulShape{M: k, N: n, K: m, TransA: !ta, Scale: scale})
	}
	return l
}

func (l *matMulLayer) forward(c *compiler, out buffer) {
	a, b := c.read(l.in[0]), c.read(l.in[1])
	for _, kernel := range []*kernels.MatMul{l.product, l.gradA, l.gradB} {
		c.scratch(kernel.Workspace(c.threads))
	}
	multiply(c, l.step(Forward), l.product, l.at.Shape.H, out, a, b)
}

func multiply(c *compiler, name label, kernel *kernels.MatMul, matrices int, out, a, b buffer) {
	c.emit(name, []buffer{a, b}, []buffer{out}, func(f *frame) {
		kernel.Run(f.pool, f.n*matrices, f.at(out), f.at(a), f.at(b), false, f.ws)
	})
}

func (l *matMulLayer) backward(c *compiler, dy buffer) {
	a, b := c.read(l.in[0]), c.read(l.in[1])
	op, matrices := l.at.Op.(graph.MatMul), l.at.Shape.H
	if k := c.contribute(l.in[0], false, none); k.dst != none {
		left, right := dy, b
		if op.TransposeA {
			left, right = b, dy
		}
		multiply(c, l.step(FirstGradient), l.gradA, matrices, k.dst, left, right)
		k.done()
	}
	if k := c.contribute(l.in[1], false, none); k.dst != none {
		left, right := a, dy
		if op.TransposeB {
			left, right = dy, a
		}
		multiply(c, l.step(SecondGradient), l.gradB, matrices, k.dst, left, right)
		k.done()
	}
}

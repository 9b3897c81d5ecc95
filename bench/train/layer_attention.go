package train

import (
	"github.com/reidbench/reidbench/kernels/attention"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/models/graph"
)

// attentionLayer keeps of its probabilities only the logarithm of each row's sum, logSums.
type attentionLayer struct {
	base
	kernel    *attention.Attention
	width     int // channels of each of q, k and v
	sequences int
	logSums   buffer
}

func newAttentionLayer(b base, precision gemm.Precision) *attentionLayer {
	shape, _ := AttentionShape(b.node)
	shape.Precision = precision
	kernel := attention.New(shape)
	return &attentionLayer{base: b, kernel: kernel, width: b.node.Shape.C, sequences: b.node.Shape.H}
}

// split finds q, k and v in one buffer of the three, or in one of q and k and one of v.
func (l *attentionLayer) split(f *frame, first, second buffer) (q, k, v attention.Rows) {
	data, c := f.at(first), l.width
	if second == none {
		q = attention.Rows{Data: data, Stride: 3 * c}
		k = attention.Rows{Data: data[c:], Stride: 3 * c}
		return q, k, attention.Rows{Data: data[2*c:], Stride: 3 * c}
	}
	q = attention.Rows{Data: data, Stride: 2 * c}
	k = attention.Rows{Data: data[c:], Stride: 2 * c}
	return q, k, attention.Rows{Data: f.at(second), Stride: c}
}

func (l *attentionLayer) read(c *compiler) (first, second buffer) {
	first, second = c.read(l.in[0]), none
	if len(l.in) == 2 {
		second = c.read(l.in[1])
	}
	return first, second
}

// operands returns what the kernel reads and writes.
func (l *attentionLayer) operands(f *frame, first, second, out, logSums buffer) attention.Operands {
	at := attention.Operands{Out: attention.Rows{Data: f.at(out), Stride: l.width}, LSE: f.at(logSums)}
	at.Q, at.K, at.V = l.split(f, first, second)
	return at
}

func (l *attentionLayer) forward(c *compiler, out buffer) {
	first, second := l.read(c)
	l.logSums = c.newBuffer(l.sequences*l.node.Op.(graph.Attention).Heads*l.node.Shape.W, 0)
	logSums := l.logSums
	c.scratch(l.kernel.Workspace(c.threads))
	c.emit(l.label(Forward), []buffer{first, second}, []buffer{out, logSums}, func(f *frame) {
		l.kernel.Forward(f.pool, f.n*l.sequences, l.operands(f, first, second, out, logSums), f.ws)
	})
}

func (l *attentionLayer) backward(c *compiler, dy buffer) {
	first, second := l.read(c)
	out, logSums := c.read(l.out), l.logSums
	dFirst, dSecond := c.contribute(l.in[0], false, none), contribution{dst: none}
	if second != none {
		dSecond = c.contribute(l.in[1], false, none)
	}
	reads := []buffer{dy, out, logSums, first, second}
	c.emit(l.label(Gradient), reads, []buffer{dFirst.dst, dSecond.dst}, func(f *frame) {
		of := attention.Gradient{At: l.operands(f, first, second, out, logSums)}
		of.DQ, of.DK, of.DV = l.split(f, dFirst.dst, dSecond.dst)
		of.DOut = attention.Rows{Data: f.at(dy), Stride: l.width}
		l.kernel.Backward(f.pool, f.n*l.sequences, of, f.ws)
	})
	dFirst.done()
	if second != none {
		dSecond.done()
	}
}

// matMulLayer multiplies two values, matrix by matrix.
type matMulLayer struct {
	base
	product, gradA, gradB *attention.MatMul
}

func newMatMulLayer(b base, op graph.MatMul) *matMulLayer {
	a := b.node.Inputs[0].Shape
	m, k, n := b.node.Shape.W, a.C, b.node.Shape.C
	if op.TransposeA {
		k = a.W
	}
	scale := float32(op.Factor())
	ta, tb := op.TransposeA, op.TransposeB
	l := &matMulLayer{base: b}
	l.product = attention.NewMatMul(attention.MatMulShape{M: m, N: n, K: k, TransA: ta, TransB: tb, Scale: scale})
	// dA = dC·op(B)ᵀ and dB = op(A)ᵀ·dC, each transposed where its operand is stored so.
	if ta {
		l.gradA = attention.NewMatMul(attention.MatMulShape{M: k, N: m, K: n, TransA: tb, TransB: true, Scale: scale})
	} else {
		l.gradA = attention.NewMatMul(attention.MatMulShape{M: m, N: k, K: n, TransB: !tb, Scale: scale})
	}
	if tb {
		l.gradB = attention.NewMatMul(attention.MatMulShape{M: n, N: k, K: m, TransA: true, TransB: ta, Scale: scale})
	} else {
		l.gradB = attention.NewMatMul(attention.MatMulShape{M: k, N: n, K: m, TransA: !ta, Scale: scale})
	}
	return l
}

func (l *matMulLayer) forward(c *compiler, out buffer) {
	a, b := c.read(l.in[0]), c.read(l.in[1])
	for _, kernel := range []*attention.MatMul{l.product, l.gradA, l.gradB} {
		c.scratch(kernel.Workspace(c.threads))
	}
	multiply(c, l.label(Forward), l.product, l.node.Shape.H, out, a, b)
}

func multiply(c *compiler, name label, kernel *attention.MatMul, matrices int, out, a, b buffer) {
	c.emit(name, []buffer{a, b}, []buffer{out}, func(f *frame) {
		kernel.Run(f.pool, f.n*matrices, f.at(out), f.at(a), f.at(b), false, f.ws)
	})
}

func (l *matMulLayer) backward(c *compiler, dy buffer) {
	a, b := c.read(l.in[0]), c.read(l.in[1])
	op, matrices := l.node.Op.(graph.MatMul), l.node.Shape.H
	if k := c.contribute(l.in[0], false, none); k.dst != none {
		left, right := dy, b
		if op.TransposeA {
			left, right = b, dy
		}
		multiply(c, l.label(FirstGradient), l.gradA, matrices, k.dst, left, right)
		k.done()
	}
	if k := c.contribute(l.in[1], false, none); k.dst != none {
		left, right := a, dy
		if op.TransposeB {
			left, right = dy, a
		}
		multiply(c, l.label(SecondGradient), l.gradB, matrices, k.dst, left, right)
		k.done()
	}
}

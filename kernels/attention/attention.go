// Package attention answers how tokens look at each other: multi-head [Attention] in one kernel, and the parts that
// models put together by themselves: [Softmax] over rows, and products of small matrices, [MatMul].
//
// The products are gemm's, of one head or one pair of matrices a time.
package attention

import (
	"math"
	"slices"

	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Rows is a matrix of tokens: element d of head h in row r is Data[r*Stride + h*HeadDim + d].
type Rows struct {
	Data   []float32
	Stride int
}

// Shape is multi-head attention within one sequence.
type Shape struct {
	Tokens, Heads, HeadDim int
	Scale                  float32
	Precision              gemm.Precision // of the products; softmax stays float32
}

// Operands are what a call of [Attention] reads and writes: Out = softmax(Scale·QKᵀ)·V for every sequence and head.
type Operands struct {
	Q, K, V, Out Rows
	LSE          []float32 // [sequences, Heads, Tokens], the logarithm of the sum of exp of each row of scores
}

// Gradient is what the backward pass of [Attention] computes, DQ, DK and DV, and what it needs for that: the gradient
// of the output, and the operands as Forward left them.
type Gradient struct {
	DQ, DK, DV, DOut Rows
	At               Operands
}

// Attention computes softmax(Scale·QKᵀ)·V for every sequence and head. The probabilities are not kept: the backward
// pass computes them again from the logarithm of each row's sum, as FlashAttention does (Dao et al. 2022, section 3.1).
type Attention struct {
	s     Shape
	pairs bool // multiply pairs of bf16

	of        Gradient  // of the call in flight; a forward pass has nothing but At
	ws        []float32 // perWorker floats for each
	perWorker int
	heads     int // sequences × Heads
}

// New returns attention of the given shape.
func New(s Shape) *Attention {
	return &Attention{s: s, pairs: s.Precision == gemm.BF16}
}

// Workspace returns how many floats of scratch the calls need on a pool of the given threads.
func (a *Attention) Workspace(threads int) int { return threads * a.workerSize() }

// headScratch is what a head needs besides its operands.
type headScratch struct {
	scores, slopes []float32 // [tokens, row]
	packed, edge   []float32 // one operand in panels, and the edge of another
	rounded        []float32 // an operand in pairs
}

func (a *Attention) takeScratch(space *mem.Scratch) headScratch {
	tokens, dim := a.s.Tokens, a.s.HeadDim
	return headScratch{
		scores: space.Take(tokens * mem.PaddedRow(tokens)), slopes: space.Take(tokens * mem.PaddedRow(tokens)),
		packed:  space.Take(max(gemm.PanelSize(tokens, dim), gemm.PanelSize(dim, tokens))),
		edge:    space.Take(gemm.EdgeSize(max(tokens, dim))),
		rounded: space.Take(a.roundedSize()),
	}
}

func (a *Attention) workerSize() int {
	space := mem.CountingScratch()
	a.takeScratch(&space)
	return space.Size()
}

// headsPerTask keeps tasks at a size where starting one costs little.
func (a *Attention) headsPerTask() int {
	const work = 1 << 17 // multiply-adds
	return max(1, work/(a.s.Tokens*a.s.Tokens*a.s.HeadDim))
}

// Forward computes at.Out and at.LSE from the rest of at.
func (a *Attention) Forward(p *parallel.Pool, sequences int, at Operands, ws []float32) {
	a.start("attention.Attention.Forward", sequences, Gradient{At: at}, ws)
	p.Run(mem.CeilDiv(a.heads, a.headsPerTask()), (*attentionForward)(a))
}

// Backward computes of.DQ, of.DK and of.DV from the rest of of.
func (a *Attention) Backward(p *parallel.Pool, sequences int, of Gradient, ws []float32) {
	const kernel = "attention.Attention.Backward"
	a.checkRows(kernel, "dq", sequences, of.DQ)
	a.checkRows(kernel, "dk", sequences, of.DK)
	a.checkRows(kernel, "dv", sequences, of.DV)
	a.checkRows(kernel, "dout", sequences, of.DOut)
	a.start(kernel, sequences, of, ws)
	p.Run(mem.CeilDiv(a.heads, a.headsPerTask()), (*attentionBackward)(a))
}

// start checks the lengths of the operands, and keeps what a call works on.
func (a *Attention) start(kernel string, sequences int, of Gradient, ws []float32) {
	a.checkRows(kernel, "q", sequences, of.At.Q)
	a.checkRows(kernel, "k", sequences, of.At.K)
	a.checkRows(kernel, "v", sequences, of.At.V)
	a.checkRows(kernel, "out", sequences, of.At.Out)
	a.of, a.heads, a.ws, a.perWorker = of, sequences*a.s.Heads, ws, a.workerSize()
	mem.CheckLen(kernel, "lse", of.At.LSE, a.heads*a.s.Tokens)
}

func (a *Attention) checkRows(kernel, name string, sequences int, m Rows) {
	if rows := sequences * a.s.Tokens; rows > 0 {
		mem.CheckLen(kernel, name, m.Data, (rows-1)*m.Stride+a.s.Heads*a.s.HeadDim)
	}
}

// head returns the rows of one head of one sequence, from their first element.
func (a *Attention) head(m Rows, head int) []float32 {
	return m.Data[head/a.s.Heads*a.s.Tokens*m.Stride+head%a.s.Heads*a.s.HeadDim:]
}

type attentionForward Attention

func (j *attentionForward) Do(task, worker int) {
	a := (*Attention)(j)
	for head := task * a.headsPerTask(); head < min((task+1)*a.headsPerTask(), a.heads); head++ {
		w := a.worker(worker, head)
		w.forward()
	}
}

type attentionBackward Attention

func (j *attentionBackward) Do(task, worker int) {
	a := (*Attention)(j)
	for head := task * a.headsPerTask(); head < min((task+1)*a.headsPerTask(), a.heads); head++ {
		w := a.worker(worker, head)
		w.backward()
	}
}

// attentionHead is the work on one head of one sequence.
type attentionHead struct {
	*Attention
	headScratch
	head int
	row  int // of scores and slopes
	lse  []float32
}

func (a *Attention) worker(worker, head int) attentionHead {
	tokens := a.s.Tokens
	space := mem.NewScratch(a.ws[worker*a.perWorker:][:a.perWorker])
	return attentionHead{
		Attention: a, headScratch: a.takeScratch(&space),
		head: head, row: mem.PaddedRow(tokens), lse: a.of.At.LSE[head*tokens:][:tokens],
	}
}

// byRows computes c [tokens,tokens] = left · rightᵀ, for two matrices of tokens.
func (h *attentionHead) byRows(c []float32, left, right Rows) {
	if h.pairs {
		h.byRowsOfPairs(c, left, right)
		return
	}
	tokens, dim := h.s.Tokens, h.s.HeadDim
	gemm.PackTransposed(h.packed, h.Attention.head(right, h.head), right.Stride, dim, tokens)
	p := gemm.SmallProduct(tokens, tokens, dim, h.packed)
	p.Left = gemm.RowsOf(h.Attention.head(left, h.head), left.Stride).WithEdge(h.edge)
	p.C = gemm.View{Data: c, Row: h.row}
	p.Run()
}

// byTokens computes c = weights · right, or weightsᵀ · right, for weights [tokens,tokens].
func (h *attentionHead) byTokens(c Rows, weights []float32, transposed bool, right Rows) {
	if h.pairs {
		h.byPairsOfTokens(c, weights, transposed, right)
		return
	}
	tokens, dim := h.s.Tokens, h.s.HeadDim
	gemm.Pack(h.packed, h.Attention.head(right, h.head), right.Stride, tokens, dim)
	p := gemm.SmallProduct(tokens, dim, tokens, h.packed)
	if p.C = (gemm.View{Data: h.Attention.head(c, h.head), Row: c.Stride}); transposed {
		p.Left = gemm.ColumnsOf(weights, h.row).WithEdge(h.edge)
	} else {
		p.Left = gemm.RowsOf(weights, h.row).WithEdge(h.edge)
	}
	p.Run()
}

func (h *attentionHead) forward() {
	h.byRows(h.scores, h.of.At.Q, h.of.At.K)
	for i := range h.lse {
		row := h.scores[i*h.row:][:h.s.Tokens]
		shift := h.shift(row)
		sum := expRow(row, row, h.s.Scale, shift)
		vec.Scale(row, row, 1/sum)
		h.lse[i] = shift + float32(math.Log(float64(sum)))
	}
	h.byTokens(h.of.At.Out, h.scores, false, h.of.At.V)
}

// shift returns the largest of Scale times the scores.
func (h *attentionHead) shift(scores []float32) float32 {
	if h.s.Scale >= 0 {
		return h.s.Scale * maxRow(scores)
	}
	return h.s.Scale * slices.Min(scores)
}

func (h *attentionHead) backward() {
	tokens, dim := h.s.Tokens, h.s.HeadDim
	h.byRows(h.scores, h.of.At.Q, h.of.At.K)
	h.byRows(h.slopes, h.of.DOut, h.of.At.V)
	outRow, doutRow := h.of.At.Out.Stride, h.of.DOut.Stride
	out, dout := h.Attention.head(h.of.At.Out, h.head), h.Attention.head(h.of.DOut, h.head)
	for i, lse := range h.lse {
		p, slope := h.scores[i*h.row:][:tokens], h.slopes[i*h.row:][:tokens]
		expRow(p, p, h.s.Scale, lse)
		// Σ_j p[j]·∂p[j] is the inner product of the output and its gradient.
		delta := dot(out[i*outRow:][:dim], dout[i*doutRow:][:dim])
		softmaxSlopeRow(slope, p, delta, h.s.Scale)
	}
	h.byTokens(h.of.DV, h.scores, true, h.of.DOut)
	h.byTokens(h.of.DQ, h.slopes, false, h.of.At.K)
	h.byTokens(h.of.DK, h.slopes, true, h.of.At.Q)
}

// dot returns the inner product, summed in float64.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return float32(sum)
}

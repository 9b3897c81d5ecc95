package norm

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// The backward pass of convolutions between batch norms goes through memory once for each tensor. From the end of a
// network to its beginning, with N a batch norm, C the convolution that made N's input, and D the convolution that
// reads N's output:
//
//  1. D.BackwardDataSums, or D.BackwardJoint, computes the gradient of N's output block by block. While a block is in
//     the caches, GradientSums turns it into g, the gradient through N's activation, and takes its sums.
//  2. N.SettleSummed adds up the sums, sets the gradients of gamma and beta, and returns the GradientRows of N's input.
//  3. C.BackwardJoint reads its output's gradient through these rows, and does 1. for the batch norm before C.
//
// Where C has no joint backward pass, N.BackwardSummed does 2. and writes the gradient of its input.

// GradientSums takes sums of a gradient where it is made, block of rows by block of rows, while it is in the caches: g,
// as in [BatchNorm.Backward], takes the place of dy, and its sums over each block lie in a place of their own.
type GradientSums struct {
	rowOperands
	g        []float32 // [rows, c]
	sums     []float32 // [blocks, 2, c]
	perBlock int       // rows, for All
}

// SumsGradient reports whether there are such sums: the activation's gradient is one kernel with its sums.
func (b *BatchNorm) SumsGradient(residual bool) bool {
	return b.form.Clamps || !residual && hasNormCurve(b.form.Act)
}

// GradientSumsSize returns how many floats the sums of some blocks take.
func (b *BatchNorm) GradientSumsSize(blocks int) int { return 2 * blocks * b.c }

// GradientSums returns what turns the gradient of a batch norm's output, [rows, C], into g and takes its sums. It
// panics unless SumsGradient reports true.
func (b *BatchNorm) GradientSums(rows int, g []float32, at Operands, sums []float32) GradientSums {
	const kernel = "norm.BatchNorm.GradientSums"
	if !b.SumsGradient(at.Add != nil) {
		panic(kernel + ": no kernel computes the gradient with its sums")
	}
	mem.CheckLen(kernel, "g", g, rows*b.c)
	return GradientSums{rowOperands: b.operands(kernel, rows, at), g: g, sums: sums}
}

// Block turns rows of dy, the gradient, into rows of g, and sums them. The first of them is row first of the whole.
func (s *GradientSums) Block(index, first int, dy []float32) {
	sums := s.sums[2*index*s.c:][:2*s.c]
	clear(sums)
	rows, at, end := len(dy)/s.c, first*s.c, first*s.c+len(dy)
	g := s.g[at:end]
	stream := &g[0] != &dy[0] && mem.Streams(s.g, s.rows, s.c)
	if s.parts == nil {
		s.sumColumns(sums, g, dy, s.x[at:end], s.addOf(at, end), 0, rows, stream)
	} else {
		stream = stream && s.streamsParts()
		s.eachPart(first, rows, func(_, at int, x []float32) {
			s.sumColumns(sums, g[at:], dy[at:], x, nil, at, rows, stream)
		})
	}
	if stream {
		mem.Fence()
	}
}

// sumColumns is Block for the channels of x, which begin with channel first; so do dy and g.
func (s *GradientSums) sumColumns(sums, g, dy, x, add []float32, first, rows int, stream bool) {
	last := first + len(x)/rows
	sumG, sumGX := sums[first:last], sums[s.c+first:s.c+last]
	mean, scale, beta := s.Mean[first:last], s.Scale[first:last], s.Beta[first:last]
	switch {
	case s.Act == act.None:
		batchNormGradSums(sumG, sumGX, g, x, mean, rows, s.c)
	case s.Clamps:
		batchNormClampGradSums(g, sumG, sumGX, dy, x, add, mean, scale, beta, rows, s.c, s.Lo, s.Hi, stream)
	default:
		batchNormCurveGradSums(s.Act, g, sumG, sumGX, dy, x, mean, scale, beta, rows, stream)
	}
}

// Aside reports whether a block of dy should be made in a buffer, not in g's place. There it stays in the caches until
// Block sums it, which then stores g past the caches.
func (s *GradientSums) Aside() bool { return s.Act != act.None && mem.Streams(s.g, s.rows, s.c) }

// Ahead returns what Block will read besides dy: rows of x or, where x is in parts, of the first part, which is the
// largest one in a chain of concatenations.
func (s *GradientSums) Ahead(row, rows int) []float32 {
	x, c := s.X(), s.c
	if s.parts != nil {
		c = s.parts[0].Channels
	}
	return x[row*c : (row+rows)*c]
}

// X returns all rows of x or, where x is in parts, of the first part.
func (s *GradientSums) X() []float32 {
	if s.parts != nil {
		return s.parts[0].X
	}
	return s.x
}

// All takes the sums of a gradient that is complete, in blocks of perBlock rows. The gradient lies where g goes.
func (s *GradientSums) All(p *parallel.Pool, perBlock int) {
	s.perBlock = perBlock
	p.Run(mem.CeilDiv(s.rows, perBlock), (*sumBlocks)(s))
}

type sumBlocks GradientSums

func (k *sumBlocks) Do(block, _ int) {
	first := block * k.perBlock
	(*GradientSums)(k).Block(block, first, k.g[first*k.c:min(first+k.perBlock, k.rows)*k.c])
}

// GradientRows is the gradient of a batch norm's input, as [BatchNorm.SettleSummed] and [BatchNorm.SettleGated] leave
// it to those who read it:
//
//	dx[r,c] = Scale[c]*G[r,c] + (Slope[c]*(X[r,c]-Mean[c]) + Offset[c])
type GradientRows struct {
	G, X          []float32 // [rows, C]
	Mean, Scale   []float32 // [C]
	Slope, Offset []float32 // [C]
}

// Rows computes rows of dx, which lie row floats apart, from row first on.
func (k *GradientRows) Rows(dx []float32, row, first, rows int) {
	c := len(k.Mean)
	at := first * c
	batchNormGradRows(dx, k.G[at:], k.X[at:], nil, k.Mean, k.Scale, k.Slope, k.Offset, rows, row, c, false)
}

// Channels computes len(dx) channels of one row, from the given channel on.
func (k *GradientRows) Channels(dx []float32, row, first int) {
	c, last := len(dx), first+len(dx)
	at := row*len(k.Mean) + first
	batchNormGradRows(dx, k.G[at:], k.X[at:], nil, k.Mean[first:last], k.Scale[first:last], k.Slope[first:last],
		k.Offset[first:last], 1, c, c, false)
}

// gradientRows returns the rows of the input's gradient, once slope and offset are set. x must not be in parts.
func (b *BatchNorm) gradientRows(at *rowOperands, g []float32) GradientRows {
	return GradientRows{G: g, X: at.x, Mean: at.Mean, Scale: at.Scale, Slope: b.slope, Offset: b.offset}
}

// BackwardSummed is the rest of Backward, where a convolution has turned dy into g = of.DY and taken the sums of its
// blocks, see conv.Conv.BackwardDataSums. With a residual, g is the residual's gradient. For dx, g and add, [rows,
// C],
//
//	dx[r,c] = gamma[c]*invstd[c] * (g[r,c] - Σg/rows - x̂[r,c] * Σg·x̂/rows) (+ add[r,c])
//
// A nil add is absent. dx may be g or add.
func (b *BatchNorm) BackwardSummed(
	p *parallel.Pool, rows int, dx, add []float32, of BatchNormGradient, blocks int, sums []float32,
) {
	mem.CheckLen("norm.BatchNorm.BackwardSummed", "dx", dx, rows*b.c)
	b.runRows(p, rows, dx, add, b.SettleSummed(p, rows, of, blocks, sums))
}

// SettleSummed is BackwardSummed without dx, which the convolution that made of.At.X computes where it reads it: see
// conv.Conv.BackwardJoint.
func (b *BatchNorm) SettleSummed(
	p *parallel.Pool, rows int, of BatchNormGradient, blocks int, sums []float32,
) GradientRows {
	at := b.settleSums(p, "norm.BatchNorm.SettleSummed", rows, of, blocks, sums)
	return b.gradientRows(&at, of.DY)
}

// settleSums sets what follows from the sums of g.
func (b *BatchNorm) settleSums(
	p *parallel.Pool, kernel string, rows int, of BatchNormGradient, blocks int, sums []float32,
) rowOperands {
	of.check(kernel, rows, b.c)
	mem.CheckLen(kernel, "sums", sums, b.GradientSumsSize(blocks))
	at := b.operands(kernel, rows, of.At)
	to := b.channelGradient(rows, of)
	b.settlement = settlement{channelGradient: to, sums: sums, blocks: blocks, totals: b.totals}
	p.Run(mem.CeilDiv(b.c, channelsPerTask), (*settleBlocks)(&b.settlement))
	return at
}

// rowsGradient holds the arguments of the pass that computes dx from g.
type rowsGradient struct {
	GradientRows
	dx, add []float32 // [rows, c]; a nil add is absent
	rows    int
	perTask int
	stream  bool // store dx past the caches
}

// runRows computes dx from its rows, and adds to it.
func (b *BatchNorm) runRows(p *parallel.Pool, rows int, dx, add []float32, from GradientRows) {
	k := &b.rowsGradient
	*k = rowsGradient{GradientRows: from, dx: dx, add: add, rows: rows, perTask: parallel.RowsPerTask(b.c)}
	k.stream = &dx[0] != &from.G[0] && (add == nil || &add[0] != &dx[0]) && mem.Streams(dx, rows, b.c)
	p.Run(mem.CeilDiv(rows, k.perTask), (*computeRows)(k))
}

type computeRows rowsGradient

func (k *computeRows) Do(task, _ int) {
	c := len(k.Mean)
	first, last := task*k.perTask, min((task+1)*k.perTask, k.rows)
	at, end := first*c, last*c
	var add []float32
	if k.add != nil {
		add = k.add[at:end]
	}
	batchNormGradRows(k.dx[at:end], k.G[at:end], k.X[at:end], add, k.Mean, k.Scale, k.Slope, k.Offset, last-first, c, c,
		k.stream)
	if k.stream {
		mem.Fence()
	}
}

package norm

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// BatchNormGradient holds what all backward methods of a [BatchNorm] take: the gradient dy of its output, what it was
// applied to, and where the gradients of gamma and beta go.
type BatchNormGradient struct {
	DY            []float32 // [rows, C]; g for the methods that take sums of it
	At            Operands
	Fixed         bool      // At's Mean and InvStd are constants, as in evaluation mode
	DGamma, DBeta []float32 // [C], the results
	Accumulate    bool      // add to DGamma and DBeta what they hold
}

func (g *BatchNormGradient) check(kernel string, rows, c int) {
	mem.CheckLen(kernel, "dy", g.DY, rows*c)
	mem.CheckLen(kernel, "dgamma", g.DGamma, c)
	mem.CheckLen(kernel, "dbeta", g.DBeta, c)
}

// summation holds the arguments of the sums over dy.
type summation struct {
	rowOperands
	sums      rowSums
	dy, g     []float32 // [rows, c]; g is kept between the passes over dy
	gated     Gated     // what dy lacks, for SettleGated
	cacheRows int
}

// Backward computes the gradient through Apply and, as mean and invstd come from x, through Stats. With z the argument
// of act, g[r,c] = dy[r,c]*act'(z[r,c]) and x̂[r,c] = (x[r,c]-mean[c])*invstd[c]:
//
//	dgamma[c] = Σ_r g[r,c] * x̂[r,c]   (added to dgamma if of.Accumulate)
//	dbeta[c]  = Σ_r g[r,c]            (added to dbeta if of.Accumulate)
//	dadd[r,c] = g[r,c]
//	dx[r,c]   = gamma[c]*invstd[c] * (g[r,c] - Σg/rows - x̂[r,c] * Σg·x̂/rows)
//
// With of.Fixed, mean and invstd are constants:
//
//	dx[r,c] = gamma[c]*invstd[c] * g[r,c]
//
// dadd is nil exactly when of.At.Add is. dx and dadd may be of.DY, if they are not both.
func (b *BatchNorm) Backward(p *parallel.Pool, rows int, dx, dadd []float32, of BatchNormGradient, ws []float32) {
	const kernel = "norm.BatchNorm.Backward"
	mem.CheckLen(kernel, "dx", dx, rows*b.c)
	of.check(kernel, rows, b.c)
	at := b.operands(kernel, rows, of.At)
	g := dx
	switch {
	case at.add != nil:
		mem.CheckLen(kernel, "dadd", dadd, rows*b.c)
		g = dadd
	case at.Act == act.None:
		g = of.DY
	}
	b.takeSums(p, kernel, (*sumGradient)(&b.summation), summation{rowOperands: at, dy: of.DY, g: g}, of, ws)

	f := &b.inputGradient
	*f = inputGradient{rowOperands: at, slope: b.slope, offset: b.offset, dx: dx, g: g, fixed: of.Fixed,
		perTask: parallel.PartialRows(rows)}
	if f.recomputes = at.Clamps && at.Act != act.None && at.add == nil; f.recomputes {
		f.g = of.DY
	} else {
		f.stream = &dx[0] != &g[0] && mem.Streams(dx, rows, b.c)
	}
	p.Run(mem.CeilDiv(rows, f.perTask), (*computeInput)(f))
}

// takeSums takes the sums of a gradient by the given job on b.summation, and settles them.
func (b *BatchNorm) takeSums(
	p *parallel.Pool, kernel string, job parallel.Job, s summation, of BatchNormGradient, ws []float32,
) {
	mem.CheckLen(kernel, "ws", ws, b.Workspace(s.rows, p.Threads()))
	s.sums, s.cacheRows = b.rowSums(s.rows), b.cacheRows
	s.sums.use(ws)
	b.summation = s
	p.Run(s.sums.tasks, job)
	b.settlement = settlement{channelGradient: b.channelGradient(s.rows, of), rows: s.sums}
	p.Run(mem.CeilDiv(b.c, channelsPerTask), (*settleTasks)(&b.settlement))
}

type sumGradient summation

func (k *sumGradient) Do(task, worker int) {
	s := (*summation)(k)
	first, last, gs, gxs := s.sums.task(task)
	space := s.sums.worker(worker)
	sumG, sumGX, z := space.one, space.other, space.spare
	for ; first < last; first += gradientBlockRows {
		clear(sumG)
		clear(sumGX)
		s.sumRows(sumG, sumGX, z, first, min(gradientBlockRows, last-first))
		vec.AddFloat64(gs, sumG)
		vec.AddFloat64(gxs, sumGX)
	}
}

// sumRows adds up the gradient of some rows, and keeps it unless it is a clamp's, which is computed again.
func (s *summation) sumRows(sumG, sumGX, z []float32, first, rows int) {
	at, end := first*s.c, (first+rows)*s.c
	dy, x, g, add := s.dy[at:end], s.x[at:end], s.g[at:end], s.addOf(at, end)
	switch {
	case s.Act == act.None:
		if add != nil {
			copy(g, dy)
		}
		batchNormGradSums(sumG, sumGX, dy, x, s.Mean, rows, s.c)
	case s.Clamps:
		if add == nil {
			g = nil
		}
		batchNormClampGradSums(g, sumG, sumGX, dy, x, add, s.Mean, s.Scale, s.Beta, rows, s.c, s.Lo, s.Hi, false)
	case s.fused():
		batchNormCurveGradSums(s.Act, g, sumG, sumGX, dy, x, s.Mean, s.Scale, s.Beta, rows, false)
	default:
		for step := s.cacheRows * s.c; at < end; at += step {
			step = min(step, end-at)
			g, x, z, n := s.g[at:at+step], s.x[at:at+step], z[:step], step/s.c
			batchNormRows(z, x, s.addOf(at, at+step), s.Mean, s.Scale, s.Beta, n, s.c, s.Lo, s.Hi, false)
			act.Backward(s.Act, g, s.dy[at:at+step], z)
			batchNormGradSums(sumG, sumGX, g, x, s.Mean, n, s.c)
		}
	}
}

// channelGradient sets the gradients of gamma and beta, and what dx is made of.
type channelGradient struct {
	n                 int // rows
	invstd, gamma     []float32
	dgamma, dbeta     []float32
	slope, offset     []float32 // as in GradientRows
	fixed, accumulate bool
}

func (b *BatchNorm) channelGradient(rows int, of BatchNormGradient) channelGradient {
	return channelGradient{
		n: rows, invstd: of.At.InvStd, gamma: of.At.Gamma, dgamma: of.DGamma, dbeta: of.DBeta,
		slope: b.slope, offset: b.offset, fixed: of.Fixed, accumulate: of.Accumulate,
	}
}

// set sets the gradients of channels, from the given one on, from the sums of g and of g·(x-mean) over all rows.
func (k *channelGradient) set(first int, sumG, sumGX []float64) {
	for i := first; i < first+len(sumG); i++ {
		invstd := float64(k.invstd[i])
		dgamma, dbeta := sumGX[i-first]*invstd, sumG[i-first]
		gain := float64(k.gamma[i]) * invstd / float64(k.n)
		k.slope[i] = float32(-gain * dgamma * invstd)
		k.offset[i] = float32(-gain * dbeta)
		if k.fixed {
			k.slope[i], k.offset[i] = 0, 0
		}
		if k.accumulate {
			dgamma += float64(k.dgamma[i])
			dbeta += float64(k.dbeta[i])
		}
		k.dgamma[i], k.dbeta[i] = float32(dgamma), float32(dbeta)
	}
}

// settlement holds the sums of g, by task of a reduction over rows or by block, and what is set from them.
type settlement struct {
	channelGradient
	rows rowSums

	sums   []float32 // [blocks, 2, c], in place of those
	blocks int
	totals []float64
}

type settleTasks settlement

func (k *settleTasks) Do(task, _ int) {
	first, last := task*channelsPerTask, min((task+1)*channelsPerTask, k.rows.c)
	var sumG, sumGX [channelsPerTask]float64
	for t := range k.rows.tasks {
		gs, gxs := k.rows.partial(t, first, last)
		for j, v := range gs {
			sumG[j] += v
			sumGX[j] += gxs[j]
		}
	}
	k.set(first, sumG[:last-first], sumGX[:last-first])
}

type settleBlocks settlement

func (k *settleBlocks) Do(task, _ int) {
	c := len(k.slope)
	first, last := task*channelsPerTask, min((task+1)*channelsPerTask, c)
	sumG, sumGX := addBlocks(k.totals, k.sums, k.blocks, c, first, last)
	k.set(first, sumG, sumGX)
}

// inputGradient holds the arguments of the pass that computes dx in Backward.
type inputGradient struct {
	rowOperands
	slope, offset []float32 // [c], as in GradientRows
	dx, g         []float32 // [rows, c]
	fixed         bool
	recomputes    bool // g is dy: the clamp's gradient is computed again
	perTask       int
	stream        bool // store dx past the caches
}

type computeInput inputGradient

func (k *computeInput) Do(task, _ int) {
	first, last := task*k.perTask, min((task+1)*k.perTask, k.rows)
	at, end, rows := first*k.c, last*k.c, last-first
	dx, g, x := k.dx[at:end], k.g[at:end], k.x[at:end]
	switch {
	case k.recomputes:
		batchNormClampGradRows(dx, g, x, k.Mean, k.Scale, k.Beta, k.slope, k.offset, rows, k.Lo, k.Hi)
	case k.fixed:
		vec.ScaleRows(dx, g, k.Scale, rows, k.stream)
	default:
		batchNormGradRows(dx, g, x, nil, k.Mean, k.Scale, k.slope, k.offset, rows, k.c, k.c, k.stream)
	}
	if k.stream {
		mem.Fence()
	}
}

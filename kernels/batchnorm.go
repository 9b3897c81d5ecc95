package kernels

import "math"

// BatchNorm normalises every channel over batch and positions (Ioffe and Szegedy, "Batch Normalization", ICML 2015),
// optionally adds a residual, and applies an activation:
//
//	y[r,c] = act((x[r,c] - mean[c]) * invstd[c] * gamma[c] + beta[c] (+ add[r,c]))
//
// A row is one position of one sample. The backward pass recomputes the argument of act from x, so that only x has to be
// kept.
type BatchNorm struct {
	c             int
	eps, momentum float32
	act           Act
	lo, hi        float32 // bounds of act if it is a clamp, else none
	clamps        bool

	rows, perTask, tasks int
	y, x, add            []float32
	means                []float32 // of y, by sample
	dx, dadd, dy         []float32
	mean, invstd         []float32
	gamma, beta          []float32
	dgamma, dbeta        []float32
	runMean, runVar      []float32
	variance             []float32  // for Moments, else nil
	scale                []float32  // gamma·invstd
	slope, offset        []float32  // per channel: dx = scale·g + slope·(x-mean) + offset
	parts                []Part     // that x is made of; nil where it is one
	gradients            []Gradient // of the parts
	slots                []float64  // two partial sums for each channel, by task
	blocks               []float32  // likewise, by block of rows
	totals               []float64  // sums over blocks of rows
	workers              []float32  // scratch by worker
	perWorker            int
	accumulate, fixed    bool
	gated                Gated
	summed               outputSums // that are settled
	cacheRows            int        // rows that stay in the first-level cache from one step to the next
}

// cacheFloats is how many values of each operand are done at once where there are several steps.
const cacheFloats = 1 << 11

// NewBatchNorm returns the kernel for c channels. Momentum is PyTorch's: the weight of the new value in the running
// statistics.
func NewBatchNorm(c int, eps, momentum float32, act Act) *BatchNorm {
	b := &BatchNorm{c: c, eps: eps, momentum: momentum, act: act, totals: make([]float64, 2*c)}
	b.scale, b.slope, b.offset = make([]float32, c), make([]float32, c), make([]float32, c)
	b.lo, b.hi, b.clamps = act.clampBounds()
	if !b.clamps {
		b.lo, b.hi, _ = ActNone.clampBounds()
	}
	b.cacheRows = min(max(1, cacheFloats/c), blockRows)
	b.perWorker = 3*c + b.cacheRows*c
	return b
}

// Workspace returns the scratch, in floats, that Stats and the backward methods need.
func (b *BatchNorm) Workspace(rows, threads int) int {
	return float64Space(2*partials(rows)*b.c) + threads*b.perWorker
}

// Stats computes the statistics of a batch,
//
//	mean[c]   = Σ_r x[r,c] / rows
//	invstd[c] = 1 / sqrt(Σ_r (x[r,c]-mean[c])² / rows + eps)
//
// and moves the running ones, unless they are nil:
//
//	runMean[c] = (1-momentum)*runMean[c] + momentum*mean[c]
//	runVar[c]  = (1-momentum)*runVar[c]  + momentum*Σ_r (x[r,c]-mean[c])² / (rows-1)
//
// With a single row the last divisor is 1.
func (b *BatchNorm) Stats(p *Pool, rows int, x, mean, invstd, runMean, runVar, ws []float32) {
	checkLen("BatchNorm.Stats", "x", x, rows*b.c)
	checkLen("BatchNorm.Stats", "mean", mean, b.c)
	checkLen("BatchNorm.Stats", "invstd", invstd, b.c)
	if runMean != nil {
		checkLen("BatchNorm.Stats", "runMean", runMean, b.c)
		checkLen("BatchNorm.Stats", "runVar", runVar, b.c)
	}
	b.x, b.mean, b.invstd, b.runMean, b.runVar = x, mean, invstd, runMean, runVar
	b.runStats(p, rows, ws)
}

func (b *BatchNorm) runStats(p *Pool, rows int, ws []float32) {
	b.reduce(p, "BatchNorm.Stats", rows, ws)
	p.Run(b.tasks, (*batchNormStats)(b))
	p.Run(ceilDiv(b.c, finishBlocks), (*batchNormStatsFinish)(b))
}

// Running fills mean and invstd from the running statistics, for evaluation.
func (b *BatchNorm) Running(mean, invstd, runMean, runVar []float32) {
	for j := range b.c {
		mean[j] = runMean[j]
		invstd[j] = float32(1 / math.Sqrt(float64(runVar[j])+float64(b.eps)))
	}
}

// Apply computes, for every row r and channel c,
//
//	y[r,c] = act((x[r,c]-mean[c]) * (gamma[c]*invstd[c]) + beta[c] (+ add[r,c]))
//
// A nil add is absent. y may be x or add.
func (b *BatchNorm) Apply(p *Pool, rows int, y []float32, at Normalised) {
	checkLen("BatchNorm.Apply", "y", y, rows*b.c)
	b.load("BatchNorm.Apply", rows, at)
	b.y = y
	b.perTask = b.taskRows()
	p.Run(ceilDiv(rows, b.perTask), (*batchNormApply)(b))
}

// load keeps the arguments that Apply and the backward methods share.
func (b *BatchNorm) load(kernel string, rows int, at Normalised) {
	b.loadParts(kernel, rows, at)
	if at.Add != nil {
		checkLen(kernel, "add", at.Add, rows*b.c)
	}
	checkLen(kernel, "mean", at.Mean, b.c)
	checkLen(kernel, "invstd", at.InvStd, b.c)
	checkLen(kernel, "gamma", at.Gamma, b.c)
	checkLen(kernel, "beta", at.Beta, b.c)
	b.rows, b.x, b.add = rows, at.X, at.Add
	b.mean, b.invstd, b.gamma, b.beta = at.Mean[:b.c], at.InvStd[:b.c], at.Gamma[:b.c], at.Beta[:b.c]
	mul(b.scale, b.gamma, b.invstd)
}

// reduce lays out the workspace of a reduction over rows.
func (b *BatchNorm) reduce(p *Pool, kernel string, rows int, ws []float32) {
	checkLen(kernel, "ws", ws, b.Workspace(rows, p.Threads()))
	b.rows, b.perTask, b.tasks = rows, partialRows(rows), partials(rows)
	b.slots, b.workers = takeFloat64(ws, 2*b.tasks*b.c)
}

// slot returns the two partial sums of a task, cleared.
func (b *BatchNorm) slot(task int) (first, second []float64) {
	slot := b.slots[2*task*b.c : 2*(task+1)*b.c]
	clear(slot)
	return slot[:b.c], slot[b.c:]
}

// scratch returns the three channel vectors and the block of rows that belong to a worker.
func (b *BatchNorm) scratch(worker int) (first, second, third, block []float32) {
	s := b.workers[worker*b.perWorker : (worker+1)*b.perWorker]
	return s[:b.c], s[b.c : 2*b.c], s[2*b.c : 3*b.c], s[3*b.c:]
}

type batchNormStats BatchNorm

// Do leaves in its slot the task's mean and its sum of squared deviations from it. They are measured from the mean of
// the first few rows: a shift that comes from the data keeps the float32 sums small, whatever the channel's mean is.
func (k *batchNormStats) Do(task, worker int) {
	const shiftRows = 16
	b := (*BatchNorm)(k)
	sums, squares := b.slot(task)
	sum, square, shift, _ := b.scratch(worker)
	first, last := task*b.perTask, min((task+1)*b.perTask, b.rows)

	head := min(shiftRows, last-first)
	clear(shift)
	sumChannels(shift, b.x[first*b.c:(first+head)*b.c], head)
	scale(shift, shift, 1/float32(head))

	for from := first; from < last; from += blockRows {
		rows := min(blockRows, last-from)
		clear(sum)
		clear(square)
		batchNormSums(sum, square, b.x[from*b.c:(from+rows)*b.c], shift, rows)
		addFloat64(sums, sum)
		addFloat64(squares, square)
	}
	n := float64(last - first)
	for j, s := range sums {
		squares[j] -= s * s / n
		sums[j] = float64(shift[j]) + s/n
	}
}

type batchNormStatsFinish BatchNorm

// Do joins the tasks' means and squared deviations (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm
// for computing sample variances", 1979).
func (k *batchNormStatsFinish) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first, last := task*finishBlocks, min((task+1)*finishBlocks, b.c)
	var means, deviations [finishBlocks]float64 // joined so far
	n := 0.0
	for t := range b.tasks {
		m := float64(min(b.perTask, b.rows-t*b.perTask))
		share, weight := m/(n+m), n*m/(n+m)
		mean, squares := b.slots[2*t*b.c+first:2*t*b.c+last], b.slots[(2*t+1)*b.c+first:(2*t+1)*b.c+last]
		for j, v := range mean {
			delta := v - means[j]
			deviations[j] += squares[j] + delta*delta*weight
			means[j] += delta * share
		}
		n += m
	}
	for j := range last - first {
		b.settleChannel(first+j, means[j], deviations[j], n)
	}
}

// settleChannel sets the statistics of a channel from its mean and its sum of squared deviations from it over n rows.
func (b *BatchNorm) settleChannel(c int, mean, squares, n float64) {
	b.mean[c] = float32(mean)
	if b.variance != nil {
		b.variance[c] = float32(squares / n)
		return
	}
	b.invstd[c] = float32(1 / math.Sqrt(squares/n+float64(b.eps)))
	if b.runMean != nil {
		momentum, unbiased := float64(b.momentum), squares/max(n-1, 1)
		b.runMean[c] = float32((1-momentum)*float64(b.runMean[c]) + momentum*mean)
		b.runVar[c] = float32((1-momentum)*float64(b.runVar[c]) + momentum*unbiased)
	}
}

// settle is the end of Stats for a convolution that has summed its results.
func (b *BatchNorm) settle(p *Pool, rows int, from outputSums, mean, invstd, runMean, runVar []float32) {
	b.rows, b.summed = rows, from
	b.mean, b.invstd, b.runMean, b.runVar = mean, invstd, runMean, runVar
	p.Run(ceilDiv(b.c, finishBlocks), (*batchNormSettle)(b))
	b.summed = outputSums{}
}

type batchNormSettle BatchNorm

// Do adds up the blocks' sums.
func (k *batchNormSettle) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first, last := task*finishBlocks, min((task+1)*finishBlocks, b.c)
	from := &b.summed
	sums, squares := b.addBlocks(first, last, from.blocks, from.sums, from.row)
	n := float64(b.rows)
	for j, s := range sums {
		b.settleChannel(first+j, float64(from.shift[first+j])+s/n, squares[j]-s*s/n, n)
	}
}

// addBlocks adds the two sums of some channels over blocks, of which each has so many values, or more, of either.
func (b *BatchNorm) addBlocks(first, last, blocks int, sums []float32, row int) (one, other []float64) {
	one, other = b.totals[first:last], b.totals[b.c+first:b.c+last]
	clear(one)
	clear(other)
	for block := range blocks {
		slot := sums[2*block*row:]
		addFloat64(one, slot[first:last])
		addFloat64(other, slot[row+first:row+last])
	}
	return one, other
}

// fused tells whether normalisation and activation are one kernel.
func (b *BatchNorm) fused() bool { return b.clamps || b.add == nil && hasNormCurve(b.act) }

type batchNormApply BatchNorm

func (k *batchNormApply) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first := task * b.perTask
	stream := b.fused() && streamable(b.y, b.rows, b.c)
	b.apply(first, min(b.perTask, b.rows-first), stream)
	if stream {
		storeFence()
	}
}

// apply computes some rows of y, from the given one on.
func (b *BatchNorm) apply(first, rows int, stream bool) {
	if b.parts != nil {
		b.applyParts(first, rows, stream)
		return
	}
	step, fused, last := rows, b.fused(), first+rows
	if !fused {
		step = b.cacheRows
	}
	for ; first < last; first += step {
		rows := min(step, last-first)
		at, end := first*b.c, (first+rows)*b.c
		y := b.y[at:end]
		var add []float32
		if b.add != nil {
			add = b.add[at:end]
		}
		if fused && !b.clamps {
			batchNormCurveRows(b.act, y, b.x[at:end], b.mean, b.scale, b.beta, rows, stream)
			continue
		}
		batchNormRows(y, b.x[at:end], add, b.mean, b.scale, b.beta, rows, b.c, b.lo, b.hi, stream)
		if !b.clamps {
			activate(b.act, y, y)
		}
	}
}

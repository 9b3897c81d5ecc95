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
	dx, dadd, dy         []float32
	mean, invstd         []float32
	gamma, beta          []float32
	dgamma, dbeta        []float32
	runMean, runVar      []float32
	scale, slope, offset []float32 // per channel: dx = scale·g + slope·(x-mean) + offset
	slots                []float64 // two partial sums for each channel, by task
	workers              []float32 // scratch by worker
	perWorker            int
	accumulate, fixed    bool
	blockRows            int // rows whose gradient before the activation fits the scratch
}

// NewBatchNorm returns the kernel for c channels. Momentum is PyTorch's: the weight of the new value in the running
// statistics.
func NewBatchNorm(c int, eps, momentum float32, act Act) *BatchNorm {
	b := &BatchNorm{c: c, eps: eps, momentum: momentum, act: act}
	b.lo, b.hi, b.clamps = act.clampBounds()
	if !b.clamps {
		b.lo, b.hi, _ = ActNone.clampBounds()
	}
	b.blockRows = min(max(taskFloats/c, 32), blockRows)
	b.perWorker = 3*c + b.blockRows*c
	return b
}

// Workspace returns the scratch, in floats, that Stats and the backward methods need.
func (b *BatchNorm) Workspace(rows, threads int) int {
	return float64Space(2*partials(rows)*b.c) + 3*b.c + threads*b.perWorker
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
func (b *BatchNorm) Apply(p *Pool, rows int, y, x, add, mean, invstd, gamma, beta []float32) {
	checkLen("BatchNorm.Apply", "y", y, rows*b.c)
	b.load("BatchNorm.Apply", rows, x, add, mean, invstd, gamma, beta)
	b.y = y
	b.perTask = rowsPerTask(b.c)
	p.Run(ceilDiv(rows, b.perTask), (*batchNormApply)(b))
}

// Backward computes the gradient through Apply and, as mean and invstd come from x, through Stats. With z the argument of
// act, g[r,c] = dy[r,c]*act'(z[r,c]) and x̂[r,c] = (x[r,c]-mean[c])*invstd[c]:
//
//	dgamma[c] = Σ_r g[r,c] * x̂[r,c]   (added to dgamma if accumulate)
//	dbeta[c]  = Σ_r g[r,c]            (added to dbeta if accumulate)
//	dadd[r,c] = g[r,c]
//	dx[r,c]   = gamma[c]*invstd[c] * (g[r,c] - Σg/rows - x̂[r,c] * Σg·x̂/rows)
//
// dadd is nil exactly when add is. dx and dadd may be dy, if they are not both.
func (b *BatchNorm) Backward(p *Pool, rows int, dx, dadd, dgamma, dbeta, dy, x, add, mean, invstd, gamma, beta []float32,
	accumulate bool, ws []float32) {
	b.fixed = false
	b.backward(p, rows, dx, dadd, dgamma, dbeta, dy, x, add, mean, invstd, gamma, beta, accumulate, ws)
}

// BackwardFixed is Backward with mean and invstd as constants, as in evaluation mode:
//
//	dx[r,c] = gamma[c]*invstd[c] * g[r,c]
func (b *BatchNorm) BackwardFixed(p *Pool, rows int, dx, dadd, dgamma, dbeta, dy, x, add, mean, invstd, gamma, beta []float32,
	accumulate bool, ws []float32) {
	b.fixed = true
	b.backward(p, rows, dx, dadd, dgamma, dbeta, dy, x, add, mean, invstd, gamma, beta, accumulate, ws)
}

func (b *BatchNorm) backward(p *Pool, rows int, dx, dadd, dgamma, dbeta, dy, x, add, mean, invstd, gamma, beta []float32,
	accumulate bool, ws []float32) {
	checkLen("BatchNorm.Backward", "dx", dx, rows*b.c)
	checkLen("BatchNorm.Backward", "dy", dy, rows*b.c)
	checkLen("BatchNorm.Backward", "dgamma", dgamma, b.c)
	checkLen("BatchNorm.Backward", "dbeta", dbeta, b.c)
	if add != nil {
		checkLen("BatchNorm.Backward", "dadd", dadd, rows*b.c)
	}
	b.load("BatchNorm.Backward", rows, x, add, mean, invstd, gamma, beta)
	b.dx, b.dadd, b.dgamma, b.dbeta, b.dy, b.accumulate = dx, dadd, dgamma, dbeta, dy, accumulate
	b.reduce(p, "BatchNorm.Backward", rows, ws)
	for j := range b.c {
		b.scale[j] = gamma[j] * invstd[j]
	}
	p.Run(b.tasks, (*batchNormReduce)(b))
	p.Run(ceilDiv(b.c, finishBlocks), (*batchNormReduceFinish)(b))
	p.Run(b.tasks, (*batchNormBackward)(b))
}

// load keeps the arguments that Apply and the backward methods share.
func (b *BatchNorm) load(kernel string, rows int, x, add, mean, invstd, gamma, beta []float32) {
	checkLen(kernel, "x", x, rows*b.c)
	if add != nil {
		checkLen(kernel, "add", add, rows*b.c)
	}
	checkLen(kernel, "mean", mean, b.c)
	checkLen(kernel, "invstd", invstd, b.c)
	checkLen(kernel, "gamma", gamma, b.c)
	checkLen(kernel, "beta", beta, b.c)
	b.rows, b.x, b.add = rows, x, add
	b.mean, b.invstd, b.gamma, b.beta = mean[:b.c], invstd[:b.c], gamma[:b.c], beta[:b.c]
}

// reduce lays out the workspace of a reduction over rows.
func (b *BatchNorm) reduce(p *Pool, kernel string, rows int, ws []float32) {
	checkLen(kernel, "ws", ws, b.Workspace(rows, p.Threads()))
	b.rows, b.perTask, b.tasks = rows, partialRows(rows), partials(rows)
	b.slots, ws = takeFloat64(ws, 2*b.tasks*b.c)
	b.scale, b.slope, b.offset = ws[:b.c], ws[b.c:2*b.c], ws[2*b.c:3*b.c]
	b.workers = ws[3*b.c:]
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
	momentum := float64(b.momentum)
	for j := task * finishBlocks; j < min((task+1)*finishBlocks, b.c); j++ {
		n, mean, squares := 0.0, 0.0, 0.0
		for t := range b.tasks {
			m := float64(min(b.perTask, b.rows-t*b.perTask))
			delta := b.slots[2*t*b.c+j] - mean
			squares += b.slots[(2*t+1)*b.c+j] + delta*delta*n*m/(n+m)
			mean += delta * m / (n + m)
			n += m
		}
		b.mean[j] = float32(mean)
		b.invstd[j] = float32(1 / math.Sqrt(squares/n+float64(b.eps)))
		if b.runMean != nil {
			unbiased := squares / max(n-1, 1)
			b.runMean[j] = float32((1-momentum)*float64(b.runMean[j]) + momentum*mean)
			b.runVar[j] = float32((1-momentum)*float64(b.runVar[j]) + momentum*unbiased)
		}
	}
}

type batchNormApply BatchNorm

func (k *batchNormApply) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first, last := task*b.perTask, min((task+1)*b.perTask, b.rows)
	at, end := first*b.c, last*b.c
	y := b.y[at:end]
	var add []float32
	if b.add != nil {
		add = b.add[at:end]
	}
	batchNormRows(y, b.x[at:end], add, b.mean, b.invstd, b.gamma, b.beta, last-first, b.lo, b.hi)
	if !b.clamps {
		activate(b.act, y, y)
	}
}

type batchNormReduce BatchNorm

func (k *batchNormReduce) Do(task, worker int) {
	b := (*BatchNorm)(k)
	gs, gxs := b.slot(task)
	sumG, sumGX, _, block := b.scratch(worker)
	last := min((task+1)*b.perTask, b.rows)
	for first := task * b.perTask; first < last; first += b.blockRows {
		rows := min(b.blockRows, last-first)
		at, end := first*b.c, (first+rows)*b.c
		g := b.gradient(block, at, end)
		clear(sumG)
		clear(sumGX)
		batchNormGradSums(sumG, sumGX, g, b.x[at:end], b.mean, rows)
		addFloat64(gs, sumG)
		addFloat64(gxs, sumGX)
	}
}

// gradient returns dy[at:end]*act'(z): in dadd if there is one, else in block or where it already is.
func (b *BatchNorm) gradient(block []float32, at, end int) []float32 {
	dy, x := b.dy[at:end], b.x[at:end]
	rows := (end - at) / b.c
	block = block[:end-at]
	g := block
	var add []float32
	if b.add != nil {
		add, g = b.add[at:end], b.dadd[at:end]
	}
	switch {
	case b.act == ActNone && add == nil:
		return dy
	case b.act == ActNone:
		copy(g, dy)
	case b.clamps:
		batchNormClampSlope(g, dy, x, add, b.mean, b.invstd, b.gamma, b.beta, rows, b.lo, b.hi)
	default:
		batchNormRows(block, x, add, b.mean, b.invstd, b.gamma, b.beta, rows, b.lo, b.hi)
		activateBackward(b.act, g, dy, block)
	}
	return g
}

type batchNormReduceFinish BatchNorm

func (k *batchNormReduceFinish) Do(task, _ int) {
	b := (*BatchNorm)(k)
	for j := task * finishBlocks; j < min((task+1)*finishBlocks, b.c); j++ {
		sumG, sumGX := 0.0, 0.0
		for t := range b.tasks {
			sumG += b.slots[2*t*b.c+j]
			sumGX += b.slots[(2*t+1)*b.c+j]
		}
		invstd := float64(b.invstd[j])
		dgamma, dbeta := sumGX*invstd, sumG
		gain := float64(b.gamma[j]) * invstd / float64(b.rows)
		b.slope[j] = float32(-gain * dgamma * invstd)
		b.offset[j] = float32(-gain * sumG)
		if b.accumulate {
			dgamma += float64(b.dgamma[j])
			dbeta += float64(b.dbeta[j])
		}
		b.dgamma[j], b.dbeta[j] = float32(dgamma), float32(dbeta)
	}
}

type batchNormBackward BatchNorm

func (k *batchNormBackward) Do(task, worker int) {
	b := (*BatchNorm)(k)
	_, _, _, block := b.scratch(worker)
	last := min((task+1)*b.perTask, b.rows)
	for first := task * b.perTask; first < last; first += b.blockRows {
		rows := min(b.blockRows, last-first)
		at, end := first*b.c, (first+rows)*b.c
		var g []float32
		if b.add != nil {
			g = b.dadd[at:end]
		} else {
			g = b.gradient(block, at, end)
		}
		if b.fixed {
			scaleRows(b.dx[at:end], g, b.scale, rows)
			continue
		}
		batchNormGradRows(b.dx[at:end], g, b.x[at:end], b.mean, b.scale, b.slope, b.offset, rows)
	}
}

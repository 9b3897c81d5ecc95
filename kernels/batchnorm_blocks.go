package kernels

// Normalised is what a batch norm was applied to, see [BatchNorm.Apply].
type Normalised struct {
	X, Add       []float32 // [rows, channels], Add nil for none
	Parts        []Part    // of which X is the concatenation along the channels, and is nil itself; nil for none
	Mean, InvStd []float32 // [channels], as are Gamma and Beta
	Gamma, Beta  []float32
}

// Sums of a gradient can be taken where it is made, block of rows by block of rows, while it is in the caches: g, as in
// [BatchNorm.Backward], takes the place of dy, and its sums over each block lie in a place of their own.

// sumsBlocks tells whether that can be done: the activation's gradient is one kernel with its sums.
func (b *BatchNorm) sumsBlocks(residual bool) bool {
	return b.clamps || !residual && hasNormCurve(b.act)
}

// blockSums returns the floats that the sums of that many blocks take.
func (b *BatchNorm) blockSums(blocks int) int { return 2 * blocks * b.c }

// loadBlocks begins with a gradient that is to be g.
func (b *BatchNorm) loadBlocks(rows int, g []float32, at Normalised, sums []float32) {
	b.load("BatchNorm", rows, at)
	b.dy, b.blocks = g, sums
}

// sumBlock turns the rows dy of the gradient, from row first on, into those of g, and sums them.
func (b *BatchNorm) sumBlock(block, first int, dy []float32) {
	sums := b.blocks[2*block*b.c:][:2*b.c]
	clear(sums)
	rows, at, end := len(dy)/b.c, first*b.c, first*b.c+len(dy)
	g := b.dy[at:end]
	stream := &g[0] != &dy[0] && streamable(b.dy, b.rows, b.c)
	if b.parts == nil {
		var add []float32
		if b.add != nil {
			add = b.add[at:end]
		}
		b.sumColumns(sums, g, dy, b.x[at:end], add, 0, rows, stream)
	} else {
		stream = stream && b.streamsParts()
		b.eachPart(first, rows, func(_, at int, x []float32) { b.sumColumns(sums, g[at:], dy[at:], x, nil, at, rows, stream) })
	}
	if stream {
		storeFence()
	}
}

// sumColumns is sumBlock for the channels of x, of which the first is the given one; dy and g begin with it.
func (b *BatchNorm) sumColumns(sums, g, dy, x, add []float32, first, rows int, stream bool) {
	last := first + len(x)/rows
	sumG, sumGX := sums[first:last], sums[b.c+first:b.c+last]
	mean, scale, beta := b.mean[first:last], b.scale[first:last], b.beta[first:last]
	switch {
	case b.act == ActNone:
		batchNormGradSums(sumG, sumGX, g, x, mean, rows, b.c)
	case b.clamps:
		batchNormClampGradSums(g, sumG, sumGX, dy, x, add, mean, scale, beta, rows, b.c, b.lo, b.hi, stream)
	default:
		batchNormCurveGradSums(b.act, g, sumG, sumGX, dy, x, mean, scale, beta, rows, stream)
	}
}

// BackwardSummed is the rest of Backward, for a gradient that has been summed by a convolution: see
// [Conv.BackwardDataSums]. With add, which may be dx, for none nil,
//
//	dx[r,c] = gamma[c]*invstd[c] * (g[r,c] - Σg/rows - x̂[r,c] * Σg·x̂/rows) (+ add[r,c])
//
// dx may be g.
func (b *BatchNorm) BackwardSummed(p *Pool, rows, blocks int, dx, dgamma, dbeta, g []float32, at Normalised, fixed bool, add, sums []float32,
	accumulate bool) {
	checkLen("BatchNorm.BackwardSummed", "dx", dx, rows*b.c)
	b.SettleSummed(p, rows, blocks, dgamma, dbeta, g, at, fixed, sums, accumulate)
	b.runRows(p, dx, g, add)
}

// SettleSummed is BackwardSummed without dx, which the convolution that made at.X computes where it reads it: see
// [Conv.BackwardJoint].
func (b *BatchNorm) SettleSummed(p *Pool, rows, blocks int, dgamma, dbeta, g []float32, at Normalised, fixed bool, sums []float32, accumulate bool) {
	checkLen("BatchNorm", "g", g, rows*b.c)
	checkLen("BatchNorm", "dgamma", dgamma, b.c)
	checkLen("BatchNorm", "dbeta", dbeta, b.c)
	checkLen("BatchNorm", "sums", sums, b.blockSums(blocks))
	b.loadBlocks(rows, g, at, sums)
	b.fixed, b.dgamma, b.dbeta, b.accumulate, b.tasks = fixed, dgamma, dbeta, accumulate, blocks
	p.Run(ceilDiv(b.c, finishBlocks), (*batchNormBlocksFinish)(b))
}

// runRows computes dx from g, which has been summed.
func (b *BatchNorm) runRows(p *Pool, dx, g, add []float32) {
	b.dx, b.dy, b.add = dx, g, add
	b.perTask = rowsPerTask(b.c)
	p.Run(ceilDiv(b.rows, b.perTask), (*batchNormSummedRows)(b))
}

type batchNormBlocksFinish BatchNorm

func (k *batchNormBlocksFinish) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first, last := task*finishBlocks, min((task+1)*finishBlocks, b.c)
	sumG, sumGX := b.addBlocks(first, last, b.tasks, b.blocks, b.c)
	b.settleGradient(first, sumG, sumGX)
}

type batchNormSummedRows BatchNorm

func (k *batchNormSummedRows) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first, last := task*b.perTask, min((task+1)*b.perTask, b.rows)
	at, end := first*b.c, last*b.c
	stream := b.streamsInput(b.dy)
	var add []float32
	if b.add != nil {
		add = b.add[at:end]
		stream = stream && &b.add[0] != &b.dx[0]
	}
	batchNormGradRows(b.dx[at:end], b.dy[at:end], b.x[at:end], add, b.mean, b.scale, b.slope, b.offset, last-first, b.c, b.c, stream)
	if stream {
		storeFence()
	}
}

// gradientRows computes rows of dx, from the given one on, as BackwardSummed does without an add.
func (b *BatchNorm) gradientRows(dx []float32, dxRow int, g []float32, first, rows int) {
	at := first * b.c
	batchNormGradRows(dx, g[at:], b.x[at:], nil, b.mean, b.scale, b.slope, b.offset, rows, dxRow, b.c, false)
}

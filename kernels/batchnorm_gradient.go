package kernels

// Backward computes the gradient through Apply and, as mean and invstd come from x, through Stats. With z the argument of
// act, g[r,c] = dy[r,c]*act'(z[r,c]) and x̂[r,c] = (x[r,c]-mean[c])*invstd[c]:
//
//	dgamma[c] = Σ_r g[r,c] * x̂[r,c]   (added to dgamma if accumulate)
//	dbeta[c]  = Σ_r g[r,c]            (added to dbeta if accumulate)
//	dadd[r,c] = g[r,c]
//	dx[r,c]   = gamma[c]*invstd[c] * (g[r,c] - Σg/rows - x̂[r,c] * Σg·x̂/rows)
//
// With fixed, mean and invstd are constants, as in evaluation mode:
//
//	dx[r,c] = gamma[c]*invstd[c] * g[r,c]
//
// dadd is nil exactly when at.Add is. dx and dadd may be dy, if they are not both.
func (b *BatchNorm) Backward(p *Pool, rows int, dx, dadd, dgamma, dbeta, dy []float32, at Normalised, fixed, accumulate bool, ws []float32) {
	checkLen("BatchNorm.Backward", "dx", dx, rows*b.c)
	checkLen("BatchNorm.Backward", "dy", dy, rows*b.c)
	checkLen("BatchNorm.Backward", "dgamma", dgamma, b.c)
	checkLen("BatchNorm.Backward", "dbeta", dbeta, b.c)
	if at.Add != nil {
		checkLen("BatchNorm.Backward", "dadd", dadd, rows*b.c)
	}
	b.load("BatchNorm.Backward", rows, at)
	b.fixed, b.dx, b.dadd, b.dgamma, b.dbeta, b.dy, b.accumulate = fixed, dx, dadd, dgamma, dbeta, dy, accumulate
	b.reduce(p, "BatchNorm.Backward", rows, ws)
	p.Run(b.tasks, (*batchNormReduce)(b))
	p.Run(ceilDiv(b.c, finishBlocks), (*batchNormReduceFinish)(b))
	p.Run(b.tasks, (*batchNormBackward)(b))
}

// gradient returns where dy*act'(z) is kept between the passes over dy: in dadd if there is one, else in dx, or in dy if
// that is the same. A clamp's is computed again.
func (b *BatchNorm) gradient() []float32 {
	switch {
	case b.add != nil:
		return b.dadd
	case b.act == ActNone:
		return b.dy
	}
	return b.dx
}

// recomputes tells whether there is no such place.
func (b *BatchNorm) recomputes() bool { return b.clamps && b.act != ActNone && b.add == nil }

type batchNormReduce BatchNorm

func (k *batchNormReduce) Do(task, worker int) {
	b := (*BatchNorm)(k)
	gs, gxs := b.slot(task)
	sumG, sumGX, _, z := b.scratch(worker)
	last := min((task+1)*b.perTask, b.rows)
	for first := task * b.perTask; first < last; first += gradientRows {
		rows := min(gradientRows, last-first)
		clear(sumG)
		clear(sumGX)
		b.reduceRows(sumG, sumGX, z, first, rows)
		addFloat64(gs, sumG)
		addFloat64(gxs, sumGX)
	}
}

// reduceRows adds up the gradient of some rows, and keeps it unless it is a clamp's.
func (b *BatchNorm) reduceRows(sumG, sumGX, z []float32, first, rows int) {
	at, end := first*b.c, (first+rows)*b.c
	dy, x := b.dy[at:end], b.x[at:end]
	switch {
	case b.act == ActNone:
		if b.add != nil {
			copy(b.dadd[at:end], dy)
		}
		batchNormGradSums(sumG, sumGX, dy, x, b.mean, rows, b.c)
	case b.clamps:
		var g, add []float32
		if b.add != nil {
			g, add = b.dadd[at:end], b.add[at:end]
		}
		batchNormClampGradSums(g, sumG, sumGX, dy, x, add, b.mean, b.scale, b.beta, rows, b.c, b.lo, b.hi, false)
	case b.fused():
		batchNormCurveGradSums(b.act, b.gradient()[at:end], sumG, sumGX, dy, x, b.mean, b.scale, b.beta, rows, false)
	default:
		for r := 0; r < rows; r += b.cacheRows {
			n := min(b.cacheRows, rows-r)
			lo, hi := at+r*b.c, at+(r+n)*b.c
			g, x, z := b.gradient()[lo:hi], b.x[lo:hi], z[:hi-lo]
			var add []float32
			if b.add != nil {
				add = b.add[lo:hi]
			}
			batchNormRows(z, x, add, b.mean, b.scale, b.beta, n, b.c, b.lo, b.hi, false)
			activateBackward(b.act, g, b.dy[lo:hi], z)
			batchNormGradSums(sumG, sumGX, g, x, b.mean, n, b.c)
		}
	}
}

type batchNormReduceFinish BatchNorm

func (k *batchNormReduceFinish) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first, last := task*finishBlocks, min((task+1)*finishBlocks, b.c)
	var sumG, sumGX [finishBlocks]float64
	for t := range b.tasks {
		gs, gxs := b.slots[2*t*b.c+first:2*t*b.c+last], b.slots[(2*t+1)*b.c+first:(2*t+1)*b.c+last]
		for j, v := range gs {
			sumG[j] += v
			sumGX[j] += gxs[j]
		}
	}
	b.settleGradient(first, sumG[:last-first], sumGX[:last-first])
}

// settleGradient sets the gradients of gamma and beta, and what dx is made of, from the sums of some channels.
func (b *BatchNorm) settleGradient(first int, sumG, sumGX []float64) {
	for i := first; i < first+len(sumG); i++ {
		invstd := float64(b.invstd[i])
		dgamma, dbeta := sumGX[i-first]*invstd, sumG[i-first]
		gain := float64(b.gamma[i]) * invstd / float64(b.rows)
		b.slope[i] = float32(-gain * dgamma * invstd)
		b.offset[i] = float32(-gain * dbeta)
		if b.fixed {
			b.slope[i], b.offset[i] = 0, 0
		}
		if b.accumulate {
			dgamma += float64(b.dgamma[i])
			dbeta += float64(b.dbeta[i])
		}
		b.dgamma[i], b.dbeta[i] = float32(dgamma), float32(dbeta)
	}
}

type batchNormBackward BatchNorm

func (k *batchNormBackward) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first, last := task*b.perTask, min((task+1)*b.perTask, b.rows)
	at, end, rows := first*b.c, last*b.c, last-first
	dx, x := b.dx[at:end], b.x[at:end]
	stream := b.streamsInput(b.gradient())
	if stream {
		defer storeFence()
	}
	switch {
	case b.recomputes():
		batchNormClampGradRows(dx, b.dy[at:end], x, b.mean, b.scale, b.beta, b.slope, b.offset, rows, b.lo, b.hi)
	case b.fixed:
		scaleRows(dx, b.gradient()[at:end], b.scale, rows, stream)
	default:
		batchNormGradRows(dx, b.gradient()[at:end], x, nil, b.mean, b.scale, b.slope, b.offset, rows, b.c, b.c, stream)
	}
}

// streamsInput tells whether dx, which is computed from g, is worth storing past the caches.
func (b *BatchNorm) streamsInput(g []float32) bool {
	return &b.dx[0] != &g[0] && streamable(b.dx, b.rows, b.c)
}

package kernels

// Gated is what is still missing in the gradient of a value that a channel gate multiplies, see
// [ChannelGate.BackwardInput]: dy[n,i,c]*Gate[n,c] + Shift[n,c], Shift nil for none.
type Gated struct {
	Gate, Shift []float32 // [samples, channels]
	Rows        int       // of a sample
}

// BackwardGated is Backward, without a residual, for the gradient that dy becomes behind the gate. dx may be
// dy.
func (b *BatchNorm) BackwardGated(p *Pool, rows int, dx, dgamma, dbeta, dy []float32, gated Gated, at Normalised, fixed, accumulate bool, ws []float32) {
	b.SettleGated(p, rows, dx, dgamma, dbeta, dy, gated, at, fixed, accumulate, ws)
	b.runRows(p, dx, dx, nil)
}

// SettleGated is BackwardGated without dx, which the convolution that made at.X computes where it reads it, see
// [Conv.BackwardJoint], from g, the gradient behind gate and activation. g may be dy.
func (b *BatchNorm) SettleGated(p *Pool, rows int, g, dgamma, dbeta, dy []float32, gated Gated, at Normalised, fixed, accumulate bool, ws []float32) {
	const kernel = "BatchNorm's gradient behind a gate"
	checkLen(kernel, "g", g, rows*b.c)
	checkLen(kernel, "dy", dy, rows*b.c)
	checkLen(kernel, "dgamma", dgamma, b.c)
	checkLen(kernel, "dbeta", dbeta, b.c)
	checkLen(kernel, "gate", gated.Gate, ceilDiv(rows, gated.Rows)*b.c)
	if gated.Shift != nil {
		checkLen(kernel, "shift", gated.Shift, ceilDiv(rows, gated.Rows)*b.c)
	}
	at.Add, at.Parts = nil, nil
	b.load(kernel, rows, at)
	b.fixed, b.dx, b.dgamma, b.dbeta, b.dy, b.accumulate, b.gated = fixed, g, dgamma, dbeta, dy, accumulate, gated
	b.reduce(p, kernel, rows, ws)
	p.Run(b.tasks, (*batchNormGatedReduce)(b))
	p.Run(ceilDiv(b.c, finishBlocks), (*batchNormReduceFinish)(b))
}

type batchNormGatedReduce BatchNorm

// Do keeps the gradient behind gate and activation in dx for now, and sums it.
func (k *batchNormGatedReduce) Do(task, worker int) {
	b := (*BatchNorm)(k)
	gs, gxs := b.slot(task)
	sumG, sumGX, shift, z := b.scratch(worker)
	clear(shift)
	last := min((task+1)*b.perTask, b.rows)
	for first := task * b.perTask; first < last; first += gradientRows {
		clear(sumG)
		clear(sumGX)
		for r, end := first, min(first+gradientRows, last); r < end; {
			rows := min(end-r, b.gated.Rows-r%b.gated.Rows) // of one sample
			sample := r / b.gated.Rows * b.c
			if b.gated.Shift != nil {
				shift = b.gated.Shift[sample:][:b.c]
			}
			b.reduceGated(sumG, sumGX, b.gated.Gate[sample:][:b.c], shift, z, r, rows)
			r += rows
		}
		addFloat64(gs, sumG)
		addFloat64(gxs, sumGX)
	}
}

// reduceGated is reduceRows behind a gate.
func (b *BatchNorm) reduceGated(sumG, sumGX, gate, shift, z []float32, first, rows int) {
	at, end := first*b.c, (first+rows)*b.c
	if b.act != ActNone && b.fused() {
		batchNormGatedGradSums(b.act, b.dx[at:end], sumG, sumGX, b.dy[at:end], b.x[at:end], gate, shift, b.mean, b.scale, b.beta, rows)
		return
	}
	for step := b.cacheRows * b.c; at < end; at += step {
		step = min(step, end-at)
		g, x, rows := b.dx[at:at+step], b.x[at:at+step], step/b.c
		scaleShiftRows(g, b.dy[at:at+step], gate, shift, rows)
		if b.act != ActNone {
			batchNormRows(z, x, nil, b.mean, b.scale, b.beta, rows, b.c, b.lo, b.hi, false)
			activateBackward(b.act, g, g, z[:step])
		}
		batchNormGradSums(sumG, sumGX, g, x, b.mean, rows, b.c)
	}
}

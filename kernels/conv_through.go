package kernels

// ReadsThrough tells whether the convolution can read its input through a batch norm, see ReadThrough: it copies what it reads
// anyway, and normalising the copy costs less than a pass over memory. An activation that is more than a few operations would
// cost more, as it is computed in the weight gradient again.
func (c *Conv) ReadsThrough(norm *BatchNorm) bool {
	if c.grouped != nil {
		return c.winograd.forward == nil && c.winograd.weights == nil && c.grouped.readsThrough(norm)
	}
	return c.depthwise != nil && (norm.clamps || norm.act == ActHardSwish)
}

// ReadThrough lets the next forward pass or weight gradient of n samples, of which at.X is the input, read
//
//	act((at.X[r,c] - mean[c]) * (gamma[c]*invstd[c]) + beta[c])
//
// instead, with the bits of [BatchNorm.Apply] but without writing it. Padding stays zero. It may be called where ReadsThrough.
func (c *Conv) ReadThrough(norm *BatchNorm, n int, at Normalised) {
	norm.load("Conv.ReadThrough", n*c.s.H*c.s.W, at)
	if c.grouped != nil {
		c.grouped.readThrough(norm)
		return
	}
	c.depthwise.readThrough(norm)
}

// copyThrough is copyRows of the channels from first on, through a batch norm unless that is nil.
func copyThrough(b *BatchNorm, dst []float32, dstRow int, src []float32, srcRow, rows, channels, first int) {
	copyRows(dst, dstRow, src, srcRow, rows, channels)
	if b == nil {
		return
	}
	last := first + channels
	for r := range rows {
		x := dst[r*dstRow:][:channels]
		batchNormRows(x, x, nil, b.mean[first:last], b.scale[first:last], b.beta[first:last], 1, channels, b.lo, b.hi, false)
		if !b.clamps {
			activate(b.act, x, x)
		}
	}
}

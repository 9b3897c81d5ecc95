package kernels

// SumsGradient tells whether BackwardDataSums takes the sums of a batch norm's gradient on the way: the data gradient is
// depthwise, or one product, and a task has whole rows of its results.
func (c *Conv) SumsGradient(norm *BatchNorm, residual bool) bool {
	if !norm.sumsBlocks(residual) {
		return false
	}
	return c.depthwise != nil || c.s.Groups == 1 && len(c.data) == 1 && c.winograd.data == nil
}

// SumsPartsGradient is SumsGradient for a batch norm of a concatenation whose parts lie apart.
func (c *Conv) SumsPartsGradient(norm *BatchNorm) bool {
	return c.depthwise == nil && norm.TakesParts() && c.SumsGradient(norm, false)
}

// BackwardDataSums is BackwardData for the output of a batch norm: dx is the gradient behind its activation,
//
//	dx = (convᵀ(dy, w) + add) * act'(z)
//
// with z the activation's argument, as [BatchNorm.BackwardSummed] takes it, and sums receives what that needs of it for so
// many blocks. It may be called where SumsGradient.
func (c *Conv) BackwardDataSums(p *Pool, n int, dx, dy, w, add []float32, norm *BatchNorm, at Normalised, sums, ws []float32) (blocks int) {
	checkLen("Conv", "sums", sums, c.GradientSums(norm, n))
	rows := n * c.s.H * c.s.W
	norm.loadBlocks(rows, dx, at, sums)
	raceRead(at.X)
	raceRead(at.Add)
	if c.depthwise != nil {
		data := &c.depthwise.data
		data.norm = norm
		c.BackwardData(p, n, dx, dy, w, add, ws)
		data.norm = nil
		return data.bandsOf(n)
	}
	data := &c.data[0]
	data.n = n
	if data.columnBlock() >= data.cols {
		data.norm = norm
		c.BackwardData(p, n, dx, dy, w, add, ws)
		data.norm = nil
		return data.rowBlocks()
	}
	c.BackwardData(p, n, dx, dy, w, add, ws)
	p.Run(data.rowBlocks(), (*normBlocks)(norm))
	return data.rowBlocks()
}

// GradientSums returns the floats of the sums for up to n samples.
func (c *Conv) GradientSums(norm *BatchNorm, n int) int {
	if c.depthwise != nil {
		return norm.blockSums(c.depthwise.data.bandsOf(n))
	}
	return norm.blockSums(ceilDiv(n*c.s.H*c.s.W, rowBlock))
}

// GradientSumsWorkspace is [Conv.Workspace] for BackwardDataSums.
func (c *Conv) GradientSumsWorkspace(n, threads int) int {
	waiting := rowBlock * c.s.C
	if c.depthwise != nil {
		waiting = c.depthwise.data.bandSize()
	}
	return c.Workspace(n, threads) + threads*roundUp(waiting, cacheLine)
}

// normBlocks sums a gradient that is complete.
type normBlocks BatchNorm

func (k *normBlocks) Do(block, _ int) {
	b := (*BatchNorm)(k)
	first := block * rowBlock
	b.sumBlock(block, first, b.dy[first*b.c:min(first+rowBlock, b.rows)*b.c])
}

// aside tells whether a block of results waits in the caches until its sums are taken, and goes past them then.
func (p *implicitProduct) aside() bool {
	return p.norm != nil && p.norm.act != ActNone && !p.inPlace() && streamable(p.dst, p.rows(), p.dstPixel)
}

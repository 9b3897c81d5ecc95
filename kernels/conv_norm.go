package kernels

// ForwardStats computes y = conv(x, w) + bias, nil for no bias, and the statistics of y as norm.Stats does. Where the
// convolution is a product, y is summed while its tiles are in registers, and not read again.
func (c *Conv) ForwardStats(p *Pool, n int, y, x, w, bias []float32, norm *BatchNorm, mean, invstd, runMean, runVar, ws []float32) {
	rows := n * c.s.OutH() * c.s.OutW()
	if !c.sumsOnTheWay(n) {
		c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, ws)
		norm.Stats(p, rows, y, mean, invstd, runMean, runVar, ws)
		return
	}
	f := &c.forward
	space := newScratch(ws)
	f.shift, f.sums = space.take(f.paddedCols()), space.take(2*f.rowBlocks()*f.paddedCols())
	c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, space.rest)
	norm.settle(p, rows, f, mean, invstd, runMean, runVar)
	f.shift, f.sums = nil, nil
}

// StatsWorkspace is [Conv.Workspace] for ForwardStats.
func (c *Conv) StatsWorkspace(norm *BatchNorm, n, threads int) int {
	rows := n * c.s.OutH() * c.s.OutW()
	sums := (2*ceilDiv(rows, rowBlock)+1)*roundUp(c.s.OutC, tileFor(active).cols) + 3*cacheLine
	return max(c.Workspace(n, threads)+sums, norm.Workspace(rows, threads))
}

// sumsOnTheWay tells whether the forward pass of n samples is one product, with more than one block of rows.
func (c *Conv) sumsOnTheWay(n int) bool {
	if c.depthwise != nil || c.s.Groups > 1 {
		return false
	}
	c.startForward(n)
	return !c.tiled.forward.pays() && c.forward.rowBlocks() > 1
}

// multiplySummed is the multiplication of a product whose results are summed. The sums are those of deviations from the
// mean of the first block, which keeps them small whatever the channel's mean is.
func (c *Conv) multiplySummed(p *Pool) {
	f := &c.forward
	shift, sums := f.shift, f.sums
	f.sums = nil
	p.Run(f.firstTasks(), &c.multiply)

	y := f.dst[:rowBlock*f.dstPixel]
	clear(shift)
	sumChannels(shift[:f.cols], y, rowBlock)
	scale(shift, shift, 1.0/rowBlock)
	clear(sums[:2*f.paddedCols()])
	batchNormSums(sums[:f.cols], sums[f.paddedCols():][:f.cols], y, shift[:f.cols], rowBlock)

	f.sums = sums
	c.firstTask = f.firstTasks()
	p.Run(f.tasks()-c.firstTask, &c.multiply)
	c.firstTask = 0
}

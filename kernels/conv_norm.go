package kernels

// outputSums are sums that a convolution takes of its results for the batch norm behind it, block of rows by block of rows
// while they are in registers: of the deviations from a shift, and of the squares of those. The shift is the mean of the first
// block, which keeps them small whatever the channel's mean is.
type outputSums struct {
	shift, sums []float32 // [row], [blocks, 2, row]; nil for none
	row, blocks int
}

func (s *outputSums) size() int {
	return roundUp(s.row, cacheLine) + roundUp(2*s.blocks*s.row, cacheLine)
}

func (s *outputSums) takeSpace(space *scratch) {
	s.shift, s.sums = space.take(s.row), space.take(2*s.blocks*s.row)
}

// first sets the shift and the sums of the first block, which are the given rows of y.
func (s *outputSums) first(y []float32, channels int) {
	rows := len(y) / channels
	clear(s.shift)
	sumChannels(s.shift[:channels], y, rows)
	scale(s.shift, s.shift, 1/float32(rows))
	clear(s.sums[:2*s.row])
	batchNormSums(s.sums[:channels], s.sums[s.row:][:channels], y, s.shift[:channels], rows)
}

// block returns the sums of a block.
func (s *outputSums) block(index int) []float32 { return s.sums[2*index*s.row:][:2*s.row] }

// outputSums returns the sums that the forward pass of n samples can take, without any space: of no blocks if there are none.
func (c *Conv) outputSums(n int) outputSums {
	switch {
	case c.depthwise != nil:
		return outputSums{row: roundUp(c.s.OutC, channelBlock), blocks: n * c.depthwise.conv.tasks}
	case c.s.Groups > 1:
		return outputSums{}
	}
	if c.winograd.forward.pays(n) {
		return outputSums{}
	}
	return outputSums{row: c.forward.paddedCols(), blocks: ceilDiv(n*c.s.OutH()*c.s.OutW(), rowBlock)}
}

// ForwardStats computes y = conv(x, w) + bias, nil for no bias, and the statistics of y as norm.Stats does. Where the
// convolution is a product or depthwise, y is summed while it is in registers, and not read again.
func (c *Conv) ForwardStats(p *Pool, n int, y, x, w, bias []float32, norm *BatchNorm, mean, invstd, runMean, runVar, ws []float32) {
	rows := n * c.s.OutH() * c.s.OutW()
	sums := c.outputSums(n)
	if sums.blocks <= 1 {
		c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, ws)
		norm.Stats(p, rows, y, mean, invstd, runMean, runVar, ws)
		return
	}
	space := newScratch(ws)
	sums.takeSpace(&space)
	c.summing(sums)
	c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, space.rest)
	c.summing(outputSums{})
	norm.settle(p, rows, sums, mean, invstd, runMean, runVar)
}

// summing sets the sums that forward passes take.
func (c *Conv) summing(sums outputSums) {
	if c.depthwise != nil {
		c.depthwise.conv.summed = sums
		return
	}
	c.forward.summed = sums
}

// StatsWorkspace is [Conv.Workspace] for ForwardStats.
func (c *Conv) StatsWorkspace(norm *BatchNorm, n, threads int) int {
	sums := c.outputSums(n)
	return max(c.Workspace(n, threads)+sums.size()+cacheLine, norm.Workspace(n*c.s.OutH()*c.s.OutW(), threads))
}

// multiplySummed is the multiplication of a product whose results are summed.
func (c *productPass) multiplySummed(p *Pool) {
	f := c.operands[0]
	sums := f.summed
	f.summed = outputSums{}
	p.Run(f.firstTasks(), (*multiplyParts)(c))
	sums.first(f.dst[:rowBlock*f.dstPixel], f.cols)
	f.summed = sums
	c.firstTask = f.firstTasks()
	p.Run(f.tasks()-c.firstTask, (*multiplyParts)(c))
	c.firstTask = 0
}

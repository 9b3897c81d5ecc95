package kernels

// summedTasks are the tasks of a forward pass whose results are summed for the batch norm after it: the first tasks
// give the shift, then the others are summed.
type summedTasks struct {
	OutputSums
	first int // task that is computed now; those before it are done
}

// run runs all tasks of a job. The first ones compute head, [rows, channels].
func (s *summedTasks) run(p *Pool, first, all int, job Job, head []float32, channels int) {
	sums := s.OutputSums
	s.OutputSums = OutputSums{}
	p.Run(first, job)
	sums.First(head, channels)
	s.OutputSums, s.first = sums, first
	p.Run(all-first, job)
	s.first = 0
}

// outputSums returns the sums that the forward pass of n samples can take, without any space: of no blocks if there are
// none.
func (c *Conv) outputSums(n int) OutputSums {
	switch {
	case c.depthwise != nil:
		return OutputSums{Row: roundUp(c.s.OutC, channelBlock), Blocks: n * c.depthwise.conv.tasks}
	case c.s.Groups > 1:
		return OutputSums{}
	}
	if c.winograd.forward.pays(n) {
		return OutputSums{}
	}
	return OutputSums{Row: c.forward.paddedCols(), Blocks: ceilDiv(n*c.s.OutH()*c.s.OutW(), rowBlock)}
}

// ForwardStats computes y = conv(x, w) + bias, nil for no bias, and the statistics of y as norm.Stats does. Where the
// convolution is a product or depthwise, y is summed while it is in registers, and not read again.
func (c *Conv) ForwardStats(p *Pool, n int, y, x, w, bias []float32, norm *BatchNorm, to Statistics, ws []float32) {
	rows := n * c.s.OutH() * c.s.OutW()
	sums := c.outputSums(n)
	if sums.Blocks <= 1 {
		c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, ws)
		norm.Stats(p, rows, y, to, ws)
		return
	}
	space := newScratch(ws)
	sums.TakeSpace(&space)
	c.sumOutput(sums)
	c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, space.rest)
	c.sumOutput(OutputSums{})
	norm.StatsOfSums(p, rows, sums, to)
}

// sumOutput sets the sums that forward passes take.
func (c *Conv) sumOutput(sums OutputSums) {
	if c.depthwise != nil {
		c.depthwise.conv.summed.OutputSums = sums
		return
	}
	c.forward.summed.OutputSums = sums
}

// StatsWorkspace is [Conv.Workspace] for ForwardStats.
func (c *Conv) StatsWorkspace(norm *BatchNorm, n, threads int) int {
	sums := c.outputSums(n)
	return max(c.Workspace(n, threads)+sums.Size(), norm.Workspace(n*c.s.OutH()*c.s.OutW(), threads))
}

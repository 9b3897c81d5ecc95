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

// summingEngine is a forward engine that can sum its results for the batch norm after it.
type summingEngine interface {
	forwardEngine
	outputSums(n int) OutputSums // for n samples, without any space: of no blocks if it takes none
	sumOutput(sums OutputSums)   // sets the sums that forward passes take
}

func (d *depthwise) outputSums(n int) OutputSums {
	return OutputSums{Row: roundUp(d.conv.panel.c, channelBlock), Blocks: n * d.conv.tasks}
}

func (d *depthwise) sumOutput(sums OutputSums) { d.conv.summed.OutputSums = sums }

// outputSums returns none for groups and for Winograd's form.
func (c *productPass) outputSums(n int) OutputSums {
	f, ok := c.parts[0].(*implicitProduct)
	if !ok || f.groups > 1 {
		return OutputSums{}
	}
	return OutputSums{Row: f.paddedCols(), Blocks: ceilDiv(n*f.outH*f.outW, rowBlock)}
}

func (c *productPass) sumOutput(sums OutputSums) { c.operands[0].summed.OutputSums = sums }

// summing returns the engine that sums the output of n samples, and its sums: of no blocks if there is none.
func (c *Conv) summing(n int) (summingEngine, OutputSums) {
	engine, ok := c.forwardEngine(n).(summingEngine)
	if !ok {
		return nil, OutputSums{}
	}
	return engine, engine.outputSums(n)
}

// ForwardStats computes y = conv(x, w) + bias, nil for no bias, and the statistics of y as norm.Stats does. Where the
// convolution is a product or depthwise, y is summed while it is in registers, and not read again.
func (c *Conv) ForwardStats(p *Pool, n int, y, x, w, bias []float32, norm *BatchNorm, to Statistics, ws []float32) {
	rows := n * c.s.OutH() * c.s.OutW()
	engine, sums := c.summing(n)
	if sums.Blocks <= 1 {
		c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, ws)
		norm.Stats(p, rows, y, to, ws)
		return
	}
	space := newScratch(ws)
	sums.TakeSpace(&space)
	engine.sumOutput(sums)
	c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, space.rest)
	engine.sumOutput(OutputSums{})
	norm.StatsOfSums(p, rows, sums, to)
}

// StatsWorkspace is [Conv.Workspace] for ForwardStats.
func (c *Conv) StatsWorkspace(norm *BatchNorm, n, threads int) int {
	_, sums := c.summing(n)
	return max(c.Workspace(n, threads)+sums.Size(), norm.Workspace(n*c.s.OutH()*c.s.OutW(), threads))
}

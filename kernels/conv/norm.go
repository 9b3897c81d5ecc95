package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// summedTasks are the tasks of a forward pass whose results are summed for the batch norm after it: the first tasks
// give the shift, then the others are summed.
type summedTasks struct {
	norm.OutputSums
	first int // task that is computed now; those before it are done
}

// run runs all tasks of a job. The first ones compute head, [rows, channels].
func (s *summedTasks) run(p *parallel.Pool, first, all int, job parallel.Job, head []float32, channels int) {
	sums := s.OutputSums
	s.OutputSums = norm.OutputSums{}
	p.Run(first, job)
	sums.First(head, channels)
	s.OutputSums, s.first = sums, first
	p.Run(all-first, job)
	s.first = 0
}

// summingEngine is a forward engine that can sum its results for the batch norm after it.
type summingEngine interface {
	forwardEngine
	outputSums(n int) norm.OutputSums // for n samples, without any space: of no blocks if it takes none
	sumOutput(sums norm.OutputSums)   // sets the sums that forward passes take
}

func (d *depthwise) outputSums(n int) norm.OutputSums {
	return norm.OutputSums{Row: mem.RoundUp(d.conv.panel.c, channelBlock), Blocks: n * d.conv.tasks}
}

func (d *depthwise) sumOutput(sums norm.OutputSums) { d.conv.summed.OutputSums = sums }

// outputSums returns none for groups and for Winograd's form.
func (c *productPass) outputSums(n int) norm.OutputSums {
	f, ok := c.parts[0].(*implicitProduct)
	if !ok || f.groups > 1 {
		return norm.OutputSums{}
	}
	return norm.OutputSums{Row: f.paddedCols(), Blocks: mem.CeilDiv(n*f.outH*f.outW, rowBlock)}
}

func (c *productPass) sumOutput(sums norm.OutputSums) { c.operands[0].summed.OutputSums = sums }

// summing returns the engine that sums the output of n samples, and its sums: of no blocks if there is none.
func (c *Conv) summing(n int) (summingEngine, norm.OutputSums) {
	engine, ok := c.forwardEngine(n).(summingEngine)
	if !ok {
		return nil, norm.OutputSums{}
	}
	return engine, engine.outputSums(n)
}

// ForwardStats computes y = conv(x, w) + bias, nil for no bias, and the statistics of y as norm.Stats does. Where the
// convolution is a product or depthwise, y is summed while it is in registers, and not read again.
func (c *Conv) ForwardStats(p *parallel.Pool, n int, y, x, w, bias []float32, bn *norm.BatchNorm, to norm.Statistics, ws []float32) {
	rows := n * c.s.OutH() * c.s.OutW()
	engine, sums := c.summing(n)
	if sums.Blocks <= 1 {
		c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, ws)
		bn.Stats(p, rows, y, to, ws)
		return
	}
	space := mem.NewScratch(ws)
	sums.TakeSpace(&space)
	engine.sumOutput(sums)
	c.Forward(p, n, y, x, w, Epilogue{Bias: bias}, space.Rest)
	engine.sumOutput(norm.OutputSums{})
	bn.StatsOfSums(p, rows, sums, to)
}

// StatsWorkspace is [Conv.Workspace] for ForwardStats.
func (c *Conv) StatsWorkspace(norm *norm.BatchNorm, n, threads int) int {
	_, sums := c.summing(n)
	return max(c.Workspace(n, threads)+sums.Size(), norm.Workspace(n*c.s.OutH()*c.s.OutW(), threads))
}

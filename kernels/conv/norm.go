package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// summedTasks are the tasks of a forward pass whose results are summed for the batch norm after it. The results of the
// first tasks give the shift; then the other tasks sum theirs as they compute them.
type summedTasks struct {
	norm.OutputSums
	first int // tasks that are done already
}

// run runs all tasks of a stage. The first of them compute head, [rows, channels].
func (s *summedTasks) run(p *parallel.Pool, first, all int, stage stage, head []float32, channels int) {
	sums := s.OutputSums
	s.OutputSums = norm.OutputSums{}
	stage.run(p, first)
	sums.First(head, channels)
	s.OutputSums, s.first = sums, first
	stage.run(p, all-first)
	s.first = 0
}

// stage is a part of a call that runs the given number of tasks, on from those that are done already.
type stage interface {
	run(p *parallel.Pool, tasks int)
}

// summingEngine is a forward engine that can sum its results for the batch norm after it.
type summingEngine interface {
	forwardEngine
	outputSums(n int) norm.OutputSums // for n samples, without space for them; no blocks if the engine takes no sums
	sumOutput(sums norm.OutputSums)   // sets the sums that forward passes take
}

func (d *depthwise) outputSums(n int) norm.OutputSums {
	return norm.OutputSums{Row: mem.RoundUp(d.conv.panel.c, channelBlock), Blocks: n * d.conv.tasks}
}

func (d *depthwise) sumOutput(sums norm.OutputSums) { d.conv.summed.OutputSums = sums }

// outputSums returns none for groups and for Winograd's form.
func (m *productPass) outputSums(n int) norm.OutputSums {
	f, ok := m.parts[0].(*implicitProduct)
	if !ok || f.groups > 1 {
		return norm.OutputSums{}
	}
	return norm.OutputSums{Row: f.paddedCols(), Blocks: mem.CeilDiv(n*f.outH*f.outW, rowBlock)}
}

func (m *productPass) sumOutput(sums norm.OutputSums) { m.operands[0].summed.OutputSums = sums }

// summing returns the engine that sums the output of n samples, and these sums; they have no blocks if no engine does.
func (c *Conv) summing(n int) (summingEngine, norm.OutputSums) {
	engine, ok := c.forwardEngine(n).(summingEngine)
	if !ok {
		return nil, norm.OutputSums{}
	}
	return engine, engine.outputSums(n)
}

// ForwardStats computes y = conv(x, w) + bias, nil for no bias, and the statistics of y as [norm.BatchNorm.Stats] does.
// Where the convolution is a product or depthwise, y is summed while it is in registers, and not read again.
func (c *Conv) ForwardStats(
	p *parallel.Pool, n int, y, x, w, bias []float32, bn *norm.BatchNorm, to norm.Statistics, ws []float32,
) {
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

// StatsWorkspace is [Conv.Workspace] for [Conv.ForwardStats].
func (c *Conv) StatsWorkspace(bn *norm.BatchNorm, n, threads int) int {
	_, sums := c.summing(n)
	return max(c.Workspace(n, threads)+sums.Size(), bn.Workspace(n*c.s.OutH()*c.s.OutW(), threads))
}

// NormBefore is the batch norm that made a convolution's input. The convolution sums that input's gradient for it.
type NormBefore struct {
	Norm *norm.BatchNorm // nil for none
	At   norm.Operands   // what it was applied to
	Sums []float32       // takes the sums: Conv.GradientSumsSize or Conv.JointSumsSize floats
}

// SumsGradient reports whether [Conv.BackwardDataSums] takes the sums of a batch norm's gradient: that norm allows it,
// with or without a residual, and the data gradient is depthwise or one product of all channels.
func (c *Conv) SumsGradient(bn *norm.BatchNorm, residual bool) bool {
	if !bn.SumsGradient(residual) {
		return false
	}
	return c.depthwise != nil || c.s.Groups == 1 && len(c.data) == 1 && c.winograd.data == nil
}

// SumsPartsGradient is [Conv.SumsGradient] for a batch norm of a concatenation whose parts lie apart.
func (c *Conv) SumsPartsGradient(bn *norm.BatchNorm) bool {
	return c.depthwise == nil && bn.TakesParts() && c.SumsGradient(bn, false)
}

// BackwardDataSums is BackwardData for the output of a batch norm: dx is the gradient through its activation,
//
//	dx = (convᵀ(dy, w) + add) * act'(z)
//
// with z the activation's argument. It returns the number of blocks in before.Sums; [norm.BatchNorm.BackwardSummed]
// takes both. It panics unless [Conv.SumsGradient] reports true.
func (c *Conv) BackwardDataSums(
	p *parallel.Pool, n int, dx, dy, w, add []float32, before NormBefore, ws []float32,
) (blocks int) {
	if !c.SumsGradient(before.Norm, before.At.Add != nil) {
		panic("conv.Conv.BackwardDataSums: the convolution takes no sums for such a batch norm")
	}
	c.before = c.gradientSums(n, dx, before, c.GradientSumsSize(before.Norm, n))
	if c.depthwise != nil {
		data := &c.depthwise.data
		data.norm = &c.before
		c.BackwardData(p, n, dx, dy, w, add, ws)
		data.norm = nil
		return data.bandsOf(n)
	}
	data := &c.data[0]
	if sized := data.sized(n); sized.columnBlock() >= sized.cols && // a task has whole rows of dx
		piecesFor(sized.tasks(), p.Threads(), sized.mostPieces()) == 1 {
		data.norm = &c.before
		c.BackwardData(p, n, dx, dy, w, add, ws)
		data.norm = nil
		return data.rowBlocks()
	}
	c.BackwardData(p, n, dx, dy, w, add, ws)
	c.before.All(p, rowBlock)
	return data.rowBlocks()
}

// gradientSums returns what takes the sums of dx, which have the given size in floats.
func (c *Conv) gradientSums(n int, dx []float32, before NormBefore, size int) norm.GradientSums {
	mem.CheckLen("conv.Conv", "sums", before.Sums, size)
	mem.RaceRead(before.At.X)
	mem.RaceRead(before.At.Add)
	return before.Norm.GradientSums(n*c.s.H*c.s.W, dx, before.At, before.Sums)
}

// GradientSumsSize returns the floats of the sums that [Conv.BackwardDataSums] takes for up to n samples.
func (c *Conv) GradientSumsSize(bn *norm.BatchNorm, n int) int {
	if c.depthwise != nil {
		return bn.GradientSumsSize(c.depthwise.data.bandsOf(n))
	}
	return bn.GradientSumsSize(mem.CeilDiv(n*c.s.H*c.s.W, rowBlock))
}

// GradientSumsWorkspace is [Conv.Workspace] for [Conv.BackwardDataSums].
func (c *Conv) GradientSumsWorkspace(n, threads int) int {
	waiting := rowBlock * c.s.C
	if c.depthwise != nil {
		waiting = c.depthwise.data.bandSize()
	}
	return c.Workspace(n, threads) + threads*mem.RoundUp(waiting, mem.Line)
}

// ReadsThrough reports whether the convolution can read its input through a batch norm, see [Conv.ReadThrough]: it
// copies what it reads anyway, and normalising the copy costs less than a pass over memory. An activation of more than
// a few operations would cost more, as the weight gradient computes it again.
func (c *Conv) ReadsThrough(bn *norm.BatchNorm) bool {
	if c.grouped != nil {
		return bn.Clamps() && c.winograd.forward == nil && c.winograd.weights == nil && c.grouped.readsThrough()
	}
	return c.depthwise != nil && (bn.Clamps() || bn.Act() == act.HardSwish)
}

// ReadThrough lets the next forward pass or weight gradient of n samples with the input at.X read
//
//	act((at.X[r,c] - mean[c]) * (gamma[c]*invstd[c]) + beta[c])
//
// instead, with the bits of [norm.BatchNorm.Apply] but without writing it. Padding stays zero. It panics unless
// [Conv.ReadsThrough] reports true.
func (c *Conv) ReadThrough(bn *norm.BatchNorm, n int, at norm.Operands) {
	if !c.ReadsThrough(bn) {
		panic("conv.Conv.ReadThrough: the convolution reads through no such batch norm")
	}
	c.through = bn.Input(n*c.s.H*c.s.W, at)
	if c.grouped != nil {
		c.grouped.readThrough(&c.through)
		return
	}
	c.depthwise.readThrough(&c.through)
}

// copyThrough is vec.CopyRows of the channels from first on, through a batch norm unless that is nil.
func copyThrough(in *norm.Input, dst []float32, dstRow int, src []float32, srcRow, rows, channels, first int) {
	vec.CopyRows(dst, dstRow, src, srcRow, rows, channels)
	if in != nil {
		in.Rows(dst, dstRow, rows, channels, first)
	}
}

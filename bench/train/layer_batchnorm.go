package train

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/models/graph"
)

// batchNormLayer is a batch norm, with the residual that is added to it and the activation that follows, if any.
type batchNormLayer struct {
	base
	tail
	kernel *norm.BatchNorm
	frozen bool // normalise by the running statistics and leave them alone
	plan   normPlan
	stats  normStatistics
	dx     norm.GradientRows // the input's gradient in the run in flight, where a convolution computes it
}

func newBatchNormLayer(b base, frozen bool) *batchNormLayer {
	l := &batchNormLayer{base: b, frozen: frozen}
	l.activate(act.None)
	return l
}

// activate makes the activation part of the layer.
func (l *batchNormLayer) activate(kind act.Kind) {
	op := l.node.Op.(graph.BatchNorm)
	l.act = kind
	l.kernel = norm.NewBatchNorm(l.node.Shape.C, float32(op.Eps), float32(op.Momentum), kind)
}

func (l *batchNormLayer) trains(c *compiler) bool { return c.trainsParams(l.node) }

// recomputable: without a residual it needs its one input only, which the backward pass reads anyway.
func (l *batchNormLayer) recomputable() bool { return l.residual == nil }

func (l *batchNormLayer) forward(c *compiler, out buffer) {
	if c.opt.Stage == Inference {
		l.constantStatistics(c)
	} else {
		c.scratch(l.kernel.Workspace(c.opt.Batch*l.positions(), c.threads))
	}
	switch {
	case c.opt.Stage == Inference:
	case l.frozen:
		l.runningStatistics(c)
	case l.plan.parts != nil:
		l.statisticsOfParts(c)
	case !l.plan.statistics:
		l.statistics(c)
	}
	switch {
	case l.plan.readThrough: // the layer that reads it computes it
	case l.plan.means != nil:
		l.applyWithMeans(c, out)
	default:
		l.recompute(c, out)
	}
}

func (l *batchNormLayer) recompute(c *compiler, out buffer) {
	kernel, positions, x := l.kernel, l.positions(), l.operands(c)
	if l.residual != nil {
		x.add = c.read(l.residual)
	}
	c.emit(l.label(Forward), x.buffers(), []buffer{out}, func(f *frame) {
		kernel.Apply(f.pool, f.n*positions, f.at(out), x.open(f))
	})
}

// applyWithMeans appends the step that computes the output and its means over all positions.
func (l *batchNormLayer) applyWithMeans(c *compiler, out buffer) {
	kernel, positions, x, pooled := l.kernel, l.positions(), l.operands(c), l.plan.means
	pooled.buf = c.newBuffer(pooled.size, 0)
	means := pooled.buf
	c.emit(l.label(Forward), x.buffers(), []buffer{out, means}, func(f *frame) {
		kernel.ApplyMeans(f.pool, f.n, positions, f.at(out), f.at(means), x.open(f))
	})
}

// normStatistics are a batch's statistics and the running ones, [norm.Statistics] as buffers.
type normStatistics struct {
	mean, invStd    buffer
	runMean, runVar []float32
}

func (s *normStatistics) open(f *frame) norm.Statistics {
	return norm.Statistics{Mean: f.at(s.mean), InvStd: f.at(s.invStd), RunMean: s.runMean, RunVar: s.runVar}
}

// newStatistics makes room for the statistics of a batch.
func (l *batchNormLayer) newStatistics(c *compiler) normStatistics {
	return l.statisticsIn(c, c.newBuffer(0, l.node.Shape.C), c.newBuffer(0, l.node.Shape.C))
}

func (l *batchNormLayer) statisticsIn(c *compiler, mean, invStd buffer) normStatistics {
	l.stats = normStatistics{
		mean: mean, invStd: invStd,
		runMean: c.weights.of(l.node.Buffers[0]), runVar: c.weights.of(l.node.Buffers[1]),
	}
	return l.stats
}

// runningStatistics appends the step that takes the statistics of earlier batches.
func (l *batchNormLayer) runningStatistics(c *compiler) {
	kernel := l.kernel
	to := l.newStatistics(c)
	c.emit(l.label(Statistics), nil, []buffer{to.mean, to.invStd}, func(f *frame) {
		kernel.Running(to.open(f))
	})
}

// constantStatistics has those of earlier batches, which inference uses, computed once.
func (l *batchNormLayer) constantStatistics(c *compiler) {
	kernel := l.kernel
	to := l.statisticsIn(c, c.newConstant(l.node.Shape.C), c.newConstant(l.node.Shape.C))
	c.constant(func(f *frame) { kernel.Running(to.open(f)) })
}

// statistics appends the step that reads the input for nothing else.
func (l *batchNormLayer) statistics(c *compiler) {
	kernel, positions := l.kernel, l.positions()
	to := l.newStatistics(c)
	x := c.read(l.in[0])
	c.emit(l.label(Statistics), []buffer{x}, []buffer{to.mean, to.invStd}, func(f *frame) {
		kernel.Stats(f.pool, f.n*positions, f.at(x), to.open(f), f.ws)
	})
}

// partStatistics are those of one part of concatenations, which all batch norms that read it share,
// [norm.PartStatistics] as buffers.
type partStatistics struct {
	by             *batchNormLayer // that computes them: the first
	mean, variance buffer
}

// statisticsOfParts appends the steps that compute the statistics of the parts that no batch norm has read before,
// and put all parts' together.
func (l *batchNormLayer) statisticsOfParts(c *compiler) {
	kernel, positions, parts := l.kernel, l.positions(), l.plan.parts
	to := l.newStatistics(c)
	var reads []buffer
	for i, part := range parts {
		if part.by == l {
			l.statisticsOfPart(c, part, l.in[i])
		}
		reads = append(reads, part.mean, part.variance)
	}
	statistics := make([]norm.PartStatistics, len(parts))
	c.emit(l.label(Statistics), reads, []buffer{to.mean, to.invStd}, func(f *frame) {
		for i, part := range parts {
			statistics[i] = norm.PartStatistics{Mean: f.at(part.mean), Variance: f.at(part.variance)}
		}
		kernel.StatsOfParts(f.n*positions, statistics, to.open(f))
	})
}

func (l *batchNormLayer) statisticsOfPart(c *compiler, part *partStatistics, v *value) {
	positions := l.positions()
	channels := v.size / positions
	part.mean, part.variance = c.newBuffer(0, channels), c.newBuffer(0, channels)
	kernel, x := norm.NewBatchNorm(channels, 0, 0, act.None), c.read(v)
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	c.emit(l.label(Statistics), []buffer{x}, []buffer{part.mean, part.variance}, func(f *frame) {
		to := norm.PartStatistics{Mean: f.at(part.mean), Variance: f.at(part.variance)}
		kernel.StatsOfPart(f.pool, f.n*positions, f.at(x), to, f.ws)
	})
}

// normOperands are what a batch norm is applied to, [norm.Operands] as buffers.
type normOperands struct {
	x, add, mean, invStd buffer
	gamma, beta          []float32
	parts                []buffer    // of x, which is none then; nil if it is one
	opened               []norm.Part // of the run in flight
}

// operands are the layer's, where a residual matters as the activation's gradient depends on it.
func (l *batchNormLayer) operands(c *compiler) normOperands {
	o := normOperands{
		x: none, add: none, mean: l.stats.mean, invStd: l.stats.invStd,
		gamma: c.weights.of(l.node.Params[0]), beta: c.weights.of(l.node.Params[1]),
	}
	if l.plan.parts != nil {
		for _, v := range l.in {
			o.parts = append(o.parts, c.read(v))
			o.opened = append(o.opened, norm.Part{Channels: v.size / l.positions()})
		}
	} else {
		o.x = c.read(l.in[0])
	}
	if l.residual != nil && l.act != act.None {
		o.add = c.read(l.residual)
	}
	return o
}

func (o *normOperands) buffers() []buffer {
	return append([]buffer{o.x, o.add, o.mean, o.invStd}, o.parts...)
}

// open returns the operands for the run in flight.
func (o *normOperands) open(f *frame) norm.Operands {
	for i, part := range o.parts {
		o.opened[i].X = f.at(part)
	}
	return norm.Operands{
		X: f.at(o.x), Parts: o.opened, Add: f.at(o.add),
		Mean: f.at(o.mean), InvStd: f.at(o.invStd), Gamma: o.gamma, Beta: o.beta,
	}
}

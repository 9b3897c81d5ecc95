package train

import (
	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models/graph"
)

// batchNormLayer is a batch norm, with the residual that is added to it and the activation
// that follows, if any.
type batchNormLayer struct {
	part
	kernel       *kernels.BatchNorm
	residual     *value
	act          kernels.Act
	frozen       bool // normalise by the running statistics and leave them alone
	mean, invStd buffer
}

func newBatchNormLayer(p part, op graph.BatchNorm, residual *value, act kernels.Act, frozen, fuses bool) *batchNormLayer {
	kernel := kernels.NewBatchNorm(p.at.Shape.C, float32(op.Eps), float32(op.Momentum), act)
	l := &batchNormLayer{part: p, kernel: kernel, residual: residual, act: act, frozen: frozen, mean: none}
	if conv, ok := p.in[0].maker.(*convLayer); ok && fuses && !frozen && conv.plain() && conv.norm == nil {
		conv.norm = l
	}
	return l
}

func (l *batchNormLayer) trains(c *compiler) bool { return c.trainsParams(l.at) }

// recomputable: without a residual it needs its one input only, which the backward pass reads anyway.
func (l *batchNormLayer) recomputable() bool { return l.residual == nil }

func (l *batchNormLayer) forward(c *compiler, out buffer) {
	kernel, positions := l.kernel, l.positions()
	x, add := c.read(l.in[0]), none
	if l.residual != nil {
		add = c.read(l.residual)
	}
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	if l.mean == none {
		l.statistics(c, x)
	}
	mean, invStd := l.mean, l.invStd
	gamma, beta := c.weights.of(l.at.Params[0]), c.weights.of(l.at.Params[1])
	c.emit(l.step("forward"), []buffer{x, add, mean, invStd}, []buffer{out}, func(f *frame) {
		kernel.Apply(f.pool, f.n*positions, f.at(out), f.at(x), f.at(add), f.at(mean), f.at(invStd), gamma, beta)
	})
}

func (l *batchNormLayer) statistics(c *compiler, x buffer) {
	kernel, positions := l.kernel, l.positions()
	mean, invStd, runMean, runVar := l.newStatistics(c)
	if l.frozen {
		c.emit(l.step("statistics"), nil, []buffer{mean, invStd}, func(f *frame) {
			kernel.Running(f.at(mean), f.at(invStd), runMean, runVar)
		})
		return
	}
	c.emit(l.step("statistics"), []buffer{x}, []buffer{mean, invStd}, func(f *frame) {
		kernel.Stats(f.pool, f.n*positions, f.at(x), f.at(mean), f.at(invStd), runMean, runVar, f.ws)
	})
}

// newStatistics makes room for the statistics of a batch, and returns it with the running ones.
func (l *batchNormLayer) newStatistics(c *compiler) (mean, invStd buffer, runMean, runVar []float32) {
	l.mean, l.invStd = c.newBuffer(0, l.at.Shape.C), c.newBuffer(0, l.at.Shape.C)
	return l.mean, l.invStd, c.weights.of(l.at.Buffers[0]), c.weights.of(l.at.Buffers[1])
}

// joinStatistics appends the step of a convolution that computes x and its statistics.
func (l *batchNormLayer) joinStatistics(c *compiler, conv *convLayer, x buffer) {
	norm, kernel := l.kernel, conv.kernel
	mean, invStd, runMean, runVar := l.newStatistics(c)
	w, bias := conv.parameters(c)
	in := c.read(conv.in[0])
	c.scratch(kernel.StatsWorkspace(norm, c.opt.Batch, c.threads))
	c.emit(conv.step("forward"), []buffer{in}, []buffer{x, mean, invStd}, func(f *frame) {
		kernel.ForwardStats(f.pool, f.n, f.at(x), f.at(in), w, bias, norm, f.at(mean), f.at(invStd), runMean, runVar, f.ws)
	})
}

func (l *batchNormLayer) backward(c *compiler, dy buffer) {
	kernel, positions := l.kernel, l.positions()
	x, add := c.read(l.in[0]), none
	if l.residual != nil {
		add = c.read(l.residual)
	}

	// The residual's gradient is dy behind the activation. It takes dy's place if it can, and
	// then the input's gradient can't.
	var rest contribution
	rest.dst = none
	inPlace := c.reusable(dy)
	if l.residual != nil && l.act != kernels.ActNone {
		if rest = c.contribute(l.residual, false, inPlace); rest.dst != none {
			inPlace = none
		}
	} else if l.residual != nil {
		if l.residual.needs {
			inPlace = none
		}
		add = none // without an activation its value doesn't matter
	}
	k := c.contribute(l.in[0], false, inPlace)

	gamma, beta := c.weights.of(l.at.Params[0]), c.weights.of(l.at.Params[1])
	dGamma, accumulate := c.parameterGradient(l.at.Params[0])
	dBeta, _ := c.parameterGradient(l.at.Params[1])
	mean, invStd := l.mean, l.invStd
	gradient := kernel.Backward
	if l.frozen {
		gradient = kernel.BackwardFixed
	}
	c.emit(l.step("gradient"), []buffer{dy, x, add, mean, invStd}, []buffer{k.dst, rest.dst}, func(f *frame) {
		gradient(f.pool, f.n*positions, f.at(k.dst), f.at(rest.dst), dGamma, dBeta, f.at(dy), f.at(x), f.at(add),
			f.at(mean), f.at(invStd), gamma, beta, accumulate, f.ws)
	})
	k.done()
	switch {
	case rest.dst != none:
		rest.done()
	case l.residual != nil && l.act == kernels.ActNone:
		c.pass(l.residual, dy)
	}
}

type layerNormLayer struct {
	part
	kernel       *kernels.LayerNorm
	mean, invStd buffer
}

func (l *layerNormLayer) trains(c *compiler) bool { return c.trainsParams(l.at) }
func (l *layerNormLayer) recomputable() bool      { return true }

func (l *layerNormLayer) forward(c *compiler, out buffer) {
	kernel, positions := l.kernel, l.positions()
	if !c.inBackward {
		l.mean, l.invStd = c.newBuffer(positions, 0), c.newBuffer(positions, 0)
	}
	x, mean, invStd := c.read(l.in[0]), l.mean, l.invStd
	gamma, beta := c.weights.of(l.at.Params[0]), c.weights.of(l.at.Params[1])
	c.emit(l.step("forward"), []buffer{x}, []buffer{out, mean, invStd}, func(f *frame) {
		kernel.Forward(f.pool, f.n*positions, f.at(out), f.at(x), gamma, beta, f.at(mean), f.at(invStd))
	})
}

func (l *layerNormLayer) backward(c *compiler, dy buffer) {
	kernel, positions := l.kernel, l.positions()
	x, mean, invStd := c.read(l.in[0]), l.mean, l.invStd
	gamma := c.weights.of(l.at.Params[0])
	dGamma, accumulate := c.parameterGradient(l.at.Params[0])
	dBeta, _ := c.parameterGradient(l.at.Params[1])
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	k := c.contribute(l.in[0], true, none)
	c.emit(l.step("gradient"), []buffer{dy, x, mean, invStd, k.add}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*positions, f.at(k.dst), dGamma, dBeta, f.at(dy), f.at(x), f.at(mean), f.at(invStd),
			gamma, f.at(k.add), accumulate, f.ws)
	})
	k.done()
}

// channelScaleLayer multiplies every channel by a learned factor.
type channelScaleLayer struct {
	part
	kernel *kernels.ChannelScale
}

func (l *channelScaleLayer) trains(c *compiler) bool { return c.trainsParams(l.at) }

func (l *channelScaleLayer) forward(c *compiler, out buffer) {
	kernel, positions, x := l.kernel, l.positions(), c.read(l.in[0])
	gamma := c.weights.of(l.at.Params[0])
	c.emit(l.step("forward"), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*positions, f.at(out), f.at(x), gamma)
	})
}

func (l *channelScaleLayer) backward(c *compiler, dy buffer) {
	kernel, positions, x := l.kernel, l.positions(), c.read(l.in[0])
	gamma := c.weights.of(l.at.Params[0])
	dGamma, accumulate := c.parameterGradient(l.at.Params[0])
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.step("gradient"), []buffer{dy, x}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*positions, f.at(k.dst), dGamma, f.at(dy), f.at(x), gamma, accumulate, f.ws)
	})
	k.done()
}

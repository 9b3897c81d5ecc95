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
	fuses        bool // its sums may be taken by other layers
	mean, invStd buffer
	summed       *normSums            // of the gradient, where a convolution has taken them
	rows         kernels.GradientRows // of the input's gradient in the run in flight, where a convolution computes it
}

// normSums are the sums of a batch norm's gradient.
type normSums struct {
	buffer
	blocks int // of the run in flight
}

func newBatchNormLayer(p part, op graph.BatchNorm, residual *value, act kernels.Act, frozen, fuses bool) *batchNormLayer {
	kernel := kernels.NewBatchNorm(p.at.Shape.C, float32(op.Eps), float32(op.Momentum), act)
	l := &batchNormLayer{part: p, kernel: kernel, residual: residual, act: act, frozen: frozen, fuses: fuses, mean: none}
	if conv, ok := p.in[0].maker.(*convLayer); ok && fuses && !frozen && conv.plain() && conv.norm == nil {
		conv.norm = l
	}
	return l
}

func (l *batchNormLayer) trains(c *compiler) bool { return c.trainsParams(l.at) }

// recomputable: without a residual it needs its one input only, which the backward pass reads anyway.
func (l *batchNormLayer) recomputable() bool { return l.residual == nil }

// reader returns the convolution that reads the input through the batch norm, nil if there is none.
func (l *batchNormLayer) reader() *convLayer {
	if !l.fuses || l.residual != nil || len(l.out.readers) != 1 {
		return nil
	}
	conv, ok := l.out.readers[0].(*convLayer)
	if !ok || conv.residual == l.out || !conv.kernel.ReadsThrough(l.kernel) {
		return nil
	}
	return conv
}

// pooled returns a layer that takes the mean over all positions of the output, which can be had where the output is made; nil
// if there is none. Tasks are whole samples then, too few of them where it is not for training.
func (l *batchNormLayer) pooled(c *compiler) *avgPoolLayer {
	if !l.fuses || l.residual != nil || c.inBackward || c.opt.Stage == Inference || !l.kernel.TakesMeans() {
		return nil
	}
	for _, reader := range l.out.readers {
		if pool, ok := reader.(*avgPoolLayer); ok && pool.mean {
			return pool
		}
	}
	return nil
}

func (l *batchNormLayer) forward(c *compiler, out buffer) {
	kernel, positions := l.kernel, l.positions()
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	if l.mean == none {
		l.statistics(c)
	}
	if l.reader() != nil {
		return
	}
	at := l.normalised(c)
	if l.residual != nil {
		at.add = c.read(l.residual)
	}
	if pool := l.pooled(c); pool != nil {
		means := c.newBuffer(pool.out.size, 0)
		pool.taken = &means
		c.emit(l.step(Forward), at.buffers(), []buffer{out, means}, func(f *frame) {
			kernel.ApplyMeans(f.pool, f.n, positions, f.at(out), f.at(means), at.at(f))
		})
		return
	}
	c.emit(l.step(Forward), at.buffers(), []buffer{out}, func(f *frame) {
		kernel.Apply(f.pool, f.n*positions, f.at(out), at.at(f))
	})
}

func (l *batchNormLayer) statistics(c *compiler) {
	kernel, positions := l.kernel, l.positions()
	mean, invStd, runMean, runVar := l.newStatistics(c)
	if l.frozen {
		c.emit(l.step(Statistics), nil, []buffer{mean, invStd}, func(f *frame) {
			kernel.Running(kernels.Statistics{Mean: f.at(mean), InvStd: f.at(invStd), RunMean: runMean, RunVar: runVar})
		})
		return
	}
	if l.inParts() {
		l.statisticsOfParts(c, mean, invStd, runMean, runVar)
		return
	}
	x := c.read(l.in[0])
	c.emit(l.step(Statistics), []buffer{x}, []buffer{mean, invStd}, func(f *frame) {
		to := kernels.Statistics{Mean: f.at(mean), InvStd: f.at(invStd), RunMean: runMean, RunVar: runVar}
		kernel.Stats(f.pool, f.n*positions, f.at(x), to, f.ws)
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
	in := conv.input(c)
	c.scratch(kernel.StatsWorkspace(norm, c.opt.Batch, c.threads))
	c.emit(conv.step(Forward), in.buffers(), []buffer{x, mean, invStd}, func(f *frame) {
		to := kernels.Statistics{Mean: f.at(mean), InvStd: f.at(invStd), RunMean: runMean, RunVar: runVar}
		kernel.ForwardStats(f.pool, f.n, f.at(x), in.open(f, kernel), w, bias, norm, to, f.ws)
	})
}

// joinGradient appends the step of a convolution that completes the gradient of the output and takes its sums.
func (l *batchNormLayer) joinGradient(c *compiler, conv *convLayer, k contribution, dy buffer) {
	norm, kernel := l.kernel, conv.kernel
	at := l.normalised(c)
	w, _ := conv.parameters(c)
	l.summed = &normSums{buffer: c.newBuffer(0, kernel.GradientSums(norm, c.opt.Batch))}
	sums := l.summed
	c.scratch(kernel.GradientSumsWorkspace(c.opt.Batch, c.threads))
	c.emit(conv.step(DataGradient), append(at.buffers(), dy, k.add), []buffer{k.dst, sums.buffer}, func(f *frame) {
		before := kernels.NormBefore{Norm: norm, At: at.at(f), Sums: f.at(sums.buffer)}
		sums.blocks = kernel.BackwardDataSums(f.pool, f.n, f.at(k.dst), f.at(dy), w, f.at(k.add), before, f.ws)
	})
}

// normalised is what a batch norm is applied to, [kernels.Normalised] as buffers.
type normalised struct {
	x, add, mean, invStd buffer
	gamma, beta          []float32
	parts                []buffer // of x, which is none then; nil if it is one
	taken                []kernels.Part
}

func (l *batchNormLayer) normalised(c *compiler) normalised {
	at := normalised{x: none, add: none, mean: l.mean, invStd: l.invStd}
	if l.inParts() {
		for _, v := range l.in {
			at.parts, at.taken = append(at.parts, c.read(v)), append(at.taken, kernels.Part{Channels: v.size / l.positions()})
		}
	} else {
		at.x = c.read(l.in[0])
	}
	if l.residual != nil && l.act != kernels.ActNone { // else its value doesn't matter
		at.add = c.read(l.residual)
	}
	at.gamma, at.beta = c.weights.of(l.at.Params[0]), c.weights.of(l.at.Params[1])
	return at
}

func (n *normalised) buffers() []buffer {
	return append([]buffer{n.x, n.add, n.mean, n.invStd}, n.parts...)
}

func (n *normalised) at(f *frame) kernels.Normalised {
	for i, part := range n.parts {
		n.taken[i].X = f.at(part)
	}
	return kernels.Normalised{X: f.at(n.x), Parts: n.taken, Add: f.at(n.add), Mean: f.at(n.mean), InvStd: f.at(n.invStd), Gamma: n.gamma, Beta: n.beta}
}

func (l *batchNormLayer) backward(c *compiler, dy buffer) {
	kernel, positions := l.kernel, l.positions()
	dGamma, accumulate := c.parameterGradient(l.at.Params[0])
	dBeta, _ := c.parameterGradient(l.at.Params[1])
	at := l.normalised(c)
	inPlace := c.reusable(dy)

	if sums := l.summed; sums != nil {
		// What is in dy is the residual's gradient, too.
		if l.residual != nil && l.residual.needs {
			inPlace = none
		}
		at.add = none
		switch {
		case l.inParts():
			l.backwardParts(c, dy, at, dGamma, dBeta, accumulate)
		case l.joins(c):
			l.settle(c, dy, at, dGamma, dBeta, accumulate)
		default:
			k, fixed := c.contribute(l.in[0], true, inPlace), l.frozen
			c.emit(l.step(Gradient), append(at.buffers(), dy, sums.buffer, k.add), []buffer{k.dst}, func(f *frame) {
				of := kernels.BatchNormGradient{
					DY: f.at(dy), At: at.at(f), Fixed: fixed, DGamma: dGamma, DBeta: dBeta, Accumulate: accumulate,
				}
				kernel.BackwardSummed(f.pool, f.n*positions, f.at(k.dst), f.at(k.add), of, sums.blocks, f.at(sums.buffer))
			})
			k.done()
		}
		if l.residual != nil {
			c.pass(l.residual, dy)
		}
		return
	}

	if gated := l.out.gated; gated != nil {
		joins := l.joins(c)
		k, fixed := c.contribute(l.in[0], false, inPlace), l.frozen
		c.emit(l.step(Gradient), append(at.buffers(), dy, gated.gate, gated.shift), []buffer{k.dst}, func(f *frame) {
			of := kernels.BatchNormGradient{
				DY: f.at(dy), At: at.at(f), Fixed: fixed, DGamma: dGamma, DBeta: dBeta, Accumulate: accumulate,
			}
			if joins {
				l.rows = kernel.SettleGated(f.pool, f.n*positions, f.at(k.dst), of, gated.at(f, positions), f.ws)
			} else {
				kernel.BackwardGated(f.pool, f.n*positions, f.at(k.dst), of, gated.at(f, positions), f.ws)
			}
		})
		k.done()
		if joins {
			l.in[0].behind = l
		}
		return
	}

	// The residual's gradient is dy behind the activation. It takes dy's place if it can, and
	// then the input's gradient can't.
	var rest contribution
	rest.dst = none
	if l.residual != nil && l.act != kernels.ActNone {
		if rest = c.contribute(l.residual, false, inPlace); rest.dst != none {
			inPlace = none
		}
	} else if l.residual != nil && l.residual.needs {
		inPlace = none
	}
	k := c.contribute(l.in[0], false, inPlace)
	fixed := l.frozen
	c.emit(l.step(Gradient), append(at.buffers(), dy), []buffer{k.dst, rest.dst}, func(f *frame) {
		of := kernels.BatchNormGradient{
			DY: f.at(dy), At: at.at(f), Fixed: fixed, DGamma: dGamma, DBeta: dBeta, Accumulate: accumulate,
		}
		kernel.Backward(f.pool, f.n*positions, f.at(k.dst), f.at(rest.dst), of, f.ws)
	})
	k.done()
	switch {
	case rest.dst != none:
		rest.done()
	case l.residual != nil && l.act == kernels.ActNone:
		c.pass(l.residual, dy)
	}
}

// joins tells whether the convolution before computes the gradient of its output where it reads it.
func (l *batchNormLayer) joins(c *compiler) bool {
	conv, ok := l.in[0].maker.(*convLayer)
	return ok && l.fuses && !l.inParts() && l.in[0].grad == none && len(l.in[0].readers) == 1 && conv.joins(c)
}

// settle appends the step that leaves the input's gradient to the convolution before, of which g is what the sums were taken
// of.
func (l *batchNormLayer) settle(c *compiler, g buffer, at normalised, dGamma, dBeta []float32, accumulate bool) {
	kernel, positions, sums, fixed := l.kernel, l.positions(), l.summed, l.frozen
	c.emit(l.step(Gradient), append(at.buffers(), g, sums.buffer), nil, func(f *frame) {
		of := kernels.BatchNormGradient{
			DY: f.at(g), At: at.at(f), Fixed: fixed, DGamma: dGamma, DBeta: dBeta, Accumulate: accumulate,
		}
		l.rows = kernel.SettleSummed(f.pool, f.n*positions, of, sums.blocks, f.at(sums.buffer))
	})
	c.hold(l.in[0], g)
	l.in[0].behind = l
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
	c.emit(l.step(Forward), []buffer{x}, []buffer{out, mean, invStd}, func(f *frame) {
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
	c.emit(l.step(Gradient), []buffer{dy, x, mean, invStd, k.add}, []buffer{k.dst}, func(f *frame) {
		of := kernels.LayerNormGradient{
			DY: f.at(dy), X: f.at(x), Mean: f.at(mean), RStd: f.at(invStd), Gamma: gamma,
			DX: f.at(k.dst), Add: f.at(k.add), DGamma: dGamma, DBeta: dBeta, Accumulate: accumulate,
		}
		kernel.Backward(f.pool, f.n*positions, of, f.ws)
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
	c.emit(l.step(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*positions, f.at(out), f.at(x), gamma)
	})
}

func (l *channelScaleLayer) backward(c *compiler, dy buffer) {
	kernel, positions, x := l.kernel, l.positions(), c.read(l.in[0])
	gamma := c.weights.of(l.at.Params[0])
	dGamma, accumulate := c.parameterGradient(l.at.Params[0])
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.step(Gradient), []buffer{dy, x}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*positions, f.at(k.dst), dGamma, f.at(dy), f.at(x), gamma, accumulate, f.ws)
	})
	k.done()
}

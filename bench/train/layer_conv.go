package train

import "github.com/reidbench/reidbench/kernels"

// convLayer is a convolution or linear layer, with the residual that is added to it and the
// ReLU that follows, if any.
type convLayer struct {
	part
	kernel   *kernels.Conv
	residual *value
	act      kernels.Act
	norm     *batchNormLayer // takes its statistics from the convolution, nil if none does
}

func (c *compiler) newConvLayer(p part, residual *value, act kernels.Act) (*convLayer, error) {
	shape, _ := ConvShape(p.at)
	shape.BeforeNorm = c.beforeNorm[p.at.ID]
	shape.Precision = c.opt.Precision
	kernel, err := kernels.NewConv(shape)
	if err != nil {
		return nil, err
	}
	return &convLayer{part: p, kernel: kernel, residual: residual, act: act}, nil
}

// plain tells whether nothing follows the convolution in its layer.
func (l *convLayer) plain() bool { return l.residual == nil && l.act == kernels.ActNone }

func (l *convLayer) trains(c *compiler) bool { return c.trainsParams(l.at) }

func (l *convLayer) parameters(c *compiler) (w, bias []float32) {
	w = c.weights.of(l.at.Params[0])
	if len(l.at.Params) > 1 {
		bias = c.weights.of(l.at.Params[1])
	}
	return w, bias
}

func (l *convLayer) forward(c *compiler, out buffer) {
	w, bias := l.parameters(c)
	x, add := l.input(c), none
	if l.residual != nil {
		add = c.read(l.residual)
	}
	kernel, act := l.kernel, l.act
	if l.norm != nil {
		l.norm.joinStatistics(c, l, out)
		return
	}
	c.scratch(kernel.Workspace(c.opt.Batch, c.threads))
	c.emit(l.step(Forward), append(x.buffers(), add), []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n, f.at(out), x.open(f, kernel), w, kernels.Epilogue{Bias: bias, Add: f.at(add), Act: act}, f.ws)
	})
}

// convInput is what a convolution reads, and how.
type convInput struct {
	x    buffer
	norm *kernels.BatchNorm // that x is read through, nil for none
	at   normalised
}

// input is the value that a layer has written, or what the batch norm before has read, if that writes nothing.
func (l *convLayer) input(c *compiler) convInput {
	norm, ok := l.in[0].maker.(*batchNormLayer)
	if !ok || norm.reader() != l {
		return convInput{x: c.read(l.in[0])}
	}
	at := norm.normalised(c)
	return convInput{at.x, norm.kernel, at}
}

func (i *convInput) buffers() []buffer {
	if i.norm == nil {
		return []buffer{i.x}
	}
	return i.at.buffers()
}

// open returns the input for the next call of the kernel.
func (i *convInput) open(f *frame, kernel *kernels.Conv) []float32 {
	if i.norm != nil {
		kernel.ReadThrough(i.norm, f.n, i.at.at(f))
	}
	return f.at(i.x)
}

// normBefore returns the batch norm of whose gradient the convolution can take the sums while it makes it, nil if there is
// none: the convolution has to be the last to add to that gradient.
func (l *convLayer) normBefore() *batchNormLayer {
	norm, ok := l.in[0].maker.(*batchNormLayer)
	if !ok || !norm.fuses || l.in[0].readers[0] != l || l.residual == l.in[0] || !l.kernel.SumsGradient(norm.kernel, norm.residual != nil) {
		return nil
	}
	return norm
}

// joins tells whether the whole backward pass is one step, if there is a batch norm behind.
func (l *convLayer) joins(c *compiler) bool {
	return l.plain() && len(l.at.Params) == 1 && l.in[0].needs && l.trains(c) && l.kernel.JoinsBackward()
}

// backwardJoint appends the whole backward pass, where g is the gradient behind the activation of the batch norm behind.
func (l *convLayer) backwardJoint(c *compiler, g buffer) {
	kernel, behind := l.kernel, l.out.behind
	w, _ := l.parameters(c)
	x, y := l.input(c), behind.normalised(c)
	y.add = none
	dw, accumulate := c.parameterGradient(l.at.Params[0])
	k := c.contribute(l.in[0], true, none)
	reads, writes := append(append(x.buffers(), y.buffers()...), g, k.add), []buffer{k.dst}
	var before *kernels.BatchNorm
	var at normalised
	sums := &normSums{buffer: none}
	if norm := l.normBefore(); norm != nil {
		before, at = norm.kernel, norm.normalised(c)
		sums.buffer = c.newBuffer(0, kernel.JointSums(before, c.opt.Batch))
		norm.summed = sums
		reads, writes = append(reads, at.buffers()...), append(writes, sums.buffer)
	}
	c.scratch(kernel.JointWorkspace(c.opt.Batch, c.threads))
	args := &kernels.Joint{} // of the run in flight
	c.emit(l.step(BothGradients), reads, writes, func(f *frame) {
		*args = kernels.Joint{
			DX: f.at(k.dst), Add: f.at(k.add), DW: dw, Accumulate: accumulate,
			DY: behind.rows, X: x.open(f, kernel), W: w,
		}
		if before != nil {
			args.Before = kernels.NormBefore{Norm: before, At: at.at(f), Sums: f.at(sums.buffer)}
		}
		sums.blocks = kernel.BackwardJoint(f.pool, f.n, args, f.ws)
	})
	k.done()
}

func (l *convLayer) backward(c *compiler, dy buffer) {
	if l.out.behind != nil {
		l.backwardJoint(c, dy)
		return
	}
	kernel := l.kernel
	if l.act != kernels.ActNone {
		dy = reluGradient(c, &l.part, l.act, dy)
	}
	w, _ := l.parameters(c)
	if l.trains(c) {
		x := l.input(c)
		dw, accumulate := c.parameterGradient(l.at.Params[0])
		var db []float32
		if len(l.at.Params) > 1 {
			db, _ = c.parameterGradient(l.at.Params[1])
		}
		c.emit(l.step(WeightGradient), append(x.buffers(), dy), nil, func(f *frame) {
			kernel.BackwardWeights(f.pool, f.n, dw, db, f.at(dy), x.open(f, kernel), accumulate, f.ws)
		})
	}
	k := c.contribute(l.in[0], true, none)
	if norm := l.normBefore(); norm != nil && k.dst != none {
		norm.joinGradient(c, l, k, dy)
		k.done()
	} else if k.dst != none {
		c.emit(l.step(DataGradient), []buffer{dy, k.add}, []buffer{k.dst}, func(f *frame) {
			kernel.BackwardData(f.pool, f.n, f.at(k.dst), f.at(dy), w, f.at(k.add), f.ws)
		})
		k.done()
	}
	if l.residual != nil {
		c.pass(l.residual, dy)
	}
}

package train

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/kernels/norm"
)

// convLayer is a convolution or linear layer, with the residual that is added to it and the activation that follows, if
// any: in training a ReLU.
type convLayer struct {
	base
	tail
	kernel *conv.Conv
	plan   convPlan
}

func (c *compiler) newConvLayer(b base) (*convLayer, error) {
	shape, _ := ConvShape(b.node)
	shape.BeforeNorm = c.beforeNorm[b.node.ID]
	shape.Precision = c.opt.Precision
	shape.Inference = c.opt.Stage == Inference
	shape.Kept = shape.Inference && c.opt.Batch <= packedBatch
	kernel, err := conv.New(shape)
	if err != nil {
		return nil, err
	}
	return &convLayer{base: b, kernel: kernel}, nil
}

func (l *convLayer) trains(c *compiler) bool { return c.trainsParams(l.node) }

func (l *convLayer) parameters(c *compiler) (w, bias []float32) {
	w = c.weights.of(l.node.Params[0])
	if len(l.node.Params) > 1 {
		bias = c.weights.of(l.node.Params[1])
	}
	return w, bias
}

func (l *convLayer) forward(c *compiler, out buffer) {
	if l.plan.statistics != nil {
		l.forwardStatistics(c, out)
		return
	}
	kernel := l.kernel
	x, add := l.input(c), none
	if l.residual != nil {
		add = c.read(l.residual)
	}
	if c.opt.Stage == Inference {
		c.scratch(kernel.ForwardWorkspace(c.opt.Batch, c.threads))
	} else {
		c.scratch(kernel.Workspace(c.opt.Batch, c.threads))
	}
	weights := l.weights(c)
	c.emit(l.label(Forward), append(x.buffers(), add), []buffer{out}, func(f *frame) {
		w, bias := weights.open(f)
		epilogue := conv.Epilogue{Bias: bias, Add: f.at(add), Act: l.act}
		kernel.Forward(f.pool, f.n, f.at(out), x.open(f, kernel), w, epilogue, f.ws)
	})
}

// forwardStatistics appends the step that also takes the statistics of the output for the batch norm after it.
func (l *convLayer) forwardStatistics(c *compiler, out buffer) {
	kernel, after := l.kernel, l.plan.statistics
	w, bias := l.parameters(c)
	x := l.input(c)
	to := after.newStatistics(c)
	c.scratch(kernel.StatsWorkspace(after.kernel, c.opt.Batch, c.threads))
	c.emit(l.label(Forward), x.buffers(), []buffer{out, to.mean, to.invStd}, func(f *frame) {
		kernel.ForwardStats(f.pool, f.n, f.at(out), x.open(f, kernel), w, bias, after.kernel, to.open(f), f.ws)
	})
}

// convInput is what a convolution reads, and how.
type convInput struct {
	x    buffer
	norm *norm.BatchNorm // that x is read through, nil for none
	of   normOperands    // what that is applied to
}

// input is what the layer before has written or, if that is a batch norm which writes nothing, what it has read.
func (l *convLayer) input(c *compiler) convInput {
	before := l.plan.through
	if before == nil {
		return convInput{x: c.read(l.in[0])}
	}
	of := before.operands(c)
	return convInput{of.x, before.kernel, of}
}

func (i *convInput) buffers() []buffer {
	if i.norm == nil {
		return []buffer{i.x}
	}
	return i.of.buffers()
}

// open returns the input for the next call of the kernel.
func (i *convInput) open(f *frame, kernel *conv.Conv) []float32 {
	if i.norm != nil {
		kernel.ReadThrough(i.norm, f.n, i.of.open(f))
	}
	return f.at(i.x)
}

func (l *convLayer) backward(c *compiler, dy buffer) {
	if l.plan.joint != nil {
		l.backwardJoint(c, dy)
		return
	}
	if l.act != act.None {
		dy = reluGradient(c, &l.base, l.act, dy)
	}
	if l.trains(c) {
		l.backwardWeights(c, dy)
	}
	k := c.contribute(l.in[0], true, none)
	switch {
	case k.dst == none:
	case l.plan.sums != nil:
		l.backwardDataSums(c, k, dy)
	default:
		l.backwardData(c, k, dy)
	}
	k.done()
	if l.residual != nil {
		c.pass(l.residual, dy)
	}
}

func (l *convLayer) backwardWeights(c *compiler, dy buffer) {
	kernel, x := l.kernel, l.input(c)
	dw, accumulate := c.parameterGradient(l.node.Params[0])
	var db []float32
	if len(l.node.Params) > 1 {
		db, _ = c.parameterGradient(l.node.Params[1])
	}
	c.emit(l.label(WeightGradient), append(x.buffers(), dy), nil, func(f *frame) {
		kernel.BackwardWeights(f.pool, f.n, dw, db, f.at(dy), x.open(f, kernel), accumulate, f.ws)
	})
}

func (l *convLayer) backwardData(c *compiler, k contribution, dy buffer) {
	kernel := l.kernel
	w, _ := l.parameters(c)
	c.emit(l.label(DataGradient), []buffer{dy, k.add}, []buffer{k.dst}, func(f *frame) {
		kernel.BackwardData(f.pool, f.n, f.at(k.dst), f.at(dy), w, f.at(k.add), f.ws)
	})
}

// backwardDataSums appends the step that makes the gradient of the batch norm before it, and takes the sums of that.
func (l *convLayer) backwardDataSums(c *compiler, k contribution, dy buffer) {
	kernel, sums := l.kernel, l.plan.sums
	before := sums.layer
	x := before.operands(c)
	w, _ := l.parameters(c)
	sums.buffer = c.newBuffer(0, kernel.GradientSumsSize(before.kernel, c.opt.Batch))
	c.scratch(kernel.GradientSumsWorkspace(c.opt.Batch, c.threads))
	c.emit(l.label(DataGradient), append(x.buffers(), dy, k.add), []buffer{k.dst, sums.buffer}, func(f *frame) {
		to := conv.NormBefore{Norm: before.kernel, At: x.open(f), Sums: f.at(sums.buffer)}
		sums.blocks = kernel.BackwardDataSums(f.pool, f.n, f.at(k.dst), f.at(dy), w, f.at(k.add), to, f.ws)
	})
}

// backwardJoint appends the whole backward pass, where g is the gradient before the activation of the batch norm
// after the layer.
func (l *convLayer) backwardJoint(c *compiler, g buffer) {
	kernel, after := l.kernel, l.plan.joint
	w, _ := l.parameters(c)
	x, y := l.input(c), after.operands(c)
	y.add = none
	dw, accumulate := c.parameterGradient(l.node.Params[0])
	k := c.contribute(l.in[0], true, none)
	reads, writes := append(append(x.buffers(), y.buffers()...), g, k.add), []buffer{k.dst}
	var of normOperands
	sums := &gradientSums{buffer: none}
	if l.plan.sums != nil {
		sums = l.plan.sums
		of = sums.layer.operands(c)
		sums.buffer = c.newBuffer(0, kernel.JointSumsSize(sums.layer.kernel, c.opt.Batch))
		reads, writes = append(reads, of.buffers()...), append(writes, sums.buffer)
	}
	c.scratch(kernel.JointWorkspace(c.opt.Batch, c.threads))
	args := &conv.Joint{} // of the run in flight
	c.emit(l.label(BothGradients), reads, writes, func(f *frame) {
		*args = conv.Joint{
			DX: f.at(k.dst), Add: f.at(k.add), DW: dw, Accumulate: accumulate,
			DY: after.dx, X: x.open(f, kernel), W: w,
		}
		if before := sums.layer; before != nil {
			args.Before = conv.NormBefore{Norm: before.kernel, At: of.open(f), Sums: f.at(sums.buffer)}
		}
		sums.blocks = kernel.BackwardJoint(f.pool, f.n, args, f.ws)
	})
	k.done()
}

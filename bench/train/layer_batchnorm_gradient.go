package train

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/norm"
)

// gradientSums are the sums of a batch norm's gradient, which a convolution takes while it makes that gradient.
type gradientSums struct {
	layer *batchNormLayer // whose gradient it is
	buffer
	blocks int // of the run in flight
}

func (l *batchNormLayer) backward(c *compiler, dy buffer) {
	switch p := &l.plan; {
	case p.parts != nil:
		l.backwardParts(c, dy)
	case p.joint && p.sums != nil:
		l.leaveSummed(c, dy)
	case p.sums != nil:
		l.backwardSummed(c, dy)
	case p.gate != nil:
		l.backwardGated(c, dy)
	case l.residual != nil:
		l.backwardResidual(c, dy)
	default:
		l.backwardAlone(c, dy)
	}
}

// normGradient is what all backward passes of a batch norm take, [norm.BatchNormGradient] as buffers.
type normGradient struct {
	dy            buffer
	of            normOperands
	fixed         bool
	dGamma, dBeta []float32
	accumulate    bool
}

func (l *batchNormLayer) gradient(c *compiler, dy buffer) (g normGradient) {
	g.dGamma, g.accumulate = c.parameterGradient(l.node.Params[0])
	g.dBeta, _ = c.parameterGradient(l.node.Params[1])
	g.dy, g.of, g.fixed = dy, l.operands(c), l.frozen
	return g
}

func (g *normGradient) buffers() []buffer { return append(g.of.buffers(), g.dy) }

// open returns the arguments for the run in flight.
func (g *normGradient) open(f *frame) norm.BatchNormGradient {
	return norm.BatchNormGradient{
		DY: f.at(g.dy), At: g.of.open(f), Fixed: g.fixed,
		DGamma: g.dGamma, DBeta: g.dBeta, Accumulate: g.accumulate,
	}
}

// backwardAlone appends the step that needs nothing of other layers.
func (l *batchNormLayer) backwardAlone(c *compiler, dy buffer) {
	kernel, positions, of := l.kernel, l.positions(), l.gradient(c, dy)
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.label(Gradient), of.buffers(), []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*positions, f.at(k.dst), nil, of.open(f), f.ws)
	})
	k.done()
}

// backwardResidual is backwardAlone with a residual, whose gradient is that before the activation. It takes dy's
// place if it can, and then the input's gradient can't.
func (l *batchNormLayer) backwardResidual(c *compiler, dy buffer) {
	kernel, positions, of := l.kernel, l.positions(), l.gradient(c, dy)
	inPlace := c.reusable(dy)
	rest := contribution{dst: none}
	if l.act != act.None {
		rest = c.contribute(l.residual, false, inPlace)
	}
	if l.residual.needs {
		inPlace = none
	}
	k := c.contribute(l.in[0], false, inPlace)
	c.emit(l.label(Gradient), of.buffers(), []buffer{k.dst, rest.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*positions, f.at(k.dst), f.at(rest.dst), of.open(f), f.ws)
	})
	k.done()
	if l.act != act.None {
		rest.done()
	} else {
		c.pass(l.residual, dy)
	}
}

// backwardSummed appends the step for a gradient dy that has passed the activation and is summed: a convolution did
// both.
func (l *batchNormLayer) backwardSummed(c *compiler, dy buffer) {
	kernel, positions, sums := l.kernel, l.positions(), l.plan.sums
	of := l.gradient(c, dy)
	of.of.add = none
	inPlace := c.reusable(dy)
	if l.residual != nil && l.residual.needs { // dy is its gradient, too
		inPlace = none
	}
	k := c.contribute(l.in[0], true, inPlace)
	c.emit(l.label(Gradient), append(of.buffers(), sums.buffer, k.add), []buffer{k.dst}, func(f *frame) {
		dx, add := f.at(k.dst), f.at(k.add)
		kernel.BackwardSummed(f.pool, f.n*positions, dx, add, of.open(f), sums.blocks, f.at(sums.buffer))
	})
	k.done()
	if l.residual != nil {
		c.pass(l.residual, dy)
	}
}

// backwardParts is backwardSummed for an input in parts, each of which gets its own gradient.
func (l *batchNormLayer) backwardParts(c *compiler, dy buffer) {
	kernel, positions, sums, of := l.kernel, l.positions(), l.plan.sums, l.gradient(c, dy)
	var parts []contribution
	reads, writes := append(of.buffers(), sums.buffer), []buffer(nil)
	for _, v := range l.in {
		k := c.contribute(v, true, none)
		parts, reads, writes = append(parts, k), append(reads, k.add), append(writes, k.dst)
	}
	gradients := make([]norm.PartGradient, len(parts))
	c.emit(l.label(Gradient), reads, writes, func(f *frame) {
		for i, k := range parts {
			gradients[i] = norm.PartGradient{DX: f.at(k.dst), Add: f.at(k.add)}
		}
		kernel.BackwardSummedParts(f.pool, f.n*positions, gradients, of.open(f), sums.blocks, f.at(sums.buffer))
	})
	for _, k := range parts {
		k.done()
	}
}

// leaveSummed is backwardSummed without the input's gradient: the convolution that made the input computes that from
// dy where it reads it.
func (l *batchNormLayer) leaveSummed(c *compiler, dy buffer) {
	kernel, positions, sums := l.kernel, l.positions(), l.plan.sums
	of := l.gradient(c, dy)
	of.of.add = none
	c.emit(l.label(Gradient), append(of.buffers(), sums.buffer), nil, func(f *frame) {
		l.dx = kernel.SettleSummed(f.pool, f.n*positions, of.open(f), sums.blocks, f.at(sums.buffer))
	})
	c.hold(l.in[0], dy)
	if l.residual != nil {
		c.pass(l.residual, dy)
	}
}

// backwardGated appends the step for a gradient dy that is a gate's output's: the gate has left its factor to the
// batch norm, and a mean over all positions what it adds. What the step writes is the input's gradient or, for a
// convolution that computes that where it reads it, the one before gate and activation.
func (l *batchNormLayer) backwardGated(c *compiler, dy buffer) {
	kernel, positions, of := l.kernel, l.positions(), l.gradient(c, dy)
	gate, shift, joint := c.read(l.plan.gate), none, l.plan.joint
	if l.plan.shift != nil {
		shift = l.plan.shift.buffer
	}
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.label(Gradient), append(of.buffers(), gate, shift), []buffer{k.dst}, func(f *frame) {
		missing := norm.Gated{Gate: f.at(gate), Shift: f.at(shift), Rows: positions}
		if joint {
			l.dx = kernel.SettleGated(f.pool, f.n*positions, f.at(k.dst), of.open(f), missing, f.ws)
		} else {
			kernel.BackwardGated(f.pool, f.n*positions, f.at(k.dst), of.open(f), missing, f.ws)
		}
	})
	k.done()
}

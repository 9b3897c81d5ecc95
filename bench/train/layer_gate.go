package train

import (
	"github.com/reidbench/reidbench/kernels/pointwise"
)

// gateLayer multiplies every channel of the first input by the second input's.
type gateLayer struct {
	base
	kernel *pointwise.ChannelGate
	plan   gatePlan
}

func (l *gateLayer) recomputable() bool { return true }

func (l *gateLayer) recompute(c *compiler, out buffer) { l.forward(c, out) }

func (l *gateLayer) forward(c *compiler, out buffer) {
	kernel, x, g := l.kernel, c.read(l.in[0]), c.read(l.in[1])
	c.emit(l.label(Forward), []buffer{x, g}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n, f.at(out), f.at(x), f.at(g))
	})
}

func (l *gateLayer) backward(c *compiler, dy buffer) {
	if l.plan.gradient {
		l.backwardGate(c, dy)
		return
	}
	kernel, x, g := l.kernel, c.read(l.in[0]), c.read(l.in[1])
	dx := c.contribute(l.in[0], false, c.reusable(dy))
	dg := c.contribute(l.in[1], false, none)
	c.emit(l.label(Gradient), []buffer{dy, x, g}, []buffer{dx.dst, dg.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n, f.at(dx.dst), f.at(dg.dst), f.at(dy), f.at(x), f.at(g))
	})
	dx.done()
	dg.done()
}

// backwardGate appends the step for the gate's gradient, and leaves dy to the first input.
func (l *gateLayer) backwardGate(c *compiler, dy buffer) {
	kernel, x := l.kernel, c.read(l.in[0])
	dg := c.contribute(l.in[1], false, none)
	c.emit(l.label(Gradient), []buffer{dy, x}, []buffer{dg.dst}, func(f *frame) {
		kernel.BackwardGate(f.pool, f.n, f.at(dg.dst), f.at(dy), f.at(x))
	})
	dg.done()
	c.hold(l.in[0], dy)
}

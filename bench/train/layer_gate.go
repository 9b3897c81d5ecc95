package train

import "github.com/reidbench/reidbench/kernels"

// gateLayer multiplies every channel of the first input by the second input's.
type gateLayer struct {
	part
	kernel *kernels.ChannelGate
}

func (l *gateLayer) recomputable() bool { return true }

func (l *gateLayer) forward(c *compiler, out buffer) {
	kernel, x, g := l.kernel, c.read(l.in[0]), c.read(l.in[1])
	c.emit(l.step(Forward), []buffer{x, g}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n, f.at(out), f.at(x), f.at(g))
	})
}

func (l *gateLayer) backward(c *compiler, dy buffer) {
	kernel, x, g := l.kernel, c.read(l.in[0]), c.read(l.in[1])
	if norm, ok := l.in[0].maker.(*batchNormLayer); ok && norm.fuses && norm.residual == nil && l.in[0].needs && l.in[0].grad == none {
		dg := c.contribute(l.in[1], false, none)
		c.emit(l.step(Gradient), []buffer{dy, x}, []buffer{dg.dst}, func(f *frame) {
			kernel.BackwardGate(f.pool, f.n, f.at(dg.dst), f.at(dy), f.at(x))
		})
		dg.done()
		c.hold(l.in[0], dy)
		l.in[0].gated = &gated{layer: l, gate: g, shift: none}
		return
	}
	dx := c.contribute(l.in[0], false, c.reusable(dy))
	dg := c.contribute(l.in[1], false, none)
	c.emit(l.step(Gradient), []buffer{dy, x, g}, []buffer{dx.dst, dg.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n, f.at(dx.dst), f.at(dg.dst), f.at(dy), f.at(x), f.at(g))
	})
	dx.done()
	dg.done()
}

// gated is what is missing in a gradient that is held as a gate's output has it: the gate's factor, and what is the same for
// all positions. The batch norm that made the value makes up for it where it reads the gradient anyway.
type gated struct {
	layer       *gateLayer
	gate, shift buffer
}

func (g *gated) at(f *frame, positions int) kernels.Gated {
	return kernels.Gated{Gate: f.at(g.gate), Shift: f.at(g.shift), Rows: positions}
}

// settle makes the gradient of v complete.
func (c *compiler) settle(v *value) {
	g := v.gated
	if g == nil {
		return
	}
	v.gated = nil
	kernel, dy, dx := g.layer.kernel, v.grad, c.reusable(v.grad)
	if dx == none {
		dx = c.newBuffer(v.size, 0)
	}
	c.emit(g.layer.step(Gradient), []buffer{dy, g.gate, g.shift}, []buffer{dx}, func(f *frame) {
		kernel.BackwardInput(f.pool, f.n, f.at(dx), f.at(dy), f.at(g.gate), f.at(g.shift))
	})
	if dx != dy {
		c.release(v)
		c.hold(v, dx)
	}
}

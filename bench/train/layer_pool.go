package train

import (
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/pointwise"
	"github.com/reidbench/reidbench/kernels/pooling"
	"github.com/reidbench/reidbench/models/graph"
)

func poolShape(in graph.Shape, kernel, stride, pad graph.Size2, ceil bool) pooling.Shape {
	return pooling.Shape{
		H: in.H, W: in.W, C: in.C,
		KH: kernel.H, KW: kernel.W, SH: stride.H, SW: stride.W, PH: pad.H, PW: pad.W,
		Ceil: ceil,
	}
}

// maxPoolLayer remembers which position of each window was the largest, a byte each.
type maxPoolLayer struct {
	base
	kernel *pooling.Max
	which  buffer
}

func (l *maxPoolLayer) forward(c *compiler, out buffer) {
	kernel, x := l.kernel, c.read(l.in[0])
	l.which = none
	if l.out.needs {
		l.which = c.newBuffer((l.out.size+3)/4, 0)
	}
	which := l.which
	c.emit(l.label(Forward), []buffer{x}, []buffer{out, which}, func(f *frame) {
		kernel.Forward(f.pool, f.n, f.at(out), f.at(x), bytesOf(f.at(which)))
	})
}

func (l *maxPoolLayer) backward(c *compiler, dy buffer) {
	kernel, which := l.kernel, l.which
	k := c.contribute(l.in[0], false, none)
	c.emit(l.label(Gradient), []buffer{dy, which}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n, f.at(k.dst), f.at(dy), bytesOf(f.at(which)))
	})
	k.done()
}

// A linearMap is a kernel whose gradient needs neither input nor output.
type linearMap interface {
	Forward(p *parallel.Pool, n int, y, x []float32)
	Backward(p *parallel.Pool, n int, dx, dy []float32)
}

// mapLayer is one linear map: upsampling, flattening to PyTorch's order [C, H, W], or gathering pixels into the
// sequences of their windows.
type mapLayer struct {
	base
	kernel linearMap
}

func (l *mapLayer) forward(c *compiler, out buffer) {
	kernel, x := l.kernel, c.read(l.in[0])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n, f.at(out), f.at(x))
	})
}

func (l *mapLayer) backward(c *compiler, dy buffer) {
	kernel, k := l.kernel, c.contribute(l.in[0], false, none)
	c.emit(l.label(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n, f.at(k.dst), f.at(dy))
	})
	k.done()
}

// avgPoolLayer is the mean over windows, or over all positions.
type avgPoolLayer struct {
	mapLayer
	global bool // over all positions
	plan   poolPlan
}

// meanShift is what a mean over all positions adds to the gradient of each, where the batch norm before it does that.
type meanShift struct{ buffer }

func (l *avgPoolLayer) forward(c *compiler, out buffer) {
	if !l.plan.means {
		l.mapLayer.forward(c, out)
	}
}

func (l *avgPoolLayer) backward(c *compiler, dy buffer) {
	if l.plan.shift == nil {
		l.mapLayer.backward(c, dy)
		return
	}
	size, share := l.out.size, pointwise.NewScale(1/float32(l.inputShape().Positions()))
	shift := c.newBuffer(size, 0)
	l.plan.shift.buffer = shift
	c.emit(l.label(Gradient), []buffer{dy}, []buffer{shift}, func(f *frame) {
		share.Forward(f.pool, f.n*size, f.at(shift), f.at(dy), nil)
	})
}

package train

import (
	"hash/fnv"

	"github.com/reidbench/reidbench/kernels"
	"github.com/reidbench/reidbench/models/graph"
)

type actLayer struct {
	part
	kernel *kernels.Activation
}

func (l *actLayer) recomputable() bool { return true }

func (l *actLayer) forward(c *compiler, out buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	c.emit(l.step(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(out), f.at(x))
	})
}

func (l *actLayer) backward(c *compiler, dy buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.step(Gradient), []buffer{dy, x}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*size, f.at(k.dst), f.at(dy), f.at(x))
	})
	k.done()
}

// addLayer sums its inputs and applies an activation.
type addLayer struct {
	part
	act kernels.Act
}

func (l *addLayer) forward(c *compiler, out buffer) {
	size := l.out.size
	sum := c.read(l.in[0])
	for i, v := range l.in[1:] {
		act := kernels.ActNone
		if i == len(l.in)-2 {
			act = l.act
		}
		kernel, a, b := kernels.NewAdd(act), sum, c.read(v)
		c.emit(l.step(Forward), []buffer{a, b}, []buffer{out}, func(f *frame) {
			kernel.Forward(f.pool, f.n*size, f.at(out), f.at(a), f.at(b))
		})
		sum = out
	}
}

func (l *addLayer) backward(c *compiler, dy buffer) {
	if l.act != kernels.ActNone {
		dy = reluGradient(c, &l.part, l.act, dy)
	}
	for _, v := range l.in {
		c.pass(v, dy)
	}
}

// reluGradient emits the gradient behind a ReLU that is fused into a layer, from the layer's
// output: ReLU's slope is the same before and after it.
func reluGradient(c *compiler, p *part, act kernels.Act, dy buffer) buffer {
	kernel, size, y, dz := kernels.NewActivation(act), p.out.size, c.read(p.out), c.reusable(dy)
	if dz == none {
		dz = c.newBuffer(size, 0)
	}
	c.emit(p.step(ActivationGradient), []buffer{dy, y}, []buffer{dz}, func(f *frame) {
		kernel.Backward(f.pool, f.n*size, f.at(dz), f.at(dy), f.at(y))
	})
	return dz
}

// productLayer multiplies two values of one shape.
type productLayer struct {
	part
	kernel *kernels.Mul
}

func (l *productLayer) forward(c *compiler, out buffer) {
	kernel, size, a, b := l.kernel, l.out.size, c.read(l.in[0]), c.read(l.in[1])
	c.emit(l.step(Forward), []buffer{a, b}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(out), f.at(a), f.at(b))
	})
}

func (l *productLayer) backward(c *compiler, dy buffer) {
	kernel, size, a, b := l.kernel, l.out.size, c.read(l.in[0]), c.read(l.in[1])
	da, db := c.contribute(l.in[0], false, none), c.contribute(l.in[1], false, none)
	c.emit(l.step(Gradient), []buffer{dy, a, b}, []buffer{da.dst, db.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*size, f.at(da.dst), f.at(db.dst), f.at(dy), f.at(a), f.at(b))
	})
	da.done()
	db.done()
}

// scaleLayer multiplies by a constant.
type scaleLayer struct {
	part
	kernel *kernels.Scale
}

func (l *scaleLayer) forward(c *compiler, out buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	c.emit(l.step(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(out), f.at(x), nil)
	})
}

func (l *scaleLayer) backward(c *compiler, dy buffer) {
	kernel, size := l.kernel, l.out.size
	k := c.contribute(l.in[0], true, none)
	c.emit(l.step(Gradient), []buffer{dy, k.add}, []buffer{k.dst}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(k.dst), f.at(dy), f.at(k.add))
	})
	k.done()
}

// masks is dropout by element or by sample; the mask is a function of the training step, so
// that the backward pass makes it again.
type masks interface {
	Forward(p *kernels.Pool, n, perSample int, y, x []float32, step uint64)
}

type dropoutLayer struct {
	part
	kernel masks
}

// newDropout returns nil where dropping does nothing.
func (c *compiler) newDropout(p part) layer {
	key := fnv.New64a()
	key.Write([]byte(p.at.Name))
	seed := key.Sum64() ^ c.opt.Seed
	if c.opt.NoDropout || c.frozen[p.at] {
		return nil
	}
	switch op := p.at.Op.(type) {
	case graph.Dropout:
		if op.P > 0 {
			return &dropoutLayer{p, byElement{kernels.NewDropout(op.P, seed)}}
		}
	case graph.DropPath:
		if op.P > 0 {
			return &dropoutLayer{p, kernels.NewDropPath(op.P, seed)}
		}
	}
	return nil
}

type byElement struct{ *kernels.Dropout }

func (d byElement) Forward(p *kernels.Pool, n, perSample int, y, x []float32, step uint64) {
	d.Dropout.Forward(p, n*perSample, y, x, step)
}

func (l *dropoutLayer) recomputable() bool { return true }

func (l *dropoutLayer) forward(c *compiler, out buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	c.emit(l.step(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n, size, f.at(out), f.at(x), f.step)
	})
}

func (l *dropoutLayer) backward(c *compiler, dy buffer) {
	kernel, size := l.kernel, l.out.size
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.step(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
		kernel.Forward(f.pool, f.n, size, f.at(k.dst), f.at(dy), f.step)
	})
	k.done()
}

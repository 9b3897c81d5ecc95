package train

import (
	"fmt"
	"hash/fnv"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/pointwise"
	"github.com/reidbench/reidbench/models/graph"
)

// actLayer is an activation that no other layer applies.
type actLayer struct {
	base
	act    act.Kind
	kernel *pointwise.Activation
}

func newActLayer(b base, f graph.Activation) (*actLayer, error) {
	kind, ok := activations[f]
	if !ok {
		return nil, fmt.Errorf("unknown activation %q", f)
	}
	return &actLayer{base: b, act: kind, kernel: pointwise.NewActivation(kind)}, nil
}

func (l *actLayer) recompute(c *compiler, out buffer) { l.forward(c, out) }

func (l *actLayer) recomputable() bool { return true }

func (l *actLayer) forward(c *compiler, out buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(out), f.at(x))
	})
}

func (l *actLayer) backward(c *compiler, dy buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.label(Gradient), []buffer{dy, x}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*size, f.at(k.dst), f.at(dy), f.at(x))
	})
	k.done()
}

// addLayer sums its inputs and applies an activation.
type addLayer struct {
	base
	act act.Kind
}

func (l *addLayer) forward(c *compiler, out buffer) {
	size := l.out.size
	sum := c.read(l.in[0])
	for i, v := range l.in[1:] {
		ending := act.None
		if i == len(l.in)-2 {
			ending = l.act
		}
		kernel, a, b := pointwise.NewAdd(ending), sum, c.read(v)
		c.emit(l.label(Forward), []buffer{a, b}, []buffer{out}, func(f *frame) {
			kernel.Forward(f.pool, f.n*size, f.at(out), f.at(a), f.at(b))
		})
		sum = out
	}
}

func (l *addLayer) backward(c *compiler, dy buffer) {
	if l.act != act.None {
		dy = reluGradient(c, &l.base, l.act, dy)
	}
	for _, v := range l.in {
		c.pass(v, dy)
	}
}

// reluGradient emits the gradient before a ReLU that is fused into a layer, from the layer's
// output: ReLU's slope is the same before and after it.
func reluGradient(c *compiler, b *base, relu act.Kind, dy buffer) buffer {
	kernel, size, y, dz := pointwise.NewActivation(relu), b.out.size, c.read(b.out), c.reusable(dy)
	if dz == none {
		dz = c.newBuffer(size, 0)
	}
	c.emit(b.label(ActivationGradient), []buffer{dy, y}, []buffer{dz}, func(f *frame) {
		kernel.Backward(f.pool, f.n*size, f.at(dz), f.at(dy), f.at(y))
	})
	return dz
}

// productLayer multiplies two values of one shape.
type productLayer struct {
	base
	kernel *pointwise.Mul
}

func (l *productLayer) forward(c *compiler, out buffer) {
	kernel, size, a, b := l.kernel, l.out.size, c.read(l.in[0]), c.read(l.in[1])
	c.emit(l.label(Forward), []buffer{a, b}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(out), f.at(a), f.at(b))
	})
}

func (l *productLayer) backward(c *compiler, dy buffer) {
	kernel, size, a, b := l.kernel, l.out.size, c.read(l.in[0]), c.read(l.in[1])
	da, db := c.contribute(l.in[0], false, none), c.contribute(l.in[1], false, none)
	c.emit(l.label(Gradient), []buffer{dy, a, b}, []buffer{da.dst, db.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*size, f.at(da.dst), f.at(db.dst), f.at(dy), f.at(a), f.at(b))
	})
	da.done()
	db.done()
}

// scaleLayer multiplies by a constant.
type scaleLayer struct {
	base
	kernel *pointwise.Scale
}

func (l *scaleLayer) forward(c *compiler, out buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(out), f.at(x), nil)
	})
}

func (l *scaleLayer) backward(c *compiler, dy buffer) {
	kernel, size := l.kernel, l.out.size
	k := c.contribute(l.in[0], true, none)
	c.emit(l.label(Gradient), []buffer{dy, k.add}, []buffer{k.dst}, func(f *frame) {
		kernel.Forward(f.pool, f.n*size, f.at(k.dst), f.at(dy), f.at(k.add))
	})
	k.done()
}

// channelScaleLayer multiplies every channel by a learned factor.
type channelScaleLayer struct {
	base
	kernel *pointwise.ChannelScale
}

func (l *channelScaleLayer) trains(c *compiler) bool { return c.trainsParams(l.node) }

func (l *channelScaleLayer) forward(c *compiler, out buffer) {
	kernel, positions, x := l.kernel, l.positions(), c.read(l.in[0])
	gamma := c.weights.of(l.node.Params[0])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n*positions, f.at(out), f.at(x), gamma)
	})
}

func (l *channelScaleLayer) backward(c *compiler, dy buffer) {
	kernel, positions, x := l.kernel, l.positions(), c.read(l.in[0])
	gamma := c.weights.of(l.node.Params[0])
	dGamma, accumulate := c.parameterGradient(l.node.Params[0])
	c.scratch(kernel.Workspace(c.opt.Batch*positions, c.threads))
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.label(Gradient), []buffer{dy, x}, []buffer{k.dst}, func(f *frame) {
		kernel.Backward(f.pool, f.n*positions, f.at(k.dst), dGamma, f.at(dy), f.at(x), gamma, accumulate, f.ws)
	})
	k.done()
}

// masks is dropout by element or by sample; the mask is a function of the training step, so that the backward pass
// makes it again.
type masks interface {
	Forward(p *parallel.Pool, n, perSample int, y, x []float32, step uint64)
}

type dropoutLayer struct {
	base
	kernel masks
}

// newDropoutLayer returns nil where dropping does nothing.
func (c *compiler) newDropoutLayer(b base) layer {
	key := fnv.New64a()
	key.Write([]byte(b.node.Name))
	seed := key.Sum64() ^ c.opt.Seed
	if c.opt.NoDropout || c.frozen[b.node] {
		return nil
	}
	switch op := b.node.Op.(type) {
	case graph.Dropout:
		if op.P > 0 {
			return &dropoutLayer{b, byElement{pointwise.NewDropout(op.P, seed)}}
		}
	case graph.DropPath:
		if op.P > 0 {
			return &dropoutLayer{b, pointwise.NewDropPath(op.P, seed)}
		}
	}
	return nil
}

type byElement struct{ *pointwise.Dropout }

func (d byElement) Forward(p *parallel.Pool, n, perSample int, y, x []float32, step uint64) {
	d.Dropout.Forward(p, n*perSample, y, x, step)
}

func (l *dropoutLayer) recomputable() bool { return true }

func (l *dropoutLayer) recompute(c *compiler, out buffer) { l.forward(c, out) }

func (l *dropoutLayer) forward(c *compiler, out buffer) {
	kernel, size, x := l.kernel, l.out.size, c.read(l.in[0])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Forward(f.pool, f.n, size, f.at(out), f.at(x), f.iteration)
	})
}

func (l *dropoutLayer) backward(c *compiler, dy buffer) {
	kernel, size := l.kernel, l.out.size
	k := c.contribute(l.in[0], false, c.reusable(dy))
	c.emit(l.label(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
		kernel.Forward(f.pool, f.n, size, f.at(k.dst), f.at(dy), f.iteration)
	})
	k.done()
}

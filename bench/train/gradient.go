package train

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/pointwise"
)

// The gradient of a value is gathered in a buffer while the layers that read the value emit their backward passes.
// Gradients of several values can be in one buffer: what a sum passes back is the gradient of each of its terms. A
// buffer's refs counts the gradients that are held in it. hold adds one; release takes it away when the layer that
// made the value has used it. A buffer that holds one gradient may be overwritten by whoever reads that (exclusive);
// one that holds more may not.
//
// As an example, y = relu(x) and z = x + y. The gradient of z is in b0, whose refs are 1.
//
//	the sum passes b0 to x and to y       b0 holds the gradients of z, x and y: refs 3
//	z is released                         b0: 2
//	relu reads b0, which is x's, too,
//	  and writes its part into a new b1   b1: 0, it holds no gradient yet
//	done finds that x has a gradient:
//	  emits b1 = b0 + b1, and moves x     b0: 1, b1: 1
//	y is released                         b0: 0, its life ends at the step that read it last
//	the layer that made x may overwrite b1

// hold makes b the gradient of v.
func (c *compiler) hold(v *value, b buffer) {
	v.grad = b
	c.buffers[b].refs++
}

// release ends the gradient of v.
func (c *compiler) release(v *value) {
	c.buffers[v.grad].refs--
	v.grad = none
}

// exclusive reports whether at most one gradient is held in b, so that it may be overwritten.
func (c *compiler) exclusive(b buffer) bool { return c.buffers[b].refs <= 1 }

// reusable returns dy if the step that reads it may write its result there, else none.
func (c *compiler) reusable(dy buffer) buffer {
	if c.exclusive(dy) {
		return dy
	}
	return none
}

// A contribution is what one layer adds to the gradient of a value.
type contribution struct {
	c        *compiler
	v        *value
	dst, add buffer // the layer computes dst = its contribution (+ add unless that is none)
}

// contribute opens a contribution to the gradient of v; the layer emits the steps that compute dst and then calls done.
// dst is none if v needs no gradient. A layer whose kernels can add on the way says so with adds. inPlace is a buffer
// that the kernel may overwrite, or none.
func (c *compiler) contribute(v *value, adds bool, inPlace buffer) contribution {
	k := contribution{c: c, v: v, dst: none, add: none}
	if !v.needs {
		return k
	}
	if v.grad != none && adds {
		k.add = v.grad
		if c.exclusive(v.grad) {
			k.dst = v.grad
			return k
		}
	}
	k.dst = inPlace
	if inPlace == none {
		k.dst = c.newBuffer(v.size, 0)
	}
	return k
}

// done makes the contribution part of the gradient.
func (k contribution) done() {
	switch {
	case k.dst == none || k.dst == k.v.grad:
	case k.v.grad == none:
		k.c.hold(k.v, k.dst)
	case k.v.grad == k.add:
		k.c.release(k.v)
		k.c.hold(k.v, k.dst)
	default:
		k.c.sum(k.v, k.dst)
	}
}

// pass makes dy itself a contribution to the gradient of v.
func (c *compiler) pass(v *value, dy buffer) {
	switch {
	case !v.needs:
	case v.grad == none:
		c.hold(v, dy)
	default:
		c.sum(v, dy)
	}
}

// sum adds what is in other to the gradient that v has.
func (c *compiler) sum(v *value, other buffer) {
	old, dst := v.grad, v.grad
	switch {
	case c.exclusive(old):
	case c.buffers[other].refs == 0:
		dst = other
	default:
		dst = c.newBuffer(v.size, 0)
	}
	add := pointwise.NewAdd(act.None)
	size := v.size
	c.emit(v.maker.label(SumOfGradients), []buffer{old, other}, []buffer{dst}, func(f *frame) {
		add.Forward(f.pool, f.n*size, f.at(dst), f.at(old), f.at(other))
	})
	if dst != old {
		c.release(v)
		c.hold(v, dst)
	}
}

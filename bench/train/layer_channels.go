package train

import (
	"github.com/reidbench/reidbench/kernels/move"
)

// concatLayer joins its inputs along the channels.
type concatLayer struct{ base }

// recomputable: only where the inputs are kept anyway is joining them again cheap.
func (l *concatLayer) recomputable() bool {
	for _, v := range l.in {
		if again, ok := v.maker.(cheap); ok && again.recomputable() {
			return false
		}
	}
	return true
}

func (l *concatLayer) recompute(c *compiler, out buffer) { l.forward(c, out) }

func (l *concatLayer) forward(c *compiler, out buffer) {
	offset, width, positions := 0, l.node.Shape.C, l.positions()
	for _, v := range l.in {
		kernel, x, from, channels := move.NewCopyColumns(), c.read(v), offset, v.size/positions
		c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
			kernel.Run(f.pool, f.n*positions, channels, columns(f, out, width, from), columns(f, x, channels, 0), false)
		})
		offset += channels
	}
}

func (l *concatLayer) backward(c *compiler, dy buffer) {
	offset, width, positions := 0, l.node.Shape.C, l.positions()
	for _, v := range l.in {
		from, channels := offset, v.size/positions
		offset += channels
		k := c.contribute(v, true, none)
		if k.dst == none {
			continue
		}
		kernel := move.NewCopyColumns()
		accumulate := c.startFrom(&l.base, k, false)
		c.emit(l.label(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
			dst, src := columns(f, k.dst, channels, 0), columns(f, dy, width, from)
			kernel.Run(f.pool, f.n*positions, channels, dst, src, accumulate)
		})
		k.done()
	}
}

// startFrom makes a contribution's buffer hold the earlier gradient, or zeros if there is none and the layer writes
// only a part of it, and reports whether the layer must add to it.
func (c *compiler) startFrom(b *base, k contribution, partly bool) (accumulate bool) {
	size := k.v.size
	switch {
	case k.add == none && partly:
		c.emit(b.label(ZeroGradient), nil, []buffer{k.dst}, func(f *frame) { clear(f.at(k.dst)) })
	case k.add != none && k.add != k.dst:
		kernel := move.NewCopyColumns()
		c.emit(b.label(CopyOfGradient), []buffer{k.add}, []buffer{k.dst}, func(f *frame) {
			kernel.Run(f.pool, f.n, size, columns(f, k.dst, size, 0), columns(f, k.add, size, 0), false)
		})
	}
	return k.add != none || partly
}

// sliceLayer takes a range of channels.
type sliceLayer struct {
	base
	from int
}

func (l *sliceLayer) forward(c *compiler, out buffer) {
	kernel, x, positions := move.NewCopyColumns(), c.read(l.in[0]), l.positions()
	channels, width, from := l.node.Shape.C, l.inputShape().C, l.from
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Run(f.pool, f.n*positions, channels, columns(f, out, channels, 0), columns(f, x, width, from), false)
	})
}

func (l *sliceLayer) backward(c *compiler, dy buffer) {
	kernel, positions := move.NewCopyColumns(), l.positions()
	channels, width, from := l.node.Shape.C, l.inputShape().C, l.from
	k := c.contribute(l.in[0], true, none)
	accumulate := c.startFrom(&l.base, k, true)
	c.emit(l.label(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
		dst, src := columns(f, k.dst, width, from), columns(f, dy, channels, 0)
		kernel.Run(f.pool, f.n*positions, channels, dst, src, accumulate)
	})
	k.done()
}

// columns are the channels from offset on of a buffer that is width channels wide.
func columns(f *frame, b buffer, width, offset int) move.Columns {
	return move.Columns{Data: f.at(b), Stride: width, Offset: offset}
}

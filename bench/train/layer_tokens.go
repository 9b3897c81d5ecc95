package train

import (
	"github.com/reidbench/reidbench/kernels/move"
)

// classTokenLayer puts a learned token before the tokens of each sequence.
type classTokenLayer struct {
	base
	kernel *move.Tokens
}

func (l *classTokenLayer) trains(c *compiler) bool { return c.trainsParams(l.node) }
func (l *classTokenLayer) sequences() int          { return l.node.Shape.H }

func (l *classTokenLayer) forward(c *compiler, out buffer) {
	kernel, x, sequences, token := l.kernel, c.read(l.in[0]), l.sequences(), c.weights.of(l.node.Params[0])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Prepend(f.pool, f.n*sequences, f.at(out), f.at(x), token)
	})
}

func (l *classTokenLayer) backward(c *compiler, dy buffer) {
	kernel, sequences := l.kernel, l.sequences()
	dToken, accumulate := c.parameterGradient(l.node.Params[0])
	k := c.contribute(l.in[0], false, none)
	c.emit(l.label(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
		kernel.PrependBackward(f.pool, f.n*sequences, f.at(k.dst), dToken, f.at(dy), accumulate)
	})
	k.done()
}

// positionLayer adds a learned embedding to the tokens of each sequence.
type positionLayer struct {
	base
	kernel *move.Tokens
}

func (l *positionLayer) trains(c *compiler) bool { return c.trainsParams(l.node) }

func (l *positionLayer) forward(c *compiler, out buffer) {
	kernel, x, sequences, position := l.kernel, c.read(l.in[0]), l.node.Shape.H, c.weights.of(l.node.Params[0])
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.AddPosition(f.pool, f.n*sequences, f.at(out), f.at(x), position)
	})
}

func (l *positionLayer) backward(c *compiler, dy buffer) {
	kernel, sequences := l.kernel, l.node.Shape.H
	dPosition, accumulate := c.parameterGradient(l.node.Params[0])
	c.emit(l.label(Gradient), []buffer{dy}, nil, func(f *frame) {
		kernel.PositionGrad(f.pool, f.n*sequences, dPosition, f.at(dy), accumulate)
	})
	c.pass(l.in[0], dy)
}

// tokenLayer selects one token of each sequence.
type tokenLayer struct {
	base
	kernel *move.Tokens
	index  int
}

func (l *tokenLayer) forward(c *compiler, out buffer) {
	kernel, x, sequences, index := l.kernel, c.read(l.in[0]), l.node.Shape.H, l.index
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		kernel.Select(f.pool, f.n*sequences, f.at(out), f.at(x), index)
	})
}

func (l *tokenLayer) backward(c *compiler, dy buffer) {
	kernel, sequences, index := l.kernel, l.node.Shape.H, l.index
	k := c.contribute(l.in[0], false, none)
	c.emit(l.label(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
		kernel.SelectBackward(f.pool, f.n*sequences, f.at(k.dst), f.at(dy), index)
	})
	k.done()
}

// padTokenLayer puts a token of zeros before the tokens of each sequence: a sequence is one row whose first C columns
// are the new token.
type padTokenLayer struct{ base }

func (l *padTokenLayer) forward(c *compiler, out buffer) {
	kernel, x, s := move.NewCopyColumns(), c.read(l.in[0]), l.node.Shape
	width, tokens := s.W*s.C, (s.W-1)*s.C
	c.emit(l.label(Forward), []buffer{x}, []buffer{out}, func(f *frame) {
		y := f.at(out)
		for i := range f.n * s.H {
			clear(y[i*width:][:s.C])
		}
		kernel.Run(f.pool, f.n*s.H, tokens, columns(f, out, width, s.C), columns(f, x, tokens, 0), false)
	})
}

func (l *padTokenLayer) backward(c *compiler, dy buffer) {
	kernel, s := move.NewCopyColumns(), l.node.Shape
	width, tokens := s.W*s.C, (s.W-1)*s.C
	k := c.contribute(l.in[0], false, none)
	c.emit(l.label(Gradient), []buffer{dy}, []buffer{k.dst}, func(f *frame) {
		kernel.Run(f.pool, f.n*s.H, tokens, columns(f, k.dst, tokens, 0), columns(f, dy, width, s.C), false)
	})
	k.done()
}

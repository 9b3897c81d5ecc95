package train

import (
	"github.com/reidbench/reidbench/kernels/attention"
	"github.com/reidbench/reidbench/kernels/move"
	"github.com/reidbench/reidbench/models/graph"
)

// softmaxLayer normalises rows: the channels of a token or, if turned, a channel of all tokens of a sequence.
type softmaxLayer struct {
	base
	kernel *attention.Softmax
	rows   int           // per sample
	turn   *move.Flatten // [tokens, channels] to [channels, tokens]; nil over the channels
}

func newSoftmaxLayer(b base, op graph.Softmax) *softmaxLayer {
	s := b.node.Shape
	if !op.OverTokens {
		return &softmaxLayer{base: b, kernel: attention.NewSoftmax(s.C), rows: s.Positions()}
	}
	turn := move.NewFlatten(1, s.W, s.C)
	return &softmaxLayer{base: b, kernel: attention.NewSoftmax(s.W), rows: s.H * s.C, turn: turn}
}

func (l *softmaxLayer) forward(c *compiler, out buffer) {
	x := c.read(l.in[0])
	y := out
	if l.turn != nil {
		x, y = l.turned(c, x), c.newBuffer(l.out.size, 0)
	}
	c.emit(l.label(Forward), []buffer{x}, []buffer{y}, func(f *frame) {
		l.kernel.Forward(f.pool, f.n*l.rows, f.at(y), f.at(x))
	})
	l.turnBack(c, out, y)
}

func (l *softmaxLayer) backward(c *compiler, dy buffer) {
	y := c.read(l.out)
	k := c.contribute(l.in[0], false, none)
	dx := k.dst
	if l.turn != nil {
		dy, y, dx = l.turned(c, dy), l.turned(c, y), c.newBuffer(l.out.size, 0)
	}
	c.emit(l.label(Gradient), []buffer{dy, y}, []buffer{dx}, func(f *frame) {
		l.kernel.Backward(f.pool, f.n*l.rows, f.at(dx), f.at(dy), f.at(y))
	})
	l.turnBack(c, k.dst, dx)
	k.done()
}

// turned emits the step that puts the tokens of each channel side by side.
func (l *softmaxLayer) turned(c *compiler, x buffer) buffer {
	y, sequences := c.newBuffer(l.out.size, 0), l.node.Shape.H
	c.emit(l.label(Turn), []buffer{x}, []buffer{y}, func(f *frame) {
		l.turn.Forward(f.pool, f.n*sequences, f.at(y), f.at(x))
	})
	return y
}

func (l *softmaxLayer) turnBack(c *compiler, dst, src buffer) {
	if l.turn == nil {
		return
	}
	sequences := l.node.Shape.H
	c.emit(l.label(TurnBack), []buffer{src}, []buffer{dst}, func(f *frame) {
		l.turn.Backward(f.pool, f.n*sequences, f.at(dst), f.at(src))
	})
}

package pointwise

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Activation applies an activation function to every element.
type Activation struct {
	act  act.Kind
	size int

	y, dx, dy, x []float32
}

// NewActivation returns the kernel of act.
func NewActivation(act act.Kind) *Activation { return &Activation{act: act} }

// Forward computes, for every i below size,
//
//	y[i] = act(x[i])
//
// y may be x.
func (a *Activation) Forward(p *parallel.Pool, size int, y, x []float32) {
	mem.CheckLen("Activation.Forward", "y", y, size)
	mem.CheckLen("Activation.Forward", "x", x, size)
	a.size, a.y, a.x = size, y, x
	p.Run(parallel.SizeTasks(size), (*activationForward)(a))
}

// Backward computes, for every i below size,
//
//	dx[i] = dy[i] * act'(x[i])
//
// where x is what Forward was given. dx may be dy or x.
func (a *Activation) Backward(p *parallel.Pool, size int, dx, dy, x []float32) {
	mem.CheckLen("Activation.Backward", "dx", dx, size)
	mem.CheckLen("Activation.Backward", "dy", dy, size)
	mem.CheckLen("Activation.Backward", "x", x, size)
	a.size, a.dx, a.dy, a.x = size, dx, dy, x
	p.Run(parallel.SizeTasks(size), (*activationBackward)(a))
}

type activationForward Activation

func (a *activationForward) Do(task, _ int) {
	lo, hi := parallel.SizeRange(task, a.size)
	act.Apply(a.act, a.y[lo:hi], a.x[lo:hi])
}

type activationBackward Activation

func (a *activationBackward) Do(task, _ int) {
	lo, hi := parallel.SizeRange(task, a.size)
	act.Backward(a.act, a.dx[lo:hi], a.dy[lo:hi], a.x[lo:hi])
}

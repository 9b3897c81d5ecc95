package pointwise

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Scale multiplies by a constant. It is its own gradient.
type Scale struct {
	s         float32
	size      int
	y, x, add []float32
}

// NewScale returns the kernel of s·x.
func NewScale(s float32) *Scale { return &Scale{s: s} }

// Forward computes, for every i below size,
//
//	y[i] = s * x[i] (+ add[i])
//
// A nil add is absent. y may be x or add.
func (k *Scale) Forward(p *parallel.Pool, size int, y, x, add []float32) {
	mem.CheckLen("pointwise.Scale.Forward", "y", y, size)
	mem.CheckLen("pointwise.Scale.Forward", "x", x, size)
	if add != nil {
		mem.CheckLen("pointwise.Scale.Forward", "add", add, size)
	}
	k.size, k.y, k.x, k.add = size, y, x, add
	p.Run(parallel.Tasks(size), (*scaleForward)(k))
}

type scaleForward Scale

func (k *scaleForward) Do(task, _ int) {
	lo, hi := parallel.Range(task, k.size)
	if k.add == nil {
		vec.Scale(k.y[lo:hi], k.x[lo:hi], k.s)
		return
	}
	vec.AddScaled(k.y[lo:hi], k.add[lo:hi], k.x[lo:hi], k.s)
}

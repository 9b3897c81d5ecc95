package move

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Flatten orders the values of a sample as PyTorch's flatten does, channels first.
type Flatten struct {
	hw, c int
	y, x  []float32
}

// NewFlatten returns the kernel for samples [h,w,c].
func NewFlatten(h, w, c int) *Flatten { return &Flatten{hw: h * w, c: c} }

// Forward computes, for every sample n, position i and channel c,
//
//	y[n, c*HW+i] = x[n, i*C+c]
func (f *Flatten) Forward(p *parallel.Pool, n int, y, x []float32) {
	mem.CheckLen("move.Flatten.Forward", "y", y, n*f.hw*f.c)
	mem.CheckLen("move.Flatten.Forward", "x", x, n*f.hw*f.c)
	f.y, f.x = y, x
	p.Run(n, (*flattenForward)(f))
}

// Backward is the inverse of Forward:
//
//	dx[n, i*C+c] = dy[n, c*HW+i]
func (f *Flatten) Backward(p *parallel.Pool, n int, dx, dy []float32) {
	mem.CheckLen("move.Flatten.Backward", "dx", dx, n*f.hw*f.c)
	mem.CheckLen("move.Flatten.Backward", "dy", dy, n*f.hw*f.c)
	f.y, f.x = dx, dy
	p.Run(n, (*flattenBackward)(f))
}

type flattenForward Flatten

func (f *flattenForward) Do(sample, _ int) {
	size := f.hw * f.c
	vec.TransposeRows(f.y[sample*size:], f.hw, f.x[sample*size:], f.c, f.hw, f.c)
}

type flattenBackward Flatten

func (f *flattenBackward) Do(sample, _ int) {
	size := f.hw * f.c
	vec.TransposeRows(f.y[sample*size:], f.c, f.x[sample*size:], f.hw, f.c, f.hw)
}

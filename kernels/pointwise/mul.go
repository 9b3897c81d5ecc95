package pointwise

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Mul is the elementwise product of two tensors.
type Mul struct {
	size                int
	y, a, b, da, db, dy []float32
}

// NewMul returns the kernel.
func NewMul() *Mul { return &Mul{} }

// Forward computes, for every i below size,
//
//	y[i] = a[i] * b[i]
//
// y may be a or b.
func (k *Mul) Forward(p *parallel.Pool, size int, y, a, b []float32) {
	mem.CheckLen("pointwise.Mul.Forward", "y", y, size)
	mem.CheckLen("pointwise.Mul.Forward", "a", a, size)
	mem.CheckLen("pointwise.Mul.Forward", "b", b, size)
	k.size, k.y, k.a, k.b = size, y, a, b
	p.Run(parallel.Tasks(size), (*mulForward)(k))
}

// Backward computes, for every i below size,
//
//	da[i] = dy[i] * b[i]
//	db[i] = dy[i] * a[i]
//
// db may be dy; da may be neither of the inputs.
func (k *Mul) Backward(p *parallel.Pool, size int, da, db, dy, a, b []float32) {
	mem.CheckLen("pointwise.Mul.Backward", "da", da, size)
	mem.CheckLen("pointwise.Mul.Backward", "db", db, size)
	mem.CheckLen("pointwise.Mul.Backward", "dy", dy, size)
	mem.CheckLen("pointwise.Mul.Backward", "a", a, size)
	mem.CheckLen("pointwise.Mul.Backward", "b", b, size)
	k.size, k.da, k.db, k.dy, k.a, k.b = size, da, db, dy, a, b
	p.Run(parallel.Tasks(size), (*mulBackward)(k))
}

type mulForward Mul

func (k *mulForward) Do(task, _ int) {
	lo, hi := parallel.Range(task, k.size)
	vec.Mul(k.y[lo:hi], k.a[lo:hi], k.b[lo:hi])
}

type mulBackward Mul

func (k *mulBackward) Do(task, _ int) {
	lo, hi := parallel.Range(task, k.size)
	vec.Mul(k.da[lo:hi], k.dy[lo:hi], k.b[lo:hi])
	vec.Mul(k.db[lo:hi], k.dy[lo:hi], k.a[lo:hi])
}

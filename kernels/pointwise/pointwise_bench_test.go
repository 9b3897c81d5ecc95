package pointwise

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// BenchmarkPointwise measures layers on 16 images of 32×16 positions and 256 channels.
func BenchmarkPointwise(b *testing.B) {
	const images, positions, c = 16, 32 * 16, 256
	const size = images * positions * c
	rng := kerneltest.NewRand()
	x, y, z := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size), kerneltest.Normal(rng, size)
	gates, dgates := kerneltest.Normal(rng, images*c), make([]float32, images*c)
	pool := parallel.NewPool(2)
	defer pool.Close()
	gate, add, drop := NewChannelGate(positions, c), NewAdd(act.ReLU), NewDropout(0.25, 1)
	relu, gelu := NewActivation(act.ReLU), NewActivation(act.GELU)
	kerneltest.BenchmarkPasses(b, size, []kerneltest.Pass{
		kerneltest.NewPass("ReLU", 2, func() { relu.Forward(pool, size, y, x) }),
		kerneltest.NewPass("GELU", 2, func() { gelu.Forward(pool, size, y, x) }),
		kerneltest.NewPass("GELU.Backward", 3, func() { gelu.Backward(pool, size, y, z, x) }),
		kerneltest.NewPass("Dropout", 2, func() { drop.Forward(pool, size, y, x, 1) }),
		kerneltest.NewPass("Add", 3, func() { add.Forward(pool, size, y, x, z) }),
		kerneltest.NewPass("ChannelGate.Forward", 2, func() { gate.Forward(pool, images, y, x, gates) }),
		kerneltest.NewPass("ChannelGate.Backward", 3, func() { gate.Backward(pool, images, y, dgates, z, x, gates) }),
	})
}

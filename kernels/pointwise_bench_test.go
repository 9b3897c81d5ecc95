package kernels

import "testing"

// BenchmarkPointwise measures layers on 16 images of 32×16 positions and 256 channels.
func BenchmarkPointwise(b *testing.B) {
	const images, positions, c = 16, 32 * 16, 256
	const size = images * positions * c
	rng := newRand()
	x, y, z := normal(rng, size), normal(rng, size), normal(rng, size)
	gates, dgates := normal(rng, images*c), make([]float32, images*c)
	pool := NewPool(2)
	defer pool.Close()
	gate, add, drop := NewChannelGate(positions, c), NewAdd(ActReLU), NewDropout(0.25, 1)
	relu, gelu := NewActivation(ActReLU), NewActivation(ActGELU)
	benchmarkPasses(b, size, []pass{
		newPass("ReLU", 2, func() { relu.Forward(pool, size, y, x) }),
		newPass("GELU", 2, func() { gelu.Forward(pool, size, y, x) }),
		newPass("GELU.Backward", 3, func() { gelu.Backward(pool, size, y, z, x) }),
		newPass("Dropout", 2, func() { drop.Forward(pool, size, y, x, 1) }),
		newPass("Add", 3, func() { add.Forward(pool, size, y, x, z) }),
		newPass("ChannelGate.Forward", 2, func() { gate.Forward(pool, images, y, x, gates) }),
		newPass("ChannelGate.Backward", 3, func() { gate.Backward(pool, images, y, dgates, z, x, gates) }),
	})
}

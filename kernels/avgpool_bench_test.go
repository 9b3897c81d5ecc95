package kernels

import "testing"

// BenchmarkPooling measures windows over 16 images of 32×16 positions and 256 channels.
func BenchmarkPooling(b *testing.B) {
	const images, h, w, c = 16, 32, 16, 256
	const size = images * h * w * c
	rng := newRand()
	x, y := normal(rng, size), normal(rng, size)
	arg := make([]uint8, size/4)
	pool := NewPool(2)
	defer pool.Close()
	average := NewAdaptiveAvgPool(h, w, c, 1, 1)
	maximum := NewMaxPool(PoolShape{H: h, W: w, C: c, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1})
	benchmarkPasses(b, size, []pass{
		newPass("AdaptiveAvgPool", 1, func() { average.Forward(pool, images, y, x) }),
		newPass("MaxPool", 1.25, func() { maximum.Forward(pool, images, y, x, arg) }),
		newPass("MaxPool.Backward", 1.25, func() { maximum.Backward(pool, images, y, x, arg) }),
	})
}

package pooling

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// BenchmarkPooling measures windows over 16 images of 32×16 positions and 256 channels.
func BenchmarkPooling(b *testing.B) {
	const images, h, w, c = 16, 32, 16, 256
	const size = images * h * w * c
	rng := kerneltest.NewRand()
	x, y := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size)
	arg := make([]uint8, size/4)
	pool := parallel.NewPool(2)
	defer pool.Close()
	average := NewAdaptiveAvg(h, w, c, 1, 1)
	maximum := NewMax(Shape{H: h, W: w, C: c, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1})
	kerneltest.BenchmarkPasses(b, size, []kerneltest.Pass{
		kerneltest.NewPass("AdaptiveAvgPool", 1, func() { average.Forward(pool, images, y, x) }),
		kerneltest.NewPass("MaxPool", 1.25, func() { maximum.Forward(pool, images, y, x, arg) }),
		kerneltest.NewPass("MaxPool.Backward", 1.25, func() { maximum.Backward(pool, images, y, x, arg) }),
	})
}

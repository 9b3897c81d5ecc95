package optim

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// BenchmarkAdam measures a step over as many weights as ResNet-50 has in its largest stage.
func BenchmarkAdam(b *testing.B) {
	const size = 1 << 21
	rng := kerneltest.NewRand()
	w, grad := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size)
	m, v := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size)
	for i := range v {
		v[i] *= v[i] // a mean of squares
	}
	pool := parallel.NewPool(2)
	defer pool.Close()
	adam := NewAdam(size)
	kerneltest.BenchmarkPasses(b, size, []kerneltest.Pass{
		kerneltest.NewPass("Adam", 7, func() {
			adam.Step(pool, w, grad, m, v, AdamStep{1e-3, 0.9, 0.999, 1e-8, 0, 10})
		}),
	})
}

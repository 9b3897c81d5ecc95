package kernels

import "testing"

// BenchmarkAdam measures a step over as many weights as ResNet-50 has in its largest stage.
func BenchmarkAdam(b *testing.B) {
	const size = 1 << 21
	rng := newRand()
	w, grad, m, v := normal(rng, size), normal(rng, size), normal(rng, size), normal(rng, size)
	for i := range v {
		v[i] *= v[i] // a mean of squares
	}
	pool := NewPool(2)
	defer pool.Close()
	adam := NewAdam(size)
	benchmarkPasses(b, size, []pass{
		newPass("Adam", 7, func() { adam.Step(pool, w, grad, m, v, AdamStep{1e-3, 0.9, 0.999, 1e-8, 0, 10}) }),
	})
}

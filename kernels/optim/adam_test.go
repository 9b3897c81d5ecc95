package optim

import (
	"math"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestAdam(t *testing.T) {
	const size, steps = 2*parallel.TaskFloats + 33, 5
	const lr, beta1, beta2, eps, decay = 5e-4, 0.9, 0.999, 1e-8, 5e-4
	kerneltest.ForEachISA(t, func(t *testing.T) {
		var first []float32
		for _, threads := range []int{1, 2, 3, 5} {
			pool := parallel.NewPool(threads)
			rng := kerneltest.NewRand()
			w, g := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size)
			m, v := make([]float32, size), make([]float32, size)
			want, wantM, wantV := kerneltest.ToFloat64(w), make([]float64, size), make([]float64, size)
			adam := NewAdam(size)
			for step := 1; step <= steps; step++ {
				adam.Step(pool, w, g, m, v, AdamStep{lr, beta1, beta2, eps, decay, step})
				for i := range want {
					grad := float64(g[i]) + decay*want[i]
					wantM[i] = beta1*wantM[i] + (1-beta1)*grad
					wantV[i] = beta2*wantV[i] + (1-beta2)*grad*grad
					mean := wantM[i] / (1 - math.Pow(beta1, float64(step)))
					square := wantV[i] / (1 - math.Pow(beta2, float64(step)))
					want[i] -= lr * mean / (math.Sqrt(square) + eps)
				}
				for i := range g {
					g[i] = -0.7*g[i] + 0.1
				}
			}
			pool.Close()
			// w moves by 5e-4 a step; float32 rounds it by 2⁻²⁴ of its size each time
			kerneltest.CheckClose(t, "w", w, want, steps*0x1p-24)
			kerneltest.CheckClose(t, "m", m, wantM, 1e-6)
			kerneltest.CheckClose(t, "v", v, wantV, 1e-6)
			if threads == 1 {
				first = w
			}
			kerneltest.CheckEqual(t, "w with other threads", w, first)
		}
	})
}

func TestAdamDoesNotAllocate(t *testing.T) {
	pool := parallel.NewPool(2)
	defer pool.Close()
	const size = 2 * parallel.TaskFloats
	w, g, m, v := make([]float32, size), make([]float32, size), make([]float32, size), make([]float32, size)
	adam := NewAdam(size)
	allocs := testing.AllocsPerRun(5, func() {
		adam.Step(pool, w, g, m, v, AdamStep{1e-3, 0.9, 0.999, 1e-8, 0, 1})
	})
	if allocs != 0 {
		t.Errorf("a step allocates %g times", allocs)
	}
}

package optim

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// TestSGD: five steps like their definition in float64, with the same bits for any number of threads.
func TestSGD(t *testing.T) {
	const size, steps = 2*parallel.TaskFloats + 33, 5
	const lr, momentum, decay = 0.1, 0.9, 5e-4
	var first []float32
	for _, threads := range []int{1, 2, 3, 5} {
		pool := parallel.NewPool(threads)
		rng := kerneltest.NewRand()
		w, g, v := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size), make([]float32, size)
		want, wantV := kerneltest.ToFloat64(w), make([]float64, size)
		sgd := NewSGD(size)
		for range steps {
			sgd.Step(pool, w, g, v, lr, momentum, decay)
			for i := range want {
				wantV[i] = momentum*wantV[i] + float64(g[i]) + decay*want[i]
				want[i] -= lr * wantV[i]
			}
			for i := range g {
				g[i] = -0.7*g[i] + 0.1
			}
		}
		pool.Close()
		kerneltest.CheckClose(t, "w", w, want, 1e-6)
		kerneltest.CheckClose(t, "v", v, wantV, 1e-6)
		if threads == 1 {
			first = w
		}
		kerneltest.CheckEqual(t, "w with other threads", w, first)
	}
}

func TestShrink(t *testing.T) {
	const size = 2*parallel.TaskFloats + 33
	pool := parallel.NewPool(3)
	defer pool.Close()
	w := kerneltest.Normal(kerneltest.NewRand(), size)
	want := kerneltest.ToFloat64(w)
	for i := range want {
		want[i] *= 0.75
	}
	NewShrink(size).Step(pool, w, 0.75)
	kerneltest.CheckClose(t, "w", w, want, 0x1p-23)
}

func TestSGDDoesNotAllocate(t *testing.T) {
	pool := parallel.NewPool(2)
	defer pool.Close()
	const size = 2 * parallel.TaskFloats
	w, g, v := make([]float32, size), make([]float32, size), make([]float32, size)
	sgd, shrink := NewSGD(size), NewShrink(size)
	if allocs := testing.AllocsPerRun(5, func() {
		sgd.Step(pool, w, g, v, 0.1, 0.9, 0)
		shrink.Step(pool, w, 0.5)
	}); allocs != 0 {
		t.Errorf("a step allocates %g times", allocs)
	}
}

package attention

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestMatMul(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(25, 26))
		p := parallel.NewPool(2)
		defer p.Close()
		for variant := range 64 {
			s := MatMulShape{M: 1 + rng.IntN(40), N: 1 + rng.IntN(70), K: 1 + rng.IntN(40), Scale: 1}
			s.TransA, s.TransB = variant&1 != 0, variant&2 != 0
			if variant&4 != 0 {
				s.Scale = -0.25
			}
			const batches = 3
			a, b := kerneltest.Guarded(t, rng, batches*s.M*s.K), kerneltest.Guarded(t, rng, batches*s.K*s.N)
			c := kerneltest.Guarded(t, rng, batches*s.M*s.N)
			want := make([]float64, len(c))
			if variant&8 != 0 {
				want = kerneltest.ToFloat64(c)
			}
			for n := range batches {
				for i := range s.M * s.N * s.K {
					r, j, k := i/(s.N*s.K), i/s.K%s.N, i%s.K
					ai, bi := r*s.K+k, k*s.N+j
					if s.TransA {
						ai = k*s.M + r
					}
					if s.TransB {
						bi = j*s.K + k
					}
					want[(n*s.M+r)*s.N+j] += float64(s.Scale) * float64(a[n*s.M*s.K+ai]) * float64(b[n*s.K*s.N+bi])
				}
			}
			m := NewMatMul(s)
			m.Run(p, batches, c, a, b, variant&8 != 0, kerneltest.Guarded(t, rng, m.Workspace(2)))
			kerneltest.Compare(t, fmt.Sprintf("%+v: c", s), c, want, kerneltest.SumTolerance(s.K))
		}
	})
}

func TestMatMulDoesNotAllocate(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		p := parallel.NewPool(2)
		defer p.Close()
		m := NewMatMul(MatMulShape{M: 9, N: 17, K: 8, TransB: true, Scale: 0.5})
		a, b, c := make([]float32, 4*9*8), make([]float32, 4*17*8), make([]float32, 4*9*17)
		ws := make([]float32, m.Workspace(2))
		if n := testing.AllocsPerRun(5, func() { m.Run(p, 4, c, a, b, true, ws) }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

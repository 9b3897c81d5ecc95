package kernels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMatMul(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(25, 26))
		p := NewPool(2)
		defer p.Close()
		for variant := range 64 {
			s := MatMulShape{M: 1 + rng.IntN(40), N: 1 + rng.IntN(70), K: 1 + rng.IntN(40), TransA: variant&1 != 0, TransB: variant&2 != 0, Scale: 1}
			if variant&4 != 0 {
				s.Scale = -0.25
			}
			const batches = 3
			a, b, c := guarded(t, rng, batches*s.M*s.K), guarded(t, rng, batches*s.K*s.N), guarded(t, rng, batches*s.M*s.N)
			want := make([]float64, len(c))
			if variant&8 != 0 {
				want = toFloat64(c)
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
			m.Run(p, batches, c, a, b, variant&8 != 0, guarded(t, rng, m.Workspace(2)))
			compare(t, fmt.Sprintf("%+v: c", s), c, want, sumTolerance(s.K))
		}
	})
}

func TestMatMulDoesNotAllocate(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		p := NewPool(2)
		defer p.Close()
		m := NewMatMul(MatMulShape{M: 9, N: 17, K: 8, TransB: true, Scale: 0.5})
		a, b, c := make([]float32, 4*9*8), make([]float32, 4*17*8), make([]float32, 4*9*17)
		ws := make([]float32, m.Workspace(2))
		if n := testing.AllocsPerRun(5, func() { m.Run(p, 4, c, a, b, true, ws) }); n != 0 {
			t.Errorf("%v allocations per call", n)
		}
	})
}

func TestGemm(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(27, 28))
		for _, size := range [][3]int{{1, 1, 1}, {5, 7, 3}, {33, 100, 65}, {130, 33, 700}, {97, 64, 512}} {
			m, n, k := size[0], size[1], size[2]
			a, b := guarded(t, rng, m*k), guarded(t, rng, n*k)
			want := make([]float64, m*n)
			for i := range m * n * k {
				want[i/k] += float64(a[i/(n*k)*k+i%k]) * float64(b[i/k%n*k+i%k])
			}
			var first []float32
			for _, threads := range []int{1, 3} {
				p := NewPool(threads)
				g := NewGemm(n, k, FP32)
				c := guarded(t, rng, m*n)
				g.Run(p, m, c, a, b, guarded(t, rng, g.Workspace(m, threads)))
				p.Close()
				compare(t, fmt.Sprintf("%v: c", size), c, want, sumTolerance(k))
				if first == nil {
					first = c
				}
				if !slices.Equal(first, c) {
					t.Errorf("%v: the result with %d threads differs", size, threads)
				}
			}
		}
	})
}

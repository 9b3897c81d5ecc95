package conv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/measure"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestGemm(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(27, 28))
		for _, size := range [][3]int{{1, 1, 1}, {5, 7, 3}, {33, 100, 65}, {130, 33, 700}, {97, 64, 512}} {
			m, n, k := size[0], size[1], size[2]
			a, b := kerneltest.Guarded(t, rng, m*k), kerneltest.Guarded(t, rng, n*k)
			want := make([]float64, m*n)
			for i := range m * n * k {
				want[i/k] += float64(a[i/(n*k)*k+i%k]) * float64(b[i/k%n*k+i%k])
			}
			var first []float32
			for _, threads := range []int{1, 3} {
				p := parallel.NewPool(threads)
				g := NewLinear(n, k, gemm.FP32)
				c := kerneltest.Guarded(t, rng, m*n)
				g.Run(p, m, c, a, b, kerneltest.Guarded(t, rng, g.Workspace(m, threads)))
				p.Close()
				kerneltest.Compare(t, fmt.Sprintf("%v: c", size), c, want, kerneltest.SumTolerance(k))
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

func BenchmarkGemm(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, n := range []int{128, 512, 1024} {
			b.Run(fmt.Sprintf("%d³/threads=%d", n, threads), func(b *testing.B) {
				p := parallel.NewPool(threads)
				defer p.Close()
				g := NewLinear(n, n, gemm.FP32)
				x, y, z := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
				ws := make([]float32, g.Workspace(n, threads))
				g.Run(p, n, z, x, y, ws)
				for b.Loop() {
					g.Run(p, n, z, x, y, ws)
				}
				kerneltest.ReportSpeed(b, int64(n)*int64(n)*int64(n), measure.Peak(p, kerneltest.PeakTime))
			})
		}
	}
}

package norm

import (
	"fmt"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// BenchmarkBatchNormParts compares batch norms of one tensor and of a concatenation, as in DenseNet's blocks at a batch
// of 32.
func BenchmarkBatchNormParts(b *testing.B) {
	const growth, perBlock = 32, 96
	pool := parallel.NewPool(1)
	defer pool.Close()
	rng := kerneltest.NewRand()
	for _, s := range []struct{ rows, c, first int }{{65536, 128, 64}, {16384, 320, 128}, {4096, 768, 256},
		{1024, 1152, 640}} {
		for _, inParts := range []bool{false, true} {
			norm := NewBatchNorm(s.c, 1e-5, 0.1, act.ReLU)
			y := mem.Allocate(s.rows * s.c)
			copy(y, kerneltest.Normal(rng, len(y)))
			at := Operands{
				Mean: kerneltest.Normal(rng, s.c), InvStd: kerneltest.Normal(rng, s.c),
				Gamma: kerneltest.Normal(rng, s.c), Beta: kerneltest.Normal(rng, s.c),
			}
			var dx []float32
			var gradients []PartGradient
			if inParts {
				for c := s.first; c <= s.c; c += growth {
					part, d := Part{mem.Allocate(s.rows * growth), growth}, mem.Allocate(s.rows*growth)
					if c == s.first {
						part, d = Part{mem.Allocate(s.rows * c), c}, mem.Allocate(s.rows*c)
					}
					at.Parts, gradients = append(at.Parts, part), append(gradients, PartGradient{d, d})
				}
			} else {
				at.X, dx = mem.Allocate(s.rows*s.c), mem.Allocate(s.rows*s.c)
			}
			dgamma, dbeta := make([]float32, s.c), make([]float32, s.c)
			sums := make([]float32, norm.GradientSumsSize(mem.CeilDiv(s.rows, perBlock)))
			blocks := len(sums) / (2 * s.c)
			flush := mem.Allocate(1 << 24)
			name := fmt.Sprintf("%dx%d, parts %t", s.rows, s.c, inParts)
			bench := func(what string, run func()) {
				b.Run(what+"/"+name, func(b *testing.B) {
					for range b.N {
						b.StopTimer()
						for i := 0; i < len(flush); i += 16 {
							flush[i]++
						}
						b.StartTimer()
						run()
					}
				})
			}
			bench("apply", func() { norm.Apply(pool, s.rows, y, at) })
			bench("gradient", func() {
				if inParts {
					norm.BackwardSummedParts(pool, s.rows, gradients,
						BatchNormGradient{DY: y, At: at, DGamma: dgamma, DBeta: dbeta}, blocks, sums)
				} else {
					norm.BackwardSummed(pool, s.rows, dx, dx,
						BatchNormGradient{DY: y, At: at, DGamma: dgamma, DBeta: dbeta}, blocks, sums)
				}
			})
			bench("sums", func() {
				gradient := norm.GradientSums(s.rows, y, at, sums)
				for block := range blocks {
					gradient.Block(block, block*perBlock, y[block*perBlock*s.c:min((block+1)*perBlock, s.rows)*s.c])
				}
			})
		}
	}
}

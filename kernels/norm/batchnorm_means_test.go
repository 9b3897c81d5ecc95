package norm

import (
	"fmt"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/pooling"
)

// Applying a batch norm and taking means are one pass, with the results of two, but for the order of additions, and for
// any number of threads.
func TestBatchNormApplyMeans(t *testing.T) {
	const samples, positions = 5, 2*parallel.BlockRows + 37
	for _, kind := range []act.Kind{act.None, act.ReLU6, act.SiLU, act.HardSwish} {
		for _, c := range []int{37, 2 * mem.Line} {
			t.Run(fmt.Sprintf("%s/c=%d", kind, c), func(t *testing.T) {
				kerneltest.ForEachISA(t, func(t *testing.T) {
					const rows = samples * positions
					rng := kerneltest.NewRand()
					norm := NewBatchNorm(c, 1e-5, 0.1, kind)
					x, mean := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, c)
					invstd, gamma := kerneltest.Normal(rng, c), kerneltest.Normal(rng, c)
					beta := kerneltest.Normal(rng, c)
					run := func(threads int) (y, means []float32) {
						p := parallel.NewPool(threads)
						defer p.Close()
						y, means = mem.Allocate(rows*c), make([]float32, samples*c)
						norm.ApplyMeans(p, samples, positions, y, means,
							Operands{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
						return y, means
					}
					y, means := run(1)
					pool := parallel.NewPool(2)
					defer pool.Close()
					want, wantMeans := mem.Allocate(rows*c), make([]float32, samples*c)
					norm.Apply(pool, rows, want, Operands{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
					pooling.NewAdaptiveAvg(positions, 1, c, 1, 1).Forward(pool, samples, wantMeans, want)
					kerneltest.CheckEqual(t, "y", y, want)
					// the same terms, in float32 sums of other blocks
					kerneltest.CheckClose(t, "means", means, kerneltest.ToFloat64(wantMeans), 1e-6)
					again, meansAgain := run(3)
					kerneltest.CheckEqual(t, "y of 3 threads", again, y)
					kerneltest.CheckEqual(t, "means of 3 threads", meansAgain, means)
				})
			})
		}
	}
}

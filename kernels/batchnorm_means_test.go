package kernels

import (
	"fmt"
	"testing"
)

// Applying a batch norm and taking means are one pass, with the results of two, but for the order of additions, and for
// any number of threads.
func TestBatchNormApplyMeans(t *testing.T) {
	const samples, positions = 5, 2*blockRows + 37
	for _, act := range []Act{ActNone, ActReLU6, ActSiLU, ActHardSwish} {
		for _, c := range []int{37, 2 * cacheLine} {
			t.Run(fmt.Sprintf("%s/c=%d", act, c), func(t *testing.T) {
				forEachISA(t, func(t *testing.T) {
					const rows = samples * positions
					rng := newRand()
					norm := NewBatchNorm(c, 1e-5, 0.1, act)
					x, mean, invstd, gamma, beta := normal(rng, rows*c), normal(rng, c), normal(rng, c), normal(rng, c),
						normal(rng, c)
					run := func(threads int) (y, means []float32) {
						p := NewPool(threads)
						defer p.Close()
						y, means = Allocate(rows*c), make([]float32, samples*c)
						norm.ApplyMeans(p, samples, positions, y, means,
							Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
						return y, means
					}
					y, means := run(1)
					pool := NewPool(2)
					defer pool.Close()
					want, wantMeans := Allocate(rows*c), make([]float32, samples*c)
					norm.Apply(pool, rows, want, Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
					NewAdaptiveAvgPool(positions, 1, c, 1, 1).Forward(pool, samples, wantMeans, want)
					checkEqual(t, "y", y, want)
					checkClose(t, "means", means, toFloat64(wantMeans), 1e-6)
					again, meansAgain := run(3)
					checkEqual(t, "y of 3 threads", again, y)
					checkEqual(t, "means of 3 threads", meansAgain, means)
				})
			})
		}
	}
}

package norm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/pointwise"
)

// TestBatchNormBackwardGated: the gradient before a gate is what Backward takes, where it may be rounded once
// more: 2⁻²⁴ of each value, and in the sums of all rows, some hundred in a float32 block, less than a hundred times
// that.
func TestBatchNormBackwardGated(t *testing.T) {
	const samples, positions, c, tolerance = 5, 53, 37, 2e-5
	const rows = samples * positions
	for _, kind := range []act.Kind{act.None, act.ReLU, act.SiLU, act.GELU} {
		for _, shifted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/shifted=%t", kind, shifted), func(t *testing.T) {
				kerneltest.ForEachISA(t, func(t *testing.T) {
					rng := kerneltest.NewRand()
					norm := NewBatchNorm(c, 1e-5, 0.1, kind)
					dy, g := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, samples*c)
					at := Operands{
						X:    kerneltest.Normal(rng, rows*c),
						Mean: kerneltest.Normal(rng, c), InvStd: kerneltest.Normal(rng, c),
						Gamma: kerneltest.Normal(rng, c), Beta: kerneltest.Normal(rng, c),
					}
					gated := Gated{Gate: g, Rows: positions}
					if shifted {
						gated.Shift = kerneltest.Normal(rng, samples*c)
					}
					run := func(threads int, inPlace bool) (dx, dgamma, dbeta []float32) {
						p := parallel.NewPool(threads)
						defer p.Close()
						dx, dgamma, dbeta = make([]float32, rows*c), make([]float32, c), make([]float32, c)
						from := dy
						if inPlace {
							copy(dx, dy)
							from = dx
						}
						norm.BackwardGated(p, rows, dx, BatchNormGradient{DY: from, At: at, DGamma: dgamma,
							DBeta: dbeta}, gated, make([]float32, norm.Workspace(rows, threads)))
						return dx, dgamma, dbeta
					}
					dx, dgamma, dbeta := run(2, false)

					pool := parallel.NewPool(2)
					defer pool.Close()
					want, wantGamma, wantBeta := make([]float32, rows*c), make([]float32, c), make([]float32, c)
					ungate(want, dy, gated, c)
					norm.Backward(pool, rows, want, nil, BatchNormGradient{DY: want, At: at, DGamma: wantGamma,
						DBeta: wantBeta}, make([]float32, norm.Workspace(rows, 2)))
					kerneltest.CheckClose(t, "dx", dx, kerneltest.ToFloat64(want), tolerance)
					kerneltest.CheckClose(t, "dgamma", dgamma, kerneltest.ToFloat64(wantGamma), tolerance)
					kerneltest.CheckClose(t, "dbeta", dbeta, kerneltest.ToFloat64(wantBeta), tolerance)

					for _, threads := range []int{1, 3} {
						again, gammaAgain, betaAgain := run(threads, true)
						if !slices.Equal(dx, again) || !slices.Equal(dgamma, gammaAgain) ||
							!slices.Equal(dbeta, betaAgain) {
							t.Errorf("%d threads, in place, give other gradients", threads)
						}
					}
				})
			})
		}
	}
}

// ungate is the definition of the gradient before a gate and a mean over all positions.
func ungate(dx, dy []float32, of Gated, c int) {
	for i := range dx {
		channel := i/(of.Rows*c)*c + i%c
		dx[i] = dy[i] * of.Gate[channel]
		if of.Shift != nil {
			dx[i] += of.Shift[channel]
		}
	}
}

// TestChannelGateAlone: the gate's gradient is the same without its input's.
func TestChannelGateAlone(t *testing.T) {
	const samples, positions, c = 3, 150, 21
	kerneltest.ForEachISA(t, func(t *testing.T) {
		pool := parallel.NewPool(2)
		defer pool.Close()
		rng := kerneltest.NewRand()
		gate := pointwise.NewChannelGate(positions, c)
		dy, x := kerneltest.Normal(rng, samples*positions*c), kerneltest.Normal(rng, samples*positions*c)
		g := kerneltest.Normal(rng, samples*c)
		dx, dg, want := make([]float32, len(x)), make([]float32, len(g)), make([]float32, len(g))
		gate.Backward(pool, samples, dx, want, dy, x, g)
		gate.BackwardGate(pool, samples, dg, dy, x)
		kerneltest.CheckEqual(t, "dg", dg, want)
	})
}

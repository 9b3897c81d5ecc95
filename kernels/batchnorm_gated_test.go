package kernels

import (
	"fmt"
	"slices"
	"testing"
)

// TestBatchNormBackwardGated: the gradient before a gate is what Backward takes, where it may be rounded once more.
func TestBatchNormBackwardGated(t *testing.T) {
	const samples, positions, c, tolerance = 5, 53, 37, 2e-5
	const rows = samples * positions
	for _, act := range []Act{ActNone, ActReLU, ActSiLU, ActGELU} {
		for _, shifted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/shifted=%t", act, shifted), func(t *testing.T) {
				forEachISA(t, func(t *testing.T) {
					rng := newRand()
					norm := NewBatchNorm(c, 1e-5, 0.1, act)
					dy, g := normal(rng, rows*c), normal(rng, samples*c)
					at := Normalised{X: normal(rng, rows*c), Mean: normal(rng, c), InvStd: normal(rng, c),
						Gamma: normal(rng, c), Beta: normal(rng, c)}
					gated := Gated{Gate: g, Rows: positions}
					if shifted {
						gated.Shift = normal(rng, samples*c)
					}
					run := func(threads int, inPlace bool) (dx, dgamma, dbeta []float32) {
						p := NewPool(threads)
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

					pool := NewPool(2)
					defer pool.Close()
					want, wantGamma, wantBeta := make([]float32, rows*c), make([]float32, c), make([]float32, c)
					ungate(want, dy, gated, c)
					norm.Backward(pool, rows, want, nil, BatchNormGradient{DY: want, At: at, DGamma: wantGamma,
						DBeta: wantBeta}, make([]float32, norm.Workspace(rows, 2)))
					checkClose(t, "dx", dx, toFloat64(want), tolerance)
					checkClose(t, "dgamma", dgamma, toFloat64(wantGamma), tolerance)
					checkClose(t, "dbeta", dbeta, toFloat64(wantBeta), tolerance)

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
	forEachISA(t, func(t *testing.T) {
		pool := NewPool(2)
		defer pool.Close()
		rng := newRand()
		gate := NewChannelGate(positions, c)
		dy, x, g := normal(rng, samples*positions*c), normal(rng, samples*positions*c), normal(rng, samples*c)
		dx, dg, want := make([]float32, len(x)), make([]float32, len(g)), make([]float32, len(g))
		gate.Backward(pool, samples, dx, want, dy, x, g)
		gate.BackwardGate(pool, samples, dg, dy, x)
		checkEqual(t, "dg", dg, want)
	})
}

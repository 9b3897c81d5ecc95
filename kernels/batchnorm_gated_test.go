package kernels

import (
	"fmt"
	"slices"
	"testing"
)

// Behind a gate, a batch norm's gradient is that of the gate's own, which may be rounded once more.
func TestBatchNormBackwardGated(t *testing.T) {
	const samples, positions, c, tolerance = 5, 53, 37, 2e-5
	const rows = samples * positions
	for _, act := range []Act{ActNone, ActReLU, ActSiLU, ActGELU} {
		for _, shifted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/shifted=%t", act, shifted), func(t *testing.T) {
				forEachISA(t, func(t *testing.T) {
					rng := newRand()
					norm, gate := NewBatchNorm(c, 1e-5, 0.1, act), NewChannelGate(positions, c)
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
					gate.BackwardInput(pool, samples, want, dy, g, gated.Shift)
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

// The two halves of a gate's gradient are the whole, and the shift is added to it.
func TestChannelGateInHalves(t *testing.T) {
	const samples, positions, c = 3, 150, 21
	forEachISA(t, func(t *testing.T) {
		pool := NewPool(2)
		defer pool.Close()
		rng := newRand()
		gate := NewChannelGate(positions, c)
		dy, x, g, shift := normal(rng, samples*positions*c), normal(rng, samples*positions*c), normal(rng, samples*c),
			normal(rng, samples*c)
		dx, dg, want, wantGate := make([]float32, len(x)), make([]float32, len(g)), make([]float32, len(x)),
			make([]float32, len(g))
		gate.Backward(pool, samples, want, wantGate, dy, x, g)
		gate.BackwardGate(pool, samples, dg, dy, x)
		checkEqual(t, "dg", dg, wantGate)
		gate.BackwardInput(pool, samples, dx, dy, g, nil)
		checkEqual(t, "dx", dx, want)
		gate.BackwardInput(pool, samples, dx, dy, g, shift)
		for i := range want {
			want[i] += shift[i/(positions*c)*c+i%c]
		}
		checkClose(t, "dx and shift", dx, toFloat64(want), 1e-6)
	})
}

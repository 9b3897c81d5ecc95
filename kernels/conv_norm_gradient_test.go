package kernels

import (
	"fmt"
	"slices"
	"testing"
)

// A convolution that takes the sums of the batch norm before it gives the gradients that both give one after the other:
// the same terms, added up in other blocks of at most some hundred.
func TestConvBackwardDataSums(t *testing.T) {
	const threads, tolerance = 2, 2e-5
	shapes := []struct {
		n int
		s ConvShape
	}{
		// whole lines, and enough rows for one block of columns
		{9, ConvShape{H: 16, W: 13, C: 48, OutC: 24, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{9, ConvShape{H: 16, W: 13, C: 37, OutC: 5, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		// columns in several tasks
		{2, ConvShape{H: 16, W: 13, C: 64, OutC: 20, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{1, ConvShape{H: 3, W: 2, C: 8, OutC: 8, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{2, ConvShape{H: 40, W: 22, C: 48, OutC: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 48}},
		{2, ConvShape{H: 33, W: 16, C: 21, OutC: 21, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 21}},
	}
	for _, shape := range shapes {
		for _, act := range []Act{ActNone, ActReLU6, ActSiLU, ActHardSwish} {
			for _, residual := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/residual=%t", convName(shape.s), act, residual), func(t *testing.T) {
					forEachISA(t, func(t *testing.T) {
						n, s := shape.n, shape.s
						c, err := newDirectConv(s)
						if err != nil {
							t.Fatal(err)
						}
						norm := NewBatchNorm(s.C, 1e-5, 0.1, act)
						if got, want := c.SumsGradient(norm, residual), !residual || act != ActSiLU &&
							act != ActHardSwish; got != want {
							t.Fatalf("SumsGradient is %t", got)
						} else if !got {
							return
						}
						rng := newRand()
						rows := n * s.H * s.W
						dy, w, x, before := normal(rng, n*c.outputSize()), normal(rng, s.Weights()),
							normal(rng, rows*s.C), normal(rng, rows*s.C)
						at := Normalised{X: x, Mean: normal(rng, s.C), InvStd: normal(rng, s.C),
							Gamma: normal(rng, s.C), Beta: normal(rng, s.C)}
						var dadd []float32
						if residual && act != ActNone {
							at.Add, dadd = normal(rng, rows*s.C), make([]float32, rows*s.C)
						}
						part := normal(rng, rows*s.C) // of x's gradient

						space := Allocate(rows*s.C + cacheLine)
						summed := func(threads int, inPlace bool) (g, dx, dgamma, dbeta []float32) {
							p := NewPool(threads)
							defer p.Close()
							g, dx, dgamma, dbeta = space[:rows*s.C], slices.Clone(part), make([]float32, s.C),
								make([]float32, s.C)
							add := before
							if inPlace {
								copy(g, before)
								add = g
							}
							sums := make([]float32, c.GradientSums(norm, n))
							ws := make([]float32, max(c.GradientSumsWorkspace(n, threads),
								norm.Workspace(rows, threads)))
							blocks := c.BackwardDataSums(p, n, g, dy, w, add,
								NormBefore{Norm: norm, At: at, Sums: sums}, ws)
							norm.BackwardSummed(p, rows, dx, dx, BatchNormGradient{DY: g, At: at, DGamma: dgamma,
								DBeta: dbeta}, blocks, sums)
							return slices.Clone(g), dx, dgamma, dbeta
						}
						g, dx, dgamma, dbeta := summed(threads, false)

						pool := NewPool(threads)
						defer pool.Close()
						ws := make([]float32, max(c.Workspace(n, threads), norm.Workspace(rows, threads)))
						wantG, want, wantGamma, wantBeta := make([]float32, rows*s.C), make([]float32, rows*s.C),
							make([]float32, s.C), make([]float32, s.C)
						c.BackwardData(pool, n, wantG, dy, w, before, ws)
						norm.Backward(pool, rows, want, dadd,
							BatchNormGradient{DY: wantG, At: at, DGamma: wantGamma, DBeta: wantBeta}, ws)
						addScaled(want, want, part, 1)
						if dadd != nil {
							checkClose(t, "dadd", g, toFloat64(dadd), tolerance)
						}
						checkClose(t, "dx", dx, toFloat64(want), tolerance)
						checkClose(t, "dgamma", dgamma, toFloat64(wantGamma), tolerance)
						checkClose(t, "dbeta", dbeta, toFloat64(wantBeta), tolerance)

						same := func(what string, threads int, inPlace bool) {
							t.Helper()
							g1, dx1, dgamma1, dbeta1 := summed(threads, inPlace)
							if !slices.Equal(g, g1) || !slices.Equal(dx, dx1) || !slices.Equal(dgamma, dgamma1) ||
								!slices.Equal(dbeta, dbeta1) {
								t.Errorf("%s gives other gradients", what)
							}
						}
						same("one thread", 1, false)
						same("a sum in place", threads, true)
						defer streamFrom(0)()
						same("storing past the caches", threads, false)
					})
				})
			}
		}
	}
}

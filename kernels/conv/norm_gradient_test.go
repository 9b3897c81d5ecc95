package conv

import (
	"fmt"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// A convolution that takes the sums of the batch norm before it gives the gradients that both give one after the other:
// the same terms, added up in other blocks of at most some hundred.
func TestConvBackwardDataSums(t *testing.T) {
	const threads, tolerance = 2, 2e-5
	shapes := []struct {
		n int
		s Shape
	}{
		// whole lines, and enough rows for one block of columns
		{9, Shape{H: 16, W: 13, C: 48, OutC: 24, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{9, Shape{H: 16, W: 13, C: 37, OutC: 5, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		// columns in several tasks
		{2, Shape{H: 16, W: 13, C: 64, OutC: 20, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{1, Shape{H: 3, W: 2, C: 8, OutC: 8, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{2, Shape{H: 40, W: 22, C: 48, OutC: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 48}},
		{2, Shape{H: 33, W: 16, C: 21, OutC: 21, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 21}},
	}
	for _, shape := range shapes {
		for _, kind := range []act.Kind{act.None, act.ReLU6, act.SiLU, act.HardSwish} {
			for _, residual := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/residual=%t", convName(shape.s), kind, residual), func(t *testing.T) {
					kerneltest.ForEachISA(t, func(t *testing.T) {
						n, s := shape.n, shape.s
						c, err := newDirectConv(s)
						if err != nil {
							t.Fatal(err)
						}
						bn := norm.NewBatchNorm(s.C, 1e-5, 0.1, kind)
						if got, want := c.SumsGradient(bn, residual), !residual || kind != act.SiLU &&
							kind != act.HardSwish; got != want {
							t.Fatalf("SumsGradient is %t", got)
						} else if !got {
							return
						}
						rng := kerneltest.NewRand()
						rows := n * s.H * s.W
						dy, w, x, before := kerneltest.Normal(rng, n*c.outputSize()), kerneltest.Normal(rng, s.Weights()),
							kerneltest.Normal(rng, rows*s.C), kerneltest.Normal(rng, rows*s.C)
						at := norm.Operands{X: x, Mean: kerneltest.Normal(rng, s.C), InvStd: kerneltest.Normal(rng, s.C),
							Gamma: kerneltest.Normal(rng, s.C), Beta: kerneltest.Normal(rng, s.C)}
						var dadd []float32
						if residual && kind != act.None {
							at.Add, dadd = kerneltest.Normal(rng, rows*s.C), make([]float32, rows*s.C)
						}
						part := kerneltest.Normal(rng, rows*s.C) // of x's gradient

						space := mem.Allocate(rows*s.C + mem.Line)
						summed := func(threads int, inPlace bool) (g, dx, dgamma, dbeta []float32) {
							p := parallel.NewPool(threads)
							defer p.Close()
							g, dx, dgamma, dbeta = space[:rows*s.C], slices.Clone(part), make([]float32, s.C),
								make([]float32, s.C)
							add := before
							if inPlace {
								copy(g, before)
								add = g
							}
							sums := make([]float32, c.GradientSums(bn, n))
							ws := make([]float32, max(c.GradientSumsWorkspace(n, threads),
								bn.Workspace(rows, threads)))
							blocks := c.BackwardDataSums(p, n, g, dy, w, add,
								NormBefore{Norm: bn, At: at, Sums: sums}, ws)
							bn.BackwardSummed(p, rows, dx, dx, norm.BatchNormGradient{DY: g, At: at, DGamma: dgamma,
								DBeta: dbeta}, blocks, sums)
							return slices.Clone(g), dx, dgamma, dbeta
						}
						g, dx, dgamma, dbeta := summed(threads, false)

						pool := parallel.NewPool(threads)
						defer pool.Close()
						ws := make([]float32, max(c.Workspace(n, threads), bn.Workspace(rows, threads)))
						wantG, want, wantGamma, wantBeta := make([]float32, rows*s.C), make([]float32, rows*s.C),
							make([]float32, s.C), make([]float32, s.C)
						c.BackwardData(pool, n, wantG, dy, w, before, ws)
						bn.Backward(pool, rows, want, dadd,
							norm.BatchNormGradient{DY: wantG, At: at, DGamma: wantGamma, DBeta: wantBeta}, ws)
						vec.AddScaled(want, want, part, 1)
						if dadd != nil {
							kerneltest.CheckClose(t, "dadd", g, kerneltest.ToFloat64(dadd), tolerance)
						}
						kerneltest.CheckClose(t, "dx", dx, kerneltest.ToFloat64(want), tolerance)
						kerneltest.CheckClose(t, "dgamma", dgamma, kerneltest.ToFloat64(wantGamma), tolerance)
						kerneltest.CheckClose(t, "dbeta", dbeta, kerneltest.ToFloat64(wantBeta), tolerance)

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
						defer mem.StreamFrom(0)()
						same("storing past the caches", threads, false)
					})
				})
			}
		}
	}
}

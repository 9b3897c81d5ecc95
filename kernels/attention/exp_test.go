package attention

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

func TestAttentionExpRow(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		const worst = 4 // ulp, the bound promised; Cephes' polynomial with fused multiply-adds stays below 2
		x := make([]float32, 1000)
		y := make([]float32, len(x))
		for v := float32(-106); v < 90; {
			for i := range x {
				x[i] = v
				v += 0.000971
			}
			expRow(y, x, 1, 0)
			for i := range x {
				want := math.Exp(float64(x[i]))
				exact := float32(want)
				ulp := float64(math.Nextafter32(exact, float32(math.Inf(1)))) - float64(exact)
				if math.IsInf(float64(exact), 0) {
					if !math.IsInf(float64(y[i]), 1) {
						t.Fatalf("exp(%g) = %g, want +Inf", x[i], y[i])
					}
				} else if math.Abs(float64(y[i])-want) > worst*ulp {
					t.Fatalf("exp(%g) = %g, want %g: %.1f ulp", x[i], y[i], want, math.Abs(float64(y[i])-want)/ulp)
				}
			}
		}
		special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, -1000, 1000}
		got := make([]float32, len(special))
		expRow(got, special, 1, 0)
		for i, v := range special {
			if want := math.Exp(float64(v)); !kerneltest.Near(float64(got[i]), float64(float32(want)), 0) {
				t.Errorf("exp(%g) = %g, want %g", v, got[i], want)
			}
		}
	})
}

func TestAttentionRowsOfEveryLength(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(15, 16))
		for n := range 70 {
			x, y, want := kerneltest.Guarded(t, rng, n), kerneltest.Guarded(t, rng, n), make([]float32, n)
			// Every value and the sum carry the error of a few ulp, of exp, of its argument and of the additions.
			const scale, shift, tolerance = 0.125, 1.5, 1e-5
			wantSum := expRowGeneric(want, x, scale, shift)
			if got := expRow(y, x, scale, shift); !kerneltest.Near(float64(got), float64(wantSum), tolerance) {
				t.Errorf("length %d: sum %g, want %g", n, got, wantSum)
			}
			kerneltest.Compare(t, "exp", y, kerneltest.ToFloat64(want), tolerance)
			for i := range x {
				x[i] -= 10 // all negative: a zero from outside would win
			}
			if got, want := maxRow(x), maxRowGeneric(x); got != want {
				t.Errorf("length %d: max %g, want %g", n, got, want)
			}
			p := kerneltest.Guarded(t, rng, n)
			copy(want, y)
			softmaxSlopeRowGeneric(want, p, 0.75, 0.5)
			softmaxSlopeRow(y, p, 0.75, 0.5)
			kerneltest.Compare(t, "slope", y, kerneltest.ToFloat64(want), tolerance)
		}
	})
}

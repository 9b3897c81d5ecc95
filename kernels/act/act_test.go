package act

import (
	"math"
	"testing"
)

func TestSlopeIsTheDerivative(t *testing.T) {
	// Central difference with h=1e-5: truncation h²·|f‴| and rounding ε/h are both below 1e-8 here.
	const h, tolerance = 1e-5, 1e-8
	for a := None; a <= Tanh; a++ {
		for _, x := range []float64{-20, -4.5, -2.9, -1, -0.25, 0.1, 0.7, 2.5, 3.5, 5.9, 6.1, 30} {
			want := (a.Eval(x+h) - a.Eval(x-h)) / (2 * h)
			if got := a.Slope(x); math.Abs(got-want) > tolerance {
				t.Errorf("%s.Slope(%g) = %g, want %g", a, x, got, want)
			}
		}
	}
}

func TestString(t *testing.T) {
	for a, want := range map[Kind]string{None: "none", GELU: "gelu", Tanh: "tanh", -1: "Kind(-1)"} {
		if got := a.String(); got != want {
			t.Errorf("Kind(%d).String() = %q, want %q", int(a), got, want)
		}
	}
}

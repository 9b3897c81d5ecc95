package kerneltest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

const (
	margin   = 37                // values before and after an operand, odd: its address is not aligned
	boundary = float32(-12345.5) // what they are: no kernel may change it
)

// Guarded returns n random values between boundary values. The test fails if those are not there any more at its end.
func Guarded(tb testing.TB, rng *rand.Rand, n int) []float32 {
	tb.Helper()
	x, memory := Fenced(rng, n, false)
	tb.Cleanup(func() {
		for i, v := range memory {
			if (i < margin || i >= margin+n) && v != boundary {
				tb.Errorf("the value %d places from a slice of %d was overwritten", i-margin, n)
				return
			}
		}
	})
	return x
}

// Fenced returns n random values between boundary values, and the memory that both lie in. With special, a quarter of
// them are special: not numbers, infinities, zeros, subnormal.
func Fenced(rng *rand.Rand, n int, special bool) (x, memory []float32) {
	memory = slices.Repeat([]float32{boundary}, n+2*margin)
	x = memory[margin : margin+n : margin+n]
	specials := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 1e-40}
	for i := range x {
		x[i] = float32(rng.NormFloat64())
		if special && rng.IntN(4) == 0 {
			x[i] = float32(specials[rng.IntN(len(specials))])
		}
	}
	return x, memory
}

package kerneltest

import (
	"math"
	"testing"
)

// Near reports whether two results agree: NaN and infinities exactly, others within the tolerance.
func Near(got, want, tolerance float64) bool {
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return math.IsNaN(got) && math.IsNaN(want) || got == want
	}
	return math.Abs(got-want) <= tolerance
}

// SumTolerance bounds the rounding error of a float32 sum of n products, each of about unit size, in any order: every
// partial sum is about √n and is rounded n times, by 2⁻²⁴ relative; the errors add like a random walk. Eight times that
// leaves room for the tails.
func SumTolerance(n int) float64 { return 8 * float64(n+8) / (1 << 24) }

// Compare fails the test at the first value that isn't [Near] what it should be.
func Compare(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i := range want {
		if !Near(float64(got[i]), want[i], tolerance) {
			t.Fatalf("%s[%d] = %g, want %g ± %g", what, i, got[i], want[i], tolerance)
		}
	}
}

// CheckClose compares with an error relative to 1 + |want| + the mean of |want|: a value's own rounding is relative to
// its size, what it inherits from the terms of its sum to theirs, which are of about unit size, and what it inherits
// from sums that all values share, such as a batch norm's, to the size of all.
func CheckClose(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	mean := 0.0
	for _, w := range want {
		mean += math.Abs(w) / float64(len(want))
	}
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - w); !(diff <= tolerance*(1+math.Abs(w)+mean)) {
			t.Errorf("%s[%d] = %g, want %g", what, i, got[i], w)
			return
		}
	}
}

// CheckEqual compares bits.
func CheckEqual(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Errorf("%s: [%d] = %g, want %g", what, i, got[i], want[i])
			return
		}
	}
}

// WithinRounding allows for fused multiply-adds and for 8 units in the last place of an activation, 1e-5 in all, and
// for another order of addition in sums of so many terms of order one: what is between comes to some √terms, each
// addition rounds that by 6e-8 of it, and such errors walk as far as terms·6e-8. Of thousands of sums the worst seen is
// at 1.3 times that, so three times are allowed.
func WithinRounding(got, want float32, terms int) bool {
	switch g, w := float64(got), float64(want); {
	case math.IsNaN(w):
		return math.IsNaN(g)
	case math.IsInf(w, 0) || got == want:
		return got == want
	default:
		return math.Abs(g-w) <= 1e-5*(1+math.Abs(w))+2e-7*float64(terms)
	}
}

// ColumnMoments returns the mean and the biased variance of a column.
func ColumnMoments(x []float64, rows, c, j int) (mean, variance float64) {
	for i := j; i < len(x); i += c {
		mean += x[i] / float64(rows)
	}
	for i := j; i < len(x); i += c {
		variance += (x[i] - mean) * (x[i] - mean) / float64(rows)
	}
	return mean, variance
}

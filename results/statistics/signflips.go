package statistics

import (
	"math"
	"math/rand/v2"
)

const (
	exactPairs = 20    // so many pairs have a million assignments of signs, which are all looked at
	flips      = 99999 // that are drawn where there are more
	flipSeed   = 2

	// noDifference is what rounding leaves of none: means over seeds of fractions of 1, summed over some queries.
	noDifference = 1e-12
)

// SignFlips is the paired permutation test: were the two sides the same, each identity's sum of differences would be
// as likely to have the other sign (Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 2005, section
// 3.2). It returns the chance that random signs make a total as far from zero as it is, on either side. All
// assignments of signs count where there are few, else the test's own and 99,999 drawn ones, (1 + as far)/(1 +
// 99,999), which never is zero (Phipson and Smyth, "Permutation P-values should never be zero", 2010). Identities
// without a difference count for nothing; without any the chance is 1.
func SignFlips(sums []float64) float64 {
	var pairs []float64
	sum, size := 0.0, 0.0
	for _, s := range sums {
		if math.Abs(s) > noDifference {
			pairs = append(pairs, s)
			sum += s
			size += math.Abs(s)
		}
	}
	// Totals that are the same but for the order of their sum are as far. Of a million terms at most, each rounded by
	// half a unit in the last place, it is below that part of their size.
	far := math.Abs(sum) - 1e-10*size
	if len(pairs) <= exactPairs {
		return exactly(pairs, far)
	}
	return drawn(pairs, far)
}

// exactly looks at all assignments: those of the one half against those of the other.
func exactly(pairs []float64, far float64) float64 {
	first, second := totals(pairs[:len(pairs)/2]), totals(pairs[len(pairs)/2:])
	count := 0
	for _, a := range first {
		for _, b := range second {
			if math.Abs(a+b) >= far {
				count++
			}
		}
	}
	return float64(count) / float64(len(first)*len(second))
}

// drawn looks at random assignments, whose totals are looked up eight signs at a time.
func drawn(pairs []float64, far float64) float64 {
	const together = 8
	var tables [][]float64
	for len(pairs) > 0 {
		n := min(together, len(pairs))
		tables = append(tables, totals(pairs[:n]))
		pairs = pairs[n:]
	}
	random := rand.New(rand.NewPCG(flipSeed, 0))
	count := 0
	for range flips {
		sum, signs := 0.0, uint64(0)
		for i, table := range tables {
			if i%together == 0 {
				signs = random.Uint64()
			}
			sum += table[signs&uint64(len(table)-1)]
			signs >>= together
		}
		if math.Abs(sum) >= far {
			count++
		}
	}
	return float64(1+count) / float64(1+flips)
}

// totals are those of values under all 2^n assignments of signs; bit i of an index is that of value i.
func totals(values []float64) []float64 {
	all := []float64{0}
	for _, v := range values {
		n := len(all)
		for i := range n {
			all = append(all, all[i]+v)
		}
		for i := range n {
			all[i] -= v
		}
	}
	return all
}

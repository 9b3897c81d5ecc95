package statistics

import (
	"cmp"
	"math"
	"slices"
)

// KendallTauB is the rank correlation of x and y with its correction for ties (Kendall, "The treatment of ties in
// ranking problems", 1945): concordant less discordant pairs, over the geometric mean of the pairs that are not tied in
// x and of those that are not tied in y. It is NaN where all of either are the same. len(x) is len(y).
func KendallTauB(x, y []float64) float64 {
	score, untiedX, untiedY := 0, 0, 0
	for i := range x {
		for j := range i {
			a, b := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			score += a * b
			untiedX += a * a
			untiedY += b * b
		}
	}
	return float64(score) / math.Sqrt(float64(untiedX)*float64(untiedY))
}

// SpearmanRho is the correlation of the ranks of x and y, the tied sharing the mean of theirs (Spearman, "The proof and
// measurement of association between two things", 1904). It is NaN where all of either are the same. len(x) is len(y).
func SpearmanRho(x, y []float64) float64 {
	a, b := ranks(x), ranks(y)
	middle := float64(len(x)+1) / 2
	var ab, aa, bb float64
	for i := range a {
		da, db := a[i]-middle, b[i]-middle
		ab += da * db
		aa += da * da
		bb += db * db
	}
	return ab / math.Sqrt(aa*bb)
}

// ranks count from 1, the smallest; those of equal values are their mean.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	ranks := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = float64(from+1+to) / 2
		}
		from = to
	}
	return ranks
}

// MeanAbsoluteDifference is that of x and y. len(x) is len(y), and not zero.
func MeanAbsoluteDifference(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += math.Abs(x[i] - y[i])
	}
	return sum / float64(len(x))
}

package statistics

import "slices"

// Holm adjusts p-values for a family of hypotheses, of which they are some: an adjusted one of at most 0.05 may be
// acted upon, and the chance that any true hypothesis of the family is rejected stays below that (Holm, "A simple
// sequentially rejective multiple test procedure", 1979). The family may be larger than what was tested, as where the
// best of k was chosen by looking and then tested against the k-1 others: any of the k(k-1)/2 pairs might have come to
// be tested. The k-th smallest of the tested ones then is at least the k-th smallest of all, so that Holm's procedure
// over the whole family would reject whatever this one does.
func Holm(p []float64, family int) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	adjusted := make([]float64, len(p))
	largest := 0.0
	for rejected, i := range order {
		largest = max(largest, min(p[i]*float64(max(family, len(p))-rejected), 1))
		adjusted[i] = largest
	}
	return adjusted
}

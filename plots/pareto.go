package plots

import (
	"cmp"
	"slices"
)

// sample is a marker's place in the units of the axes.
type sample struct{ cost, accuracy float64 }

// paretoFront returns the indices of the samples that no other one beats: none is at least as accurate at no more
// cost, and better in one of the two. They are ordered by cost. Of equal samples all are kept.
func paretoFront(samples []sample) []int {
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := samples[i], samples[j]
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(b.accuracy, a.accuracy))
	})
	var front []int
	for _, i := range order {
		if len(front) > 0 {
			best := samples[front[len(front)-1]]
			if samples[i].accuracy < best.accuracy ||
				samples[i].accuracy == best.accuracy && samples[i].cost > best.cost {
				continue
			}
		}
		front = append(front, i)
	}
	return front
}

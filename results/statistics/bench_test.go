package statistics

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkIntervals: five figures of Market-1501's 750 identities.
func BenchmarkIntervals(b *testing.B) {
	p := population{identities: 750, ease: [2]float64{2, 2}, persons: 1, queries: 1}
	pids, hits, precisions, _, _ := p.draw(rand.New(rand.NewPCG(1, 1)))
	ids := ByIdentity(pids, hits, hits, hits, precisions, precisions)
	for b.Loop() {
		ids.Intervals(Share)
	}
}

// BenchmarkSignFlips: 750 identities.
func BenchmarkSignFlips(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	sums := make([]float64, 750)
	for i := range sums {
		sums[i] = random.NormFloat64()
	}
	for b.Loop() {
		SignFlips(sums)
	}
}

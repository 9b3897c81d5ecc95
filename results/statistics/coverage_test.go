package statistics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// How often intervals are to hold the truth.
const (
	coverage  = 0.95
	tolerance = 0.015

	// The error of a share of 0.95 in so many replications is √(0.95·0.05/2000) = 0.005: a procedure that is right to
	// the digit is beyond the tolerance in one of 500 seeds.
	replications = 2000
	fewResamples = 399 // end the tails at order statistics, too
)

// population is people who are easier or harder to find, and two ways to seek them.
type population struct {
	identities int
	ease       [2]float64 // of an average person's query, in log odds, under each way
	persons    float64    // the standard deviation of ease among people, which both ways share
	queries    float64    // and among a person's queries
	judged     int        // figures that are held to the tolerance
}

// precision is a query's average precision: less than certain even where a first hit is.
func precision(ease float64) float64 { return odds(0.7*ease - 0.8) }

func odds(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// truth is the mean of f over all queries of all people, by the trapezoidal rule: ease is normal.
func (p population) truth(way int, f func(float64) float64) float64 {
	deviation := math.Hypot(p.persons, p.queries)
	sum, weights := 0.0, 0.0
	for z := -9.0; z <= 9; z += 1. / 64 {
		weight := math.Exp(-z * z / 2)
		sum += weight * f(p.ease[way]+z*deviation)
		weights += weight
	}
	return sum / weights
}

// draw takes people, each with one to six queries, and says of each query whether its first hit is right under the
// first way, its average precision under it, and by how much these differ from the second way's.
func (p population) draw(random *rand.Rand) (pids []int32, hits, precisions, moreHits, morePrecise []float64) {
	hit := func(ease float64) float64 {
		if random.Float64() < odds(ease) {
			return 1
		}
		return 0
	}
	for pid := range int32(p.identities) {
		person := p.persons * random.NormFloat64()
		for range 1 + random.IntN(6) {
			shared := person + p.queries*random.NormFloat64()
			a, b := p.ease[0]+shared, p.ease[1]+shared
			first := hit(a)
			pids, hits, precisions = append(pids, pid), append(hits, first), append(precisions, precision(a))
			moreHits, morePrecise = append(moreHits, first-hit(b)), append(morePrecise, precision(a)-precision(b))
		}
	}
	return pids, hits, precisions, moreHits, morePrecise
}

// TestIntervalsCover: over samples of people, 95 % intervals hold the truth in 95 ± 1.5 % of them. With 30 people, few
// of whom tell the two ways apart, those of a difference in Rank-1 hold it in 94 % of 6,000, which is logged.
func TestIntervalsCover(t *testing.T) {
	for _, p := range []population{
		{identities: 30, ease: [2]float64{2.4, 2}, persons: 1.2, queries: 1, judged: 2},
		{identities: 80, ease: [2]float64{2.4, 2}, persons: 1.2, queries: 1, judged: 4},
		{identities: 80, ease: [2]float64{4, 2.4}, persons: 1.2, queries: 1, judged: 4},
	} {
		t.Run(fmt.Sprintf("%d identities, ease %v", p.identities, p.ease), func(t *testing.T) {
			t.Parallel()
			names := []string{"Rank-1", "mAP", "difference in Rank-1", "difference in mAP"}
			truths := []float64{p.truth(0, odds), p.truth(0, precision), 0, 0}
			truths[2], truths[3] = truths[0]-p.truth(1, odds), truths[1]-p.truth(1, precision)
			held := make([]int, len(truths))
			for r := range uint64(replications) {
				pids, hits, precisions, moreHits, morePrecise := p.draw(rand.New(rand.NewPCG(r, 77)))
				intervals := append(ByIdentity(pids, hits, precisions).intervals(Share, fewResamples),
					ByIdentity(pids, moreHits, morePrecise).intervals(Difference, fewResamples)...)
				for i, interval := range intervals {
					if interval.Low <= truths[i] && truths[i] <= interval.High {
						held[i]++
					}
				}
			}
			for i, n := range held {
				share := float64(n) / replications
				t.Logf("%s %.3f: intervals hold it in %.2f %%", names[i], truths[i], 100*share)
				if i < p.judged && math.Abs(share-coverage) > tolerance {
					t.Errorf("%s: intervals hold the truth, %.3f, in %.2f %% of samples, not %v ± %v %%",
						names[i], truths[i], 100*share, 100*coverage, 100*tolerance)
				}
			}
		})
	}
}

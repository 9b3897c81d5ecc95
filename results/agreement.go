package results

import (
	"fmt"
	"math"

	"github.com/reidbench/reidbench/results/statistics"
)

// Agreement is how far our mAP and the published agree, over the rows where like is compared with like.
type Agreement struct {
	Rows                   int     `json:"rows"`
	KendallTauB            float64 `json:"kendall_tau_b"`
	SpearmanRho            float64 `json:"spearman_rho"`
	MeanAbsoluteDifference float64 `json:"mean_absolute_difference"` // in points of percent
}

// leastToAgree is the number of rows from which on an order says something.
const leastToAgree = 3

// agreement is that of the report; nil where too few rows are like the published, or all of a side are the same.
func (r *Report) agreement() *Agreement {
	var ours, published []float64
	for l := range r.lines {
		if l.Published != nil && l.Metrics() != nil && l.LikePublished() {
			ours, published = append(ours, percent(l.Metrics().MAP).value()), append(published, l.Published.MAP.Value())
		}
	}
	if len(ours) < leastToAgree {
		return nil
	}
	a := &Agreement{
		Rows:                   len(ours),
		KendallTauB:            statistics.KendallTauB(ours, published),
		SpearmanRho:            statistics.SpearmanRho(ours, published),
		MeanAbsoluteDifference: statistics.MeanAbsoluteDifference(ours, published),
	}
	if math.IsNaN(a.KendallTauB) {
		return nil
	}
	return a
}

func (a Agreement) String() string {
	return fmt.Sprintf("of our order by mAP with the published, over %d rows where like is compared with like: "+
		"Kendall's τ-b %.3f, Spearman's ρ %.3f, mean absolute difference %.2f points", a.Rows, a.KendallTauB,
		a.SpearmanRho, a.MeanAbsoluteDifference)
}

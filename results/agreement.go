package results

import (
	"fmt"
	"math"
	"strconv"

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
		if l.likePublished() {
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

// likePublished reports whether all runs of a published row that are done were made as the published one.
func (l *Line) likePublished() bool {
	done := l.done()
	for _, record := range done {
		if !record.likePublished() {
			return false
		}
	}
	return l.Published != nil && len(done) > 0
}

// Market-1501 as published, in images.
const (
	marketTrain   = 12936
	marketQuery   = 3368
	marketGallery = 15913
)

// paperValues are those of the published recipe that bear on its outcome.
var paperValues = map[string]float64{
	"head_epochs": 10, "epochs": 150, "batch": 64, "lr": 5e-4, "lr_step": 50, "lr_gamma": 0.1, "weight_decay": 5e-4,
	"warmup_epochs": 0, "label_smoothing": 0, "forward_macs": 0,
}

// likePublished reports whether a run was made on all of Market-1501 by the paper's recipe, and judged as published.
func (r *Record) likePublished() bool {
	d := r.Dataset
	if d.Synthetic || d.Train != marketTrain || d.Query != marketQuery || d.Gallery != marketGallery ||
		r.Recipe.Name != "paper" || r.Recipe.departs() {
		return false
	}
	for key, want := range paperValues {
		value, given := r.Recipe.Values[key]
		if v, err := strconv.ParseFloat(inline(value), 64); given && (err != nil || v != want) {
			return false
		}
	}
	return true
}

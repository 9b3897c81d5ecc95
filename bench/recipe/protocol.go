package recipe

import (
	"fmt"
	"strings"

	"github.com/reidbench/reidbench/market1501"
)

// A Protocol says how an evaluation departs from the published one, which the zero value is: the
// embedding of the image as it is, Euclidean distance, no re-ranking.
type Protocol struct {
	Metric market1501.Metric `json:"metric,omitzero"`
	Flip   bool              `json:"flip,omitzero"`   // the mean of the embeddings of an image and its mirror image
	Rerank market1501.Rerank `json:"rerank,omitzero"` // judged a second time after re-ranking; zero: not
	// Trapezoid has mAP by the trapezoid rule beside that of the precisions at hits.
	Trapezoid bool `json:"trapezoid,omitzero"`
}

// String names the departures, "as published" if there are none.
func (p Protocol) String() string {
	var departures []string
	if p.Metric != market1501.Euclidean {
		departures = append(departures, p.Metric.String()+" distance")
	}
	if p.Flip {
		departures = append(departures, "mean of image and mirror image")
	}
	if r := p.Rerank; r != (market1501.Rerank{}) {
		departures = append(departures, fmt.Sprintf("re-ranking with k1 = %d, k2 = %d, λ = %v", r.K1, r.K2, r.Lambda))
	}
	if p.Trapezoid {
		departures = append(departures, "mAP also by the trapezoid rule")
	}
	if len(departures) == 0 {
		return "as published"
	}
	return strings.Join(departures, ", ")
}

// Passes is how many forward passes an image takes.
func (p Protocol) Passes() int {
	if p.Flip {
		return 2
	}
	return 1
}

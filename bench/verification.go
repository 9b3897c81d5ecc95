package bench

import (
	"context"
	"math"

	"github.com/reidbench/reidbench/market1501"
)

// Verification says how well distances tell pairs of images of one person from pairs of two. Rates are in [0, 1].
type Verification struct {
	Genuine   int64               `json:"pairs_of_one_person"`
	Impostor  int64               `json:"pairs_of_two"`
	EqualRate float64             `json:"equal_error_rate"`
	EqualAt   float64             `json:"equal_error_distance"`
	Points    []VerificationPoint `json:"points"` // at the rates that were asked for
	Curve     []VerificationPoint `json:"curve"`  // at twenty rates of each power of ten
}

// VerificationPoint is what a threshold does that accepts at most the share FPR of the pairs of two.
type VerificationPoint struct {
	FPR      float64  `json:"fpr"`
	TPR      float64  `json:"tpr"`                // share of the pairs of one person that it accepts
	Distance *float64 `json:"distance,omitempty"` // the threshold; nil: none accepts so few
}

// verify makes the record of features for rates of false acceptance.
func (e evaluation) verify(
	ctx context.Context, metric market1501.Metric, rates []float64, threads int,
) (*Verification, error) {
	roc, err := market1501.Verify(ctx, e.query, e.gallery, metric, threads)
	if err != nil {
		return nil, err
	}
	v := &Verification{Genuine: roc.Genuine, Impostor: roc.Impostor}
	v.EqualRate, v.EqualAt = roc.EqualError()
	point := func(rate float64) VerificationPoint {
		at := roc.At(rate)
		p := VerificationPoint{FPR: rate, TPR: at.TPR}
		if !math.IsInf(at.Threshold, -1) {
			p.Distance = &at.Threshold
		}
		return p
	}
	for _, rate := range rates {
		v.Points = append(v.Points, point(rate))
	}
	const perPower = 20
	least := math.Ceil(perPower * math.Log10(1/float64(roc.Impostor)))
	for step := least; step <= 0; step++ {
		v.Curve = append(v.Curve, point(math.Pow(10, step/perPower)))
	}
	return v, nil
}

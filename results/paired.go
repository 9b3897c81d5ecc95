package results

import (
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/results/statistics"
)

// Paired is how two evaluations by the same queries differ.
type Paired struct {
	Queries    int            `json:"queries"`    // that have a match
	Identities int            `json:"identities"` // of these
	Same       bool           `json:"same"`       // every query has found the same under both
	Identical  bool           `json:"identical"`  // see [Paired.OfOne]
	Figures    []PairedFigure `json:"figures"`
}

// PairedFigure is how one figure differs. All but P are fractions of 1.
type PairedFigure struct {
	Title      string              `json:"-"`
	Key        string              `json:"figure"` // as in CSV and JSON reports
	A          float64             `json:"a"`
	B          float64             `json:"b"`
	Difference float64             `json:"difference"` // A less B
	Interval   statistics.Interval `json:"interval"`   // 95 %, of the difference
	// P is how likely so large a difference is where neither is better, by a paired permutation test over identities.
	P float64 `json:"p"`
}

// ComparePaired compares two sides, each of one run or of several, of which it takes query by query the mean; reranked:
// what they have found after re-ranking. The error wraps [ErrOtherQueries] where the sides can't be compared.
func ComparePaired(a, b []Queries, reranked bool) (Paired, error) {
	outcome := byDistance
	if reranked {
		outcome = afterRerank
		for _, queries := range append(a[:len(a):len(a)], b...) {
			if !queries.reranked() {
				return Paired{}, fmt.Errorf("%w: some are not re-ranked", ErrOtherQueries)
			}
		}
	}
	of, err := newPerQuery(a, outcome)
	if err != nil {
		return Paired{}, fmt.Errorf("runs of the first: %w", err)
	}
	other, err := newPerQuery(b, outcome)
	if err != nil {
		return Paired{}, fmt.Errorf("runs of the second: %w", err)
	}
	if err := of.unlike(other); err != nil {
		return Paired{}, err
	}
	if len(of.images) == 0 {
		return Paired{}, fmt.Errorf("%w: none has a match in the gallery", ErrOtherQueries)
	}
	pids := of.pids()
	less := of.less(other)
	differences := statistics.ByIdentity(pids, less...)
	first, second := statistics.ByIdentity(pids, of.values...), statistics.ByIdentity(pids, other.values...)
	differs := func(v float64) bool { return v != 0 }
	paired := Paired{
		Queries: len(pids), Identities: differences.Len(),
		Same: !slices.ContainsFunc(slices.Concat(less...), differs),
	}
	for f, interval := range differences.Intervals(statistics.Difference) {
		paired.Figures = append(paired.Figures, PairedFigure{
			Title: figures[f].title, Key: figures[f].key,
			A: first.Mean(f), B: second.Mean(f), Difference: differences.Mean(f),
			Interval: interval, P: statistics.SignFlips(differences.Sums(f)),
		})
	}
	return paired, nil
}

// OfOne is the comparison of one and the same with itself, as far as its queries have found the same: other people
// would find the same, too. Where two models have found the same, others may tell them apart, which is what the
// intervals of [ComparePaired] have room for.
func (p Paired) OfOne() Paired {
	if !p.Same {
		return p
	}
	p.Identical, p.Figures = true, slices.Clone(p.Figures)
	for f := range p.Figures {
		p.Figures[f].Interval, p.Figures[f].P = statistics.Interval{}, 1
	}
	return p
}

// JudgedUnlike says what two runs were judged by that is not the same, as far as their records tell, and wraps
// [ErrOtherQueries]; nil: nothing. Images of other extents have digests that can't be compared.
func (r *Record) JudgedUnlike(other *Record) error {
	if r.Dataset.Fingerprint != other.Dataset.Fingerprint {
		return fmt.Errorf("%w and another gallery: of %s, fingerprint %.12s, and of %s, fingerprint %.12s",
			ErrOtherQueries,
			r.Dataset.Name, r.Dataset.Fingerprint, other.Dataset.Name, other.Dataset.Fingerprint)
	}
	a, b := r.Images, other.Images
	if a != nil && b != nil && a.Height == b.Height && a.Width == b.Width && a.Judged != b.Judged &&
		a.Judged != "" && b.Judged != "" {
		return fmt.Errorf("%w or another gallery: other images under the same names", ErrOtherQueries)
	}
	return nil
}

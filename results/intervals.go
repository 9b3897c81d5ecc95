package results

import (
	"errors"
	"fmt"

	"github.com/reidbench/reidbench/results/statistics"
)

// Intervals are 95 % intervals of an evaluation's figures, by a bootstrap over the identities of its queries; every end
// is a fraction of 1. They say what other people, sought in the same gallery with the same weights, might have given;
// what other seeds might have given is the spread over seeds.
type Intervals struct {
	Identities int                 `json:"identities"` // of queries that have a match
	Rank1      statistics.Interval `json:"rank1"`
	Rank5      statistics.Interval `json:"rank5"`
	Rank10     statistics.Interval `json:"rank10"`
	MAP        statistics.Interval `json:"map"`
	MINP       statistics.Interval `json:"minp"`
}

// Intervals are those of the evaluation; nil where no query has a match.
func (queries Queries) Intervals() *Intervals { return intervalsOf([]Queries{queries}, byDistance) }

// RerankedIntervals are those after re-ranking; nil where there was none.
func (queries Queries) RerankedIntervals() *Intervals {
	if !queries.reranked() {
		return nil
	}
	return intervalsOf([]Queries{queries}, afterRerank)
}

// intervalsOf are those of a query's mean over runs; nil where the runs have other queries than each other.
func intervalsOf(runs []Queries, outcome func(Query) Outcome) *Intervals {
	p, err := newPerQuery(runs, outcome)
	if err != nil || len(p.images) == 0 {
		return nil
	}
	ids := statistics.ByIdentity(p.pids(), p.values...)
	intervals := &Intervals{Identities: ids.Len()}
	for f, interval := range ids.Intervals(statistics.Share) {
		*figures[f].interval(intervals) = interval
	}
	return intervals
}

func (i *Intervals) validate() error {
	if i.Identities < 1 || i.Identities > maxCount {
		return fmt.Errorf("intervals over %d identities", i.Identities)
	}
	for _, f := range figures {
		if v := *f.interval(i); !(v.Low >= 0 && v.Low <= v.High && v.High <= 1) {
			return errors.New("an interval of " + f.title + " that is none: " + fmt.Sprint(v))
		}
	}
	return nil
}

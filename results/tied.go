package results

import (
	"fmt"

	"github.com/reidbench/reidbench/results/statistics"
)

// surely is the largest p that is not taken for chance.
const surely = 0.05

// tiedMark stands after the models that cannot be told apart from the best one.
const tiedMark = "≈"

// BestLabel is that of the fact about the best line.
const BestLabel = "Best"

// gatherQueries makes of every line's runs what can be said of single queries: their means over the line's seeds.
func (r *Report) gatherQueries() {
	for l := range r.lines {
		runs := l.queries()
		if runs == nil {
			continue
		}
		if found, err := newPerQuery(runs, byDistance); err == nil && len(found.images) > 0 {
			l.found = &found
		}
		if len(runs) > 1 {
			l.overSeeds = intervalsOf(runs, byDistance)
		}
	}
}

// queries are those of all of the line's runs that are done; nil if one of them does not tell.
func (l *Line) queries() []Queries {
	var runs []Queries
	for _, record := range l.done() {
		if record.Queries == nil {
			return nil
		}
		runs = append(runs, record.Queries)
	}
	return runs
}

// markTied finds the line with the best mAP, and says of the others that were judged by the same queries how likely so
// large a difference is where neither is better: paired permutation tests over identities, corrected for all pairs of
// these lines, since the best was found by looking at them all.
func (r *Report) markTied() {
	var best *Line
	judged := 0
	for l := range r.lines {
		if l.found == nil {
			continue
		}
		judged++
		if best == nil || l.Metrics().MAP > best.Metrics().MAP {
			best = l
		}
	}
	var others []*Line
	var chances []float64
	for l := range r.lines {
		if l == best || l.found == nil || l.judgedUnlike(best) {
			continue
		}
		differences := statistics.ByIdentity(best.found.pids(), best.found.less(*l.found)[mapFigure])
		others, chances = append(others, l), append(chances, statistics.SignFlips(differences.Sums(0)))
	}
	if len(others) == 0 {
		return
	}
	lines := len(others) + 1
	pairs := lines * (lines - 1) / 2
	tied := 0
	for i, p := range statistics.Holm(chances, pairs) {
		others[i].AgainstBest = &p
		if others[i].Tied() {
			tied++
		}
	}
	among := ""
	for l := range r.lines {
		if m := l.Metrics(); l.found == nil && m != nil && m.MAP > best.Metrics().MAP {
			among = ", of those of which it is known what each query has found"
		}
	}
	text := fmt.Sprintf("%s by mAP, %s%s. %s: paired permutation tests over identities, at p = %v after Holm's "+
		"correction for all pairs (%d)",
		best.Model, percent(best.Metrics().MAP), among, standing(len(others), tied), surely, pairs)
	if left := judged - lines; left > 0 {
		text += fmt.Sprintf("; not compared, as judged by other queries or in another gallery: %d", left)
	}
	r.Setup = append(r.Setup, Fact{BestLabel, text + "."})
}

// standing says how many others can't be told apart from the best.
func standing(others, tied int) string {
	switch {
	case others == 1 && tied == 1:
		return "The other one can't be told apart from it (" + tiedMark + ")"
	case others == 1:
		return "The other one can be told apart from it"
	case tied == 0:
		return fmt.Sprintf("All %d others can be told apart from it", others)
	case tied == others:
		return fmt.Sprintf("None of the %d others can be told apart from it (%s)", others, tiedMark)
	}
	return fmt.Sprintf("%d of the %d others can't be told apart from it (%s)", tied, others, tiedMark)
}

// judgedUnlike reports whether two lines were judged by other queries, or in another gallery.
func (l *Line) judgedUnlike(other *Line) bool {
	return l.Record().JudgedUnlike(other.Record()) != nil || l.found.unlike(*other.found) != nil
}

// Tied reports whether the line cannot be told apart from the one with the best mAP.
func (l *Line) Tied() bool { return l.AgainstBest != nil && *l.AgainstBest > surely }

// Intervals are 95 % intervals of the line's figures, over several seeds of their mean; nil: not known.
func (l *Line) Intervals() *Intervals {
	if final := l.final(); len(final) == 1 {
		return final[0].Intervals
	}
	return l.overSeeds
}

// rerankedIntervals are those after re-ranking, of a single run.
func (l *Line) rerankedIntervals() *Intervals {
	if final := l.final(); len(final) == 1 && final[0].Reranked != nil {
		return final[0].Reranked.Intervals
	}
	return nil
}

package results

import (
	"cmp"
	"fmt"

	"github.com/reidbench/reidbench/results/texttable"
)

// column is one of a printed table's. Its title breaks at its last blank where there is little room, and its yields are
// those of texttable.
type column struct {
	key    string // names it on a command line
	title  string
	left   bool // aligned; numbers stand right
	yields int
	cell   func(*Line) string
}

// noFigure stands where there is nothing to print, so that no cell of ours is mistaken for a zero.
const noFigure = "–"

// modelColumn marks the lines that have notes with an asterisk, those with tied also that can't be told apart from the
// best of the runs.
func modelColumn(tied bool) column {
	return column{key: "model", title: "Model", left: true, cell: func(l *Line) string {
		name := l.Model
		if tied && l.Tied() {
			name += " " + tiedMark
		}
		if len(l.Notes) > 0 {
			name += " *"
		}
		return name
	}}
}

// detail columns are those of a table that has room for all.
const detail = texttable.Detail

// answerColumns are the published accuracies, and what a model costs.
func answerColumns() []column {
	published := func(key, title string, yields int, of func(*Row) Figure) column {
		return column{key + "_published", title, false, yields, func(l *Line) string {
			if l.Published == nil {
				return noFigure
			}
			return string(of(l.Published))
		}}
	}
	count := func(key, title string, yields int, of func(*Line) comparison) column {
		return column{key, title, false, yields, func(l *Line) string { return of(l).oursText() }}
	}
	columns := []column{
		published("map", "mAP", 1, func(r *Row) Figure { return r.MAP }),
		published("rank1", "Rank-1", 2, func(r *Row) Figure { return r.Rank1 }),
		published("rank5", "Rank-5", detail+5, func(r *Row) Figure { return r.Rank5 }),
		published("rank10", "Rank-10", detail+6, func(r *Row) Figure { return r.Rank10 }),
		count("params_m", "Params (M)", 4, (*Line).params),
		count("macs_g", "MACs (G)", 5, (*Line).macs),
	}
	for _, q := range MeasuredCosts() {
		columns = append(columns, column{q.Key, q.Title, false, q.yields, func(l *Line) string {
			return cmp.Or(q.Text(l), noFigure)
		}})
	}
	return columns
}

// lossColumns are how far the loss has fallen.
func lossColumns() []column {
	loss := func(key, title string, of func(LossRange) float64) column {
		return column{key, title, false, 3, func(l *Line) string {
			if loss := l.Loss(); loss != nil {
				return LossText(of(*loss))
			}
			return noFigure
		}}
	}
	return []column{
		loss("loss_first", "Loss first", func(r LossRange) float64 { return r.First }),
		loss("loss_last", "Loss last", func(r LossRange) float64 { return r.Last }),
	}
}

// initialColumn is the mAP before training.
var initialColumn = column{"map_initial", "mAP before", false, 2, func(l *Line) string {
	return orNoFigure(l.initialMAP())
}}

// stateOr is the text, or why there is none.
func (l *Line) stateOr(text string) string {
	if state := l.State(); state != StateDone {
		return string(state)
	}
	return text
}

// accuracyColumns give our figure of each metric with its interval, and with compared, where it is published, the
// published one and the difference.
func accuracyColumns(shown []metric, compared bool) []column {
	var columns []column
	for i, m := range shown {
		yields := 2 * i
		ours := column{m.key, m.title, false, yields, func(l *Line) string { return m.of(l).oursText() }}
		if i == 0 {
			ours.cell = func(l *Line) string { return l.stateOr(m.of(l).oursText()) }
		}
		columns = append(columns, ours)
		if m.interval != nil {
			columns = append(columns, intervalColumn(m, yields+1))
		}
		if compared && m.published != nil {
			columns = append(columns, comparedColumns(m.key, yields, m.of, (decimal).Signed)...)
		}
	}
	return columns
}

// shownMetrics are those that some of the lines have, or that are published, without intervals that none of them has.
func shownMetrics(lines []*Line) []metric {
	var shown []metric
	for _, m := range metrics {
		if m.published == nil && !some(lines, func(l *Line) bool { return m.of(l).ours != nil }) {
			continue
		}
		if !some(lines, func(l *Line) bool { return m.of(l).low != nil }) {
			m.interval = nil
		}
		shown = append(shown, m)
	}
	return shown
}

func intervalColumn(m metric, yields int) column {
	return column{m.key + "_interval", "95\u00a0%", false, yields, func(l *Line) string {
		return m.of(l).intervalText()
	}}
}

// countedColumns give params and MACs beside the published; a check mark in place of a difference: all digits agree.
func countedColumns(yields int) []column {
	var columns []column
	for _, c := range []struct {
		key, title string
		of         func(*Line) comparison
	}{
		{"params_m", "Params (M)", (*Line).params},
		{"macs_g", "MACs (G)", (*Line).macs},
	} {
		columns = append(columns,
			column{c.key, c.title, false, yields, func(l *Line) string { return c.of(l).oursText() }})
		columns = append(columns, comparedColumns(c.key, yields, c.of, func(d decimal) string {
			if d.units == 0 {
				return "✓"
			}
			return d.Signed()
		})...)
	}
	return columns
}

func comparedColumns(
	key string, yields int, of func(*Line) comparison, difference func(decimal) string,
) []column {
	return []column{
		{key + "_published", "paper", false, yields, func(l *Line) string { return orNoFigure(of(l).published) }},
		{key + "_difference", "Δ", false, yields, func(l *Line) string {
			if d := of(l).difference(); d != nil {
				return difference(*d)
			}
			return ""
		}},
	}
}

func some(lines []*Line, like func(*Line) bool) bool {
	for _, l := range lines {
		if like(l) {
			return true
		}
	}
	return false
}

// oursText is our figure, over several seeds their mean ± their sample standard deviation.
func (c comparison) oursText() string {
	if c.deviation == nil {
		return orNoFigure(c.ours)
	}
	return c.ours.String() + " ± " + c.deviation.String()
}

// intervalText has both ends of the interval of our figure with one place, as they are known no better.
func (c comparison) intervalText() string {
	if c.low == nil {
		return ""
	}
	return fmt.Sprintf("%.1f–%.1f", c.low.value(), c.high.value())
}

func orNoFigure(d *decimal) string {
	if d == nil {
		return noFigure
	}
	return d.String()
}

package results

import (
	"fmt"
	"slices"
)

// column is one column of a printed table.
type column struct {
	title string
	left  bool // aligned; numbers stand right
	cell  func(*Line) string
	group bool // first of a group: one quantity's ours, paper and Δ
}

// noFigure stands where there is nothing to print, so that no cell of ours is mistaken for a zero.
const noFigure = "–"

// modelColumn marks the lines that can't be told apart from the best, and those that have notes with an asterisk.
var modelColumn = column{title: "Model", left: true, cell: func(l *Line) string {
	name := l.Model
	if l.Tied() {
		name += " " + tiedMark
	}
	if len(l.Notes) > 0 {
		name += " *"
	}
	return name
}}

// accuracyColumns gives each metric, or with compared and where it is published the metric, the published figure and
// the difference. What none of the lines has is no column unless it is published.
func accuracyColumns(lines []Line, compared bool) []column {
	var columns []column
	for i, m := range metrics {
		known := func(l Line) bool { return m.of(&l).ours != nil }
		if m.published == nil && !slices.ContainsFunc(lines, known) {
			continue
		}
		ours := func(l *Line) string {
			if i == 0 && l.State() != StateDone {
				return string(l.State())
			}
			return m.of(l).oursText()
		}
		quantity := group(m.title, ours, m.of, compared && m.published != nil, (decimal).Signed)
		if slices.ContainsFunc(lines, func(l Line) bool { return m.of(&l).low != nil }) {
			interval := column{title: "95 %", cell: func(l *Line) string { return m.of(l).intervalText() }}
			quantity = slices.Insert(quantity, 1, interval)
		}
		columns = append(columns, quantity...)
	}
	return columns
}

// costColumns gives params and MACs in the same way; a check mark in place of a difference: all digits agree.
func costColumns(compared bool) []column {
	var columns []column
	for _, c := range []struct {
		title string
		of    func(*Line) comparison
	}{
		{"Params (M)", (*Line).params},
		{"MACs (G)", (*Line).macs},
	} {
		ours := func(l *Line) string { return c.of(l).oursText() }
		columns = append(columns, group(c.title, ours, c.of, compared, func(d decimal) string {
			if d.units == 0 {
				return "✓"
			}
			return d.Signed()
		})...)
	}
	return columns
}

func group(
	title string, ours func(*Line) string, of func(*Line) comparison, compared bool, difference func(decimal) string,
) []column {
	first := column{title: title, cell: ours, group: true}
	if !compared {
		return []column{first}
	}
	return []column{
		first,
		{title: "paper", cell: func(l *Line) string { return orNoFigure(of(l).published) }},
		{title: "Δ", cell: func(l *Line) string {
			if d := of(l).difference(); d != nil {
				return difference(*d)
			}
			return ""
		}},
	}
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

// cells returns the titles and the cells of every line, each passed through escape.
func (t ReportTable) cells(columns []column, escape func(string) string) (titles []string, rows [][]string) {
	for _, c := range columns {
		titles = append(titles, escape(c.title))
	}
	for i := range t.Lines {
		row := make([]string, len(columns))
		for j, c := range columns {
			row[j] = escape(c.cell(&t.Lines[i]))
		}
		rows = append(rows, row)
	}
	return titles, rows
}

// accuracy and cost are the table's column groups; beside the published tables there is nothing to compare with.
func (t ReportTable) accuracy() []column { return accuracyColumns(t.Lines, t.Table != "" && !t.alone) }

func (t ReportTable) cost() []column {
	return append(costColumns(t.Table != ""), inferenceColumns(t.Lines)...)
}

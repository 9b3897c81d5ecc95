package results

import (
	"slices"
	"strings"

	"github.com/reidbench/reidbench/results/statistics"
)

// comparison is one quantity of a line; either side may be missing.
type comparison struct {
	ours      *decimal
	deviation *decimal // of ours over several seeds
	low, high *decimal // of the 95 % interval of ours
	published *decimal
	unlike    bool // ours and the published are no figures of the same thing
}

func (c comparison) difference() *decimal {
	if c.ours == nil || c.published == nil || c.unlike {
		return nil
	}
	d := c.ours.minus(*c.published)
	return &d
}

// matches reports whether both sides are there and have the same digits.
func (c comparison) matches() bool {
	d := c.difference()
	return d != nil && d.units == 0
}

// metric is one of the accuracy columns.
type metric struct {
	title     string
	key       string // in CSV and JSON
	ours      func(*Metrics) float64
	known     func(*Metrics) bool                   // nil: in every record
	published func(*Row) Figure                     // nil: nowhere
	interval  func(*Intervals) *statistics.Interval // nil: it has none
}

var metrics = []metric{
	{"mAP", "map", func(m *Metrics) float64 { return m.MAP }, nil, func(r *Row) Figure { return r.MAP }, ofMAP},
	{"Rank-1", "rank1", func(m *Metrics) float64 { return m.Rank1 }, nil, func(r *Row) Figure { return r.Rank1 },
		ofRank1},
	{"Rank-5", "rank5", func(m *Metrics) float64 { return m.Rank5 }, nil, func(r *Row) Figure { return r.Rank5 },
		func(i *Intervals) *statistics.Interval { return &i.Rank5 }},
	{"Rank-10", "rank10", func(m *Metrics) float64 { return m.Rank10 }, nil, func(r *Row) Figure { return r.Rank10 },
		func(i *Intervals) *statistics.Interval { return &i.Rank10 }},
	{"mINP", "minp", func(m *Metrics) float64 { return m.MINP }, func(m *Metrics) bool { return m.MINP > 0 }, nil,
		func(i *Intervals) *statistics.Interval { return &i.MINP }},
	{"Rank-1 RR", "rank1_reranked", func(m *Metrics) float64 { return m.Reranked.Rank1 }, reranked, nil, ofRank1},
	{"mAP RR", "map_reranked", func(m *Metrics) float64 { return m.Reranked.MAP }, reranked, nil, ofMAP},
	{"mAP trapezoid", "map_trapezoid", func(m *Metrics) float64 { return m.TrapezoidMAP },
		func(m *Metrics) bool { return m.TrapezoidMAP > 0 }, nil, nil},
}

func ofRank1(i *Intervals) *statistics.Interval { return &i.Rank1 }
func ofMAP(i *Intervals) *statistics.Interval   { return &i.MAP }

func reranked(m *Metrics) bool { return m.Reranked != nil }

// ofRerank reports whether the metric is one after re-ranking.
func (m metric) ofRerank() bool { return strings.HasSuffix(m.key, "_reranked") }

// intervals are those that the metric's is among; nil: not known.
func (m metric) intervals(l *Line) *Intervals {
	if !m.ofRerank() {
		return l.Intervals()
	}
	return l.rerankedIntervals()
}

func (m metric) of(l *Line) (c comparison) {
	if ours := l.Metrics(); ours != nil && (m.known == nil || m.known(ours)) {
		d := percent(m.ours(ours))
		c.ours = &d
		if deviation := l.Deviation(); deviation != nil {
			d := percent(m.ours(deviation))
			c.deviation = &d
		}
	}
	if i := m.intervals(l); i != nil && m.interval != nil {
		low, high := percent(m.interval(i).Low), percent(m.interval(i).High)
		c.low, c.high = &low, &high
	}
	if l.Published != nil && m.published != nil {
		d := m.published(l.Published).decimal()
		c.published, c.unlike = &d, !l.compared
	}
	return c
}

// params is the line's parameters in millions under the published counting.
func (l *Line) params() comparison {
	var count *int64
	var figure Figure
	if l.Cost != nil {
		count = &l.Cost.PaperParams
	}
	if l.Published != nil {
		figure = l.Published.ParamsM
	}
	return compareCost(count, 1e6, figure)
}

// macs is the line's multiply-accumulates in billions under the published counting.
func (l *Line) macs() comparison {
	var count *int64
	var figure Figure
	if l.Cost != nil {
		count = &l.Cost.PaperMACs
	}
	if l.Published != nil {
		figure = l.Published.MACsG
	}
	return compareCost(count, 1e9, figure)
}

// compareCost rounds a count to the published digits; where nothing is published, to two places, or to three if it is
// below one unit.
func compareCost(count *int64, unit int64, figure Figure) (c comparison) {
	places := 2
	if figure != "" {
		d := figure.decimal()
		c.published, places = &d, d.places
	} else if count != nil && *count < unit {
		places = 3
	}
	if count != nil {
		d := ratio(*count, unit, places)
		c.ours = &d
	}
	return c
}

func metricOf(key string) metric {
	return metrics[slices.IndexFunc(metrics, func(m metric) bool { return m.key == key })]
}

package html

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/reidbench/reidbench/results"
)

// table is one of the page's tables of all models.
type table struct {
	ID, Title string
	Said      string   // of it; "": nothing
	Cautions  []string // why not to take it for more than it is
	Groups    []group
	Rows      []row
}

// group is a quantity's columns.
type group struct {
	Title   string
	Columns []string
}

type row struct {
	Model   string
	Starred bool // there are notes
	Tied    bool // with the best
	Kind    string
	State   state
	Cells   []cell
}

// cell is empty where nothing is known.
type cell struct {
	Text     string
	Interval string // 95 %, of ours
	Sort     string // the number that it is sorted by
	First    bool   // of its group
	Best     bool   // of its column
	Quiet    bool   // a difference
}

// answerTable has the published accuracies, and what the models cost.
func (p Page) answerTable(lines []line) table {
	t := table{ID: "answer", Title: "Published accuracy, and what it costs here", Groups: []group{
		{"Published", []string{"mAP", "Rank-1"}}, {"Counted", []string{"Params (M)", "MACs (G)"}},
		{"In use, measured", []string{"latency, ms", "img/s", "MiB"}}, {"Training", []string{"img/s"}},
	}}
	if caution := p.Report.CostCaution(); caution != "" {
		t.Cautions = []string{caution}
	}
	for _, l := range lines {
		r := newRow(l)
		r.Tied = false // that is about our runs
		for _, q := range l.Accuracy() {
			if q.Key == "map" || q.Key == "rank1" {
				r.Cells = append(r.Cells, cell{Text: q.Published, Sort: q.Published, First: q.Key == "map"})
			}
		}
		for i, q := range l.Costs() {
			r.Cells = append(r.Cells, cell{Text: q.Ours, Sort: q.Ours, First: i == 0})
		}
		for i, q := range results.InferenceQuantities() {
			r.Cells = append(r.Cells, cell{Text: q.Text(l.Line), Sort: known(q.Of(l.Line)), First: i == 0})
		}
		training := results.TrainingSpeed
		r.Cells = append(r.Cells, cell{Text: training.Text(l.Line), Sort: known(training.Of(l.Line)), First: true})
		t.Rows = append(t.Rows, r)
	}
	return t
}

// accuracyTable has what our runs have come to: the losses and the mAP that they began with where these are known, and
// every accuracy, beside the published where like is compared with like.
func (p Page) accuracyTable(lines []line) table {
	t := table{ID: "accuracy", Title: "What the runs have come to", Said: p.best(), Cautions: p.Report.RunCautions()}
	compared := slices.ContainsFunc(lines, func(l line) bool { return l.Compared() })
	if compared {
		t.Title = "Ours beside the published"
	}
	began := slices.ContainsFunc(lines, func(l line) bool { return l.Loss() != nil || l.InitialMAP() != "" })
	if began {
		t.Groups = append(t.Groups,
			group{"Loss", []string{"first step", "last step"}}, group{"mAP", []string{"before"}})
	}
	has := make(map[string]bool) // what some line has, or the published tables
	for _, l := range lines {
		for _, q := range l.Accuracy() {
			has[q.Key] = has[q.Key] || q.Compared || q.Ours != ""
		}
	}
	for i, l := range lines {
		r := newRow(l)
		if began {
			r.Cells = append(r.Cells, beginning(l)...)
		}
		for _, q := range l.Accuracy() {
			if !has[q.Key] {
				continue
			}
			q.Compared = q.Compared && compared
			if i == 0 {
				t.Groups = append(t.Groups, group{q.Title, quantityColumns(q)})
			}
			if !l.Compared() && l.Record() != nil {
				q.Published = "" // of something else
			}
			r.Cells = append(r.Cells, quantityCells(q)...)
		}
		t.Rows = append(t.Rows, r)
	}
	t.markBest(func(a, b float64) bool { return a > b })
	return t
}

// beginning is what the line's runs began with.
func beginning(l line) []cell {
	cells := []cell{{First: true, Quiet: true}, {Quiet: true}, {First: true, Quiet: true}}
	if loss := l.Loss(); loss != nil {
		for i, v := range []float64{loss.First, loss.Last} {
			cells[i].Text, cells[i].Sort = results.LossText(v), number(v)
		}
	}
	cells[2].Text, cells[2].Sort = l.InitialMAP(), l.InitialMAP()
	return cells
}

// costTable has params and MACs, ours beside the published, and what was measured.
func (p Page) costTable(lines []line) table {
	t := table{ID: "cost", Title: "Costs, in full"}
	for i, l := range lines {
		r := newRow(l)
		for _, q := range l.Costs() {
			if i == 0 {
				t.Groups = append(t.Groups, group{q.Title, quantityColumns(q)})
			}
			if q.Match {
				q.Difference = "✓"
			}
			r.Cells = append(r.Cells, quantityCells(q)...)
		}
		for _, m := range measurements {
			if i == 0 {
				t.Groups = append(t.Groups, group{m.group, []string{m.title}})
			}
			r.Cells = append(r.Cells, m.cell(l))
		}
		for _, m := range inference {
			if !slices.ContainsFunc(lines, func(l line) bool { return m.Of(l.Line) > 0 }) {
				continue
			}
			if i == 0 {
				t.Groups = append(t.Groups, group{m.group, []string{m.title}})
			}
			r.Cells = append(r.Cells, cell{Text: m.Text(l.Line), Sort: known(m.Of(l.Line)), First: true})
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func newRow(l line) row {
	return row{Model: l.Model, Starred: len(l.Notes) > 0, Tied: l.Tied(), Kind: l.kind, State: l.state}
}

func quantityColumns(q results.Quantity) []string {
	if q.Compared {
		return []string{"ours", "paper", "Δ"}
	}
	return []string{"ours"}
}

func quantityCells(q results.Quantity) []cell {
	ours := cell{Text: q.Ours, Sort: q.Ours, First: true}
	if q.Deviation != "" {
		ours.Text += " ± " + q.Deviation
	}
	if q.Low != "" {
		ours.Interval = oneDigit(q.Low) + "–" + oneDigit(q.High)
	}
	cells := []cell{ours, {Text: q.Published, Sort: q.Published}, {Text: q.Difference, Sort: q.Difference, Quiet: true}}
	if q.Match {
		cells[2].Sort = "0"
	}
	return cells[:len(quantityColumns(q))]
}

// oneDigit leaves one place of a printed figure: the ends of an interval are known no better.
func oneDigit(printed string) string {
	v, err := strconv.ParseFloat(printed, 64)
	if err != nil {
		return printed
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// markBest sets the best of each column of ours and of the published figures in bold, as papers do. Of several best
// ones all are.
func (t *table) markBest(better func(a, b float64) bool) {
	for column := range t.Rows[0].Cells {
		best := math.NaN()
		value := func(r row) float64 {
			c := r.Cells[column]
			if v, err := strconv.ParseFloat(c.Sort, 64); err == nil && !c.Quiet {
				return v
			}
			return math.NaN()
		}
		for _, r := range t.Rows {
			if v := value(r); v == v && (best != best || better(v, best)) {
				best = v
			}
		}
		for i := range t.Rows {
			t.Rows[i].Cells[column].Best = value(t.Rows[i]) == best
		}
	}
}

// measurement is a figure of a run that nobody else has published.
type measurement struct {
	key, group, title string
	of                func(*results.Record) float64 // 0: not known
	text              func(v, mean float64) string  // with the digits that the mean has
}

var measurements = []measurement{
	{"images_per_second", "Training speed", "img/s",
		func(r *results.Record) float64 { return r.Timing.ImagesPerSecond }, likeMean},
	{"memory", "Memory", "planned, GiB", func(r *results.Record) float64 { return gibibytes(r.Memory.PlannedBytes) },
		likeMean},
	{"peak", "Peak memory", "measured, GiB", func(r *results.Record) float64 { return gibibytes(r.Memory.PeakBytes) },
		likeMean},
	{"wall", "Wall time", "of the run", func(r *results.Record) float64 { return r.Timing.WallSeconds },
		func(v, _ float64) string { return duration(v) }},
}

// inference is what using the models costs.
var inference = []struct {
	results.InferenceQuantity
	group, title string
}{
	{results.LatencyP50, "Latency", "of one image, ms"},
	{results.Throughput, "Inference", "img/s"},
	{results.InferenceMemory, "Inference memory", "planned for one image, MiB"},
}

func (m measurement) cell(l line) cell {
	mean, deviation, n := m.statistics(l)
	if n == 0 {
		return cell{First: true}
	}
	c := cell{Text: m.text(mean, mean), Sort: number(mean), First: true}
	if n > 1 {
		c.Text += " ± " + m.text(deviation, mean)
	}
	return c
}

// statistics are the mean over the line's finished runs, their sample standard deviation, and their number.
func (m measurement) statistics(l line) (mean, deviation float64, n int) {
	var values []float64
	for _, r := range l.Records {
		if v := m.of(r); r.State == results.StateDone && v > 0 {
			values = append(values, v)
		}
	}
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean)
	}
	if len(values) > 1 {
		deviation = math.Sqrt(deviation / float64(len(values)-1))
	}
	return mean, deviation, len(values)
}

func measurementOf(key string) measurement {
	return measurements[slices.IndexFunc(measurements, func(m measurement) bool { return m.key == key })]
}

func gibibytes(bytes int64) float64 { return float64(bytes) / (1 << 30) }

// significant prints three digits, and no fewer than stand before the point.
func significant(v float64) string { return likeMean(v, v) }

// likeMean prints as many places as significant does of the mean.
func likeMean(v, mean float64) string {
	places := 0
	if mean > 0 {
		places = min(max(2-int(math.Floor(math.Log10(mean))), 0), 4)
	}
	return strconv.FormatFloat(v, 'f', places, 64)
}

// duration prints seconds in the largest units that fit.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return milliseconds(seconds)
	case d < time.Minute:
		return significant(seconds) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d min", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d:%02d h", d/time.Hour, d%time.Hour/time.Minute)
}

// known is a number, or "" for 0, which stands for none.
func known(v float64) string {
	if v == 0 {
		return ""
	}
	return number(v)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

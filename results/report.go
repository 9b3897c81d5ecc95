package results

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Report is the comparison: the two published tables row by row, ours beside the published figures, and a third table
// of models that were never published there. Text, Markdown, CSV and JSON write it.
type Report struct {
	Setup  []Fact // what the runs have in common; a line whose run differs says so in its notes
	Caveat string // why ours and the published figures are not alike; empty where they are
	Tables []ReportTable
}

// Fact is one labelled statement about the runs.
type Fact struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

// ReportTable is one of the tables; Table is empty for the models beside the published ones.
type ReportTable struct {
	Table Table
	Lines []Line
}

// Line is one model: a published row, a run, or both.
type Line struct {
	Model     string
	Published *Row
	Record    *Record // nil: not run
	Cost      *Cost   // nil: not known
	Notes     []string
}

// NotRun is the status of a published row without a record.
const NotRun Status = "not run"

// Status is how the line's run ended, or NotRun.
func (l Line) Status() Status {
	if l.Record == nil {
		return NotRun
	}
	return l.Record.Status
}

// Metrics returns the final metrics of a run that is done, else nil.
func (l Line) Metrics() *Metrics {
	if l.Status() != Done {
		return nil
	}
	return l.Record.Final
}

// NewReport arranges records for printing. Costs are keyed by a published row's printed name, beside the tables by
// the model's; where a cost is missing, the record's own stands in. Of several seeds' records the first stands for all;
// two models of one row are an error.
func NewReport(records []Record, costs map[string]Cost) (*Report, error) {
	byRow := make(map[string]*Record)
	var beside []*Record
	seen := make(map[string]bool)
	for i := range records {
		r := &records[i]
		if seen[r.Model] {
			continue
		}
		seen[r.Model] = true
		if r.Row == "" {
			beside = append(beside, r)
			continue
		}
		row, ok := Find(r.Row)
		if !ok {
			return nil, fmt.Errorf("%s: no published row is called %q", r.Model, r.Row)
		}
		if other := byRow[row.Name]; other != nil {
			return nil, fmt.Errorf("%s and %s are both records of the row %s", other.Model, r.Model, row.Name)
		}
		byRow[row.Name] = r
	}
	slices.SortStableFunc(beside, func(a, b *Record) int { return strings.Compare(a.Model, b.Model) })

	cnns, transformers, others := ReportTable{Table: CNNs}, ReportTable{Table: Transformers}, ReportTable{}
	for _, row := range Published() {
		line := Line{Model: row.Model, Published: &row, Record: byRow[row.Name]}
		line.setCost(costs, row.Name)
		table := &cnns
		if row.Table == Transformers {
			table = &transformers
		}
		table.Lines = append(table.Lines, line)
	}
	for _, r := range beside {
		line := Line{Model: r.Model, Record: r}
		line.setCost(costs, r.Model)
		others.Lines = append(others.Lines, line)
	}
	report := &Report{Tables: []ReportTable{cnns, transformers}}
	if len(others.Lines) > 0 {
		report.Tables = append(report.Tables, others)
	}
	report.describeRuns()
	report.annotate()
	return report, nil
}

func (l *Line) setCost(costs map[string]Cost, key string) {
	if c, ok := costs[key]; ok {
		l.Cost = &c
	} else if l.Record != nil && l.Record.Cost != (Cost{}) {
		l.Cost = &l.Record.Cost
	}
}

// lines walks all tables.
func (r *Report) lines(yield func(*Line) bool) {
	for t := range r.Tables {
		for i := range r.Tables[t].Lines {
			if !yield(&r.Tables[t].Lines[i]) {
				return
			}
		}
	}
}

// describeRuns states what most runs share and notes on a line where its run differs.
func (r *Report) describeRuns() {
	facets := []struct {
		label string
		of    func(*Record) string
	}{
		{"Recipe", func(r *Record) string { return r.Recipe.String() }},
		{"Dataset", func(r *Record) string { return r.Dataset.String() }},
		{"Seed", func(r *Record) string { return strconv.FormatUint(r.Seed, 10) }},
		{"Machine", func(r *Record) string { return r.Machine.String() }},
	}
	for _, facet := range facets {
		votes := make(map[string]int)
		common := ""
		for l := range r.lines {
			if l.Record != nil {
				votes[facet.of(l.Record)]++
			}
		}
		for l := range r.lines { // of equally frequent ones, the first in the table's order
			if l.Record != nil && votes[facet.of(l.Record)] > votes[common] {
				common = facet.of(l.Record)
			}
		}
		if len(votes) == 0 {
			continue
		}
		r.Setup = append(r.Setup, Fact{facet.label, common})
		for l := range r.lines {
			if l.Record != nil && facet.of(l.Record) != common {
				l.Notes = append(l.Notes, fmt.Sprintf("%s of this run: %s.", facet.label, facet.of(l.Record)))
			}
		}
	}

	rows, count := len(Published()), make(map[Status]int)
	unlike := false
	for l := range r.lines {
		if l.Published != nil {
			count[l.Status()]++
		}
		unlike = unlike || l.Metrics() != nil && (l.Record.Dataset.Synthetic || l.Record.Recipe.Name != "paper")
	}
	r.Setup = append(r.Setup, Fact{"Rows", fmt.Sprintf("%d of %d done, %d failed, %d not run",
		count[Done], rows, count[Failed], count[NotRun])})
	if unlike {
		r.Caveat = "The published figures are from Market-1501 under the paper recipe. Not all of ours are, " +
			"so their differences compare unlike things."
	}
}

// annotate adds the reasons for failures and for costs whose digits are not the published ones.
func (r *Report) annotate() {
	for l := range r.lines {
		if l.Status() == Failed {
			l.Notes = append(l.Notes, "Failed: "+l.Record.Reason)
		}
		if l.Record != nil && l.Record.Pretrained != nil {
			l.Notes = append(l.Notes, fmt.Sprintf("Began with the weights of %s, SHA-256 %.8s….",
				l.Record.Pretrained.File, l.Record.Pretrained.SHA256))
		}
		if l.Published == nil || l.Cost == nil {
			continue
		}
		if params, macs := l.params(), l.macs(); params.matches() && macs.matches() {
			continue
		}
		if reason := l.Published.CostsDiffer; reason != "" {
			l.Notes = append(l.Notes, reason)
		} else {
			l.Notes = append(l.Notes, "The costs are not the published ones, and no reason is known.")
		}
	}
}

// comparison is one quantity of a line; either side may be missing.
type comparison struct {
	ours      *decimal
	published *decimal
}

func (c comparison) difference() *decimal {
	if c.ours == nil || c.published == nil {
		return nil
	}
	d := c.ours.minus(*c.published)
	return &d
}

// matches tells whether both sides are there and have the same digits.
func (c comparison) matches() bool {
	d := c.difference()
	return d != nil && d.units == 0
}

// metric is one of the accuracy columns.
type metric struct {
	title     string
	key       string // in CSV and JSON
	ours      func(*Metrics) float64
	published func(*Row) Figure
}

var metrics = []metric{
	{"Rank-1", "rank1", func(m *Metrics) float64 { return m.Rank1 }, func(r *Row) Figure { return r.Rank1 }},
	{"Rank-5", "rank5", func(m *Metrics) float64 { return m.Rank5 }, func(r *Row) Figure { return r.Rank5 }},
	{"Rank-10", "rank10", func(m *Metrics) float64 { return m.Rank10 }, func(r *Row) Figure { return r.Rank10 }},
	{"mAP", "map", func(m *Metrics) float64 { return m.MAP }, func(r *Row) Figure { return r.MAP }},
}

func (m metric) of(l *Line) (c comparison) {
	if ours := l.Metrics(); ours != nil {
		d := percent(m.ours(ours))
		c.ours = &d
	}
	if l.Published != nil {
		d := m.published(l.Published).decimal()
		c.published = &d
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

// String lists the resolved single values by name, the recipe's own first. What describes
// the dataset stands there.
func (r Recipe) String() string {
	var values []string
	for _, key := range slices.Sorted(maps.Keys(r.Values)) {
		if _, nested := r.Values[key].(map[string]any); nested || key == "name" {
			continue
		}
		value, ok := r.Values[key].(string)
		if !ok {
			encoded, err := json.Marshal(r.Values[key])
			if err != nil {
				encoded = fmt.Append(nil, r.Values[key])
			}
			value = string(encoded)
		}
		values = append(values, strings.ReplaceAll(key, "_", " ")+" "+value)
	}
	if len(values) == 0 {
		return r.Name
	}
	return r.Name + " (" + strings.Join(values, ", ") + ")"
}

// String names the dataset with its counts and the start of its fingerprint.
func (d Dataset) String() string {
	name := d.Name
	if d.Synthetic {
		name += ", synthetic"
	}
	return fmt.Sprintf("%s, fingerprint %.12s: %d training images of %d identities, %d queries, %d gallery images",
		name, d.Fingerprint, d.Train, d.Identities, d.Query, d.Gallery)
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %s, %d cores, %s/%s, %s", m.CPU, m.ISA, m.Cores, m.OS, m.Arch, m.Go)
}

package results

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Report is the comparison: the two published tables row by row, ours beside the published figures, and a third table
// of models that were never published there. Text, Markdown, CSV and JSON write it.
type Report struct {
	Setup  []Fact // what the runs have in common; a line whose run differs says so in its notes
	Caveat string // why differences from the published figures compare unlike things; empty where none does
	Tables []ReportTable
	// Agreement is how far our order and the published agree; nil: too little was made as published.
	Agreement *Agreement
	Odd       []Odd // folders that the report is not about, although they hold a record

	measuredOn string // the machine that Measure was told of
	oursAlone  bool   // nothing but what our runs have come to
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

// NewReport arranges records for printing. Costs are keyed by a published row's printed name, beside the tables by
// the model's; where a cost is missing, the record's own stands in. Several records of one model are its seeds; two of
// the same seed, or two models of one row, are an error.
func NewReport(records []Record, costs map[string]Cost) (*Report, error) {
	byRow, beside := make(map[string][]*Record), make(map[string][]*Record)
	for i := range records {
		r := &records[i]
		group, key := beside, r.Model
		if r.Row != "" {
			row, ok := Find(r.Row)
			if !ok {
				return nil, fmt.Errorf("%s: no published row is called %q", r.Model, r.Row)
			}
			group, key = byRow, row.Name
		}
		for _, other := range group[key] {
			switch {
			case other.Model != r.Model:
				return nil, fmt.Errorf("%s and %s are both records of the row %s", other.Model, r.Model, key)
			case other.Seed == r.Seed:
				return nil, fmt.Errorf("there are two records of %s with seed %d", r.Model, r.Seed)
			}
		}
		group[key] = append(group[key], r)
	}
	for _, group := range []map[string][]*Record{byRow, beside} {
		for _, seeds := range group {
			slices.SortFunc(seeds, func(a, b *Record) int { return cmp.Compare(a.Seed, b.Seed) })
		}
	}

	cnns, transformers, others := ReportTable{Table: CNNs}, ReportTable{Table: Transformers}, ReportTable{}
	for _, row := range Published() {
		line := Line{Model: row.Model, Published: &row, Records: byRow[row.Name]}
		line.setCost(costs, row.Name)
		table := &cnns
		if row.Table == Transformers {
			table = &transformers
		}
		table.Lines = append(table.Lines, line)
	}
	for _, model := range slices.Sorted(maps.Keys(beside)) {
		line := Line{Model: model, Records: beside[model]}
		line.setCost(costs, model)
		others.Lines = append(others.Lines, line)
	}
	report := &Report{Tables: []ReportTable{cnns, transformers}}
	if len(others.Lines) > 0 {
		report.Tables = append(report.Tables, others)
	}
	report.gatherQueries()
	report.describeRuns()
	report.describeInference()
	for l := range report.lines {
		l.compared = l.LikePublished()
	}
	report.markTied()
	if report.Agreement = report.agreement(); report.Agreement != nil {
		report.Setup = slices.Insert(report.Setup, 0, Fact{agreementLabel, report.Agreement.String()})
	}
	report.annotate()
	report.warnOfRuns()
	return report, nil
}

// OursAlone has text and Markdown show what our runs have come to, and nothing of what was published but costs.
func (r *Report) OursAlone() { r.oursAlone = true }

// Labels of facts that are not about the runs that the report shows.
const (
	agreementLabel = "Agreement"
	leftOutLabel   = "Left out"
)

// namedOdd is how many odd folders a report names.
const namedOdd = 10

// LeaveOut says at the head of the report that it is not about these folders, and of their rows, as far as the folders'
// names tell, that they have not gone without a run.
func (r *Report) LeaveOut(odd []Odd) {
	r.Odd = append(r.Odd, odd...)
	for _, o := range odd {
		model, _, _ := strings.Cut(filepath.Base(o.Folder), "@")
		for l := range r.lines {
			if o.Unread && l.Published != nil && strings.EqualFold(l.Published.Name, model) {
				l.Lost = StateUnknown
			}
		}
	}
	r.recount()
	for _, o := range odd[:min(len(odd), namedOdd)] {
		r.Setup = append(r.Setup, Fact{leftOutLabel, o.Err.Error()})
	}
	if more := len(odd) - namedOdd; more > 0 {
		r.Setup = append(r.Setup, Fact{leftOutLabel, fmt.Sprintf("%d more folders", more)})
	}
}

// Fail says of a published row, by its printed name, that a run of it has failed, which may have left no record: where
// the disk is full, or another process has the folder.
func (r *Report) Fail(row string) {
	for l := range r.lines {
		if l.Published != nil && l.Published.Name == row && l.Lost == "" {
			l.Lost = StateFailed
		}
	}
	r.recount()
}

// recount brings the fact of countRows up to date.
func (r *Report) recount() {
	for i := range r.Setup {
		if r.Setup[i].Label == rowsLabel {
			r.Setup[i].Text = r.countRows()
		}
	}
}

func (l *Line) setCost(costs map[string]Cost, key string) {
	if c, ok := costs[key]; ok {
		l.Cost = &c
	} else if r := l.Record(); r != nil && r.Cost != (Cost{}) {
		l.Cost = &r.Cost
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

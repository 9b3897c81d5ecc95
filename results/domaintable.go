package results

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/reidbench/reidbench/results/texttable"
	"github.com/reidbench/reidbench/results/visible"
)

// DomainsFormat names the layout of the JSON of Domains.
const DomainsFormat = "reidbench-domains/1"

// DomainRun is a row: weights, and what they have come to on several datasets.
type DomainRun struct {
	Run       string   // for people: the model, and what tells it from others of that model
	TrainedOn *Dataset // nil: not known
	Domains   []Domain // columns stand in this order
}

// DomainRuns takes what is kept in the folders of runs: of each first its own dataset, then the others by their names.
// What can't be shown is an error that names its file.
func DomainRuns(out string) (runs []DomainRun, odd []error, err error) {
	held, left, err := load(out)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range left {
		odd = append(odd, o.Err)
	}
	seeds := map[string]int{}
	for _, h := range held {
		seeds[h.Model]++
	}
	for _, h := range held {
		r := &h.Record
		own := r.Own()
		if own == nil {
			continue
		}
		domains, unread := ReadDomains(h.dir, *r)
		odd = append(odd, unread...)
		slices.SortStableFunc(domains, func(a, b Domain) int { return strings.Compare(a.Dataset.Name, b.Dataset.Name) })
		run := DomainRun{Run: r.Model, TrainedOn: &r.Dataset, Domains: append([]Domain{*own}, domains...)}
		if seeds[r.Model] > 1 {
			run.Run += fmt.Sprintf(", seed %d", r.Seed)
		}
		runs = append(runs, run)
	}
	return runs, odd, nil
}

// domainTable has runs × datasets, by one protocol.
type domainTable struct {
	protocol map[string]any
	datasets []Dataset
	rows     []domainRow
}

type domainRow struct {
	DomainRun
	cells []domainCell // of each dataset
}

// domainCell is one figure of a table; without figures: not evaluated, or failed.
type domainCell struct {
	figures *Metrics
	failed  string
}

// domainTables parts runs by protocol, in the order in which these come up. What was re-ranked stands in two: by
// distance, as without re-ranking, and after it.
func domainTables(runs []DomainRun) []*domainTable {
	var tables []*domainTable
	of := func(protocol map[string]any) *domainTable {
		for _, t := range tables {
			if inline(t.protocol) == inline(protocol) {
				return t
			}
		}
		tables = append(tables, &domainTable{protocol: protocol})
		return tables[len(tables)-1]
	}
	for _, run := range runs {
		for _, d := range run.Domains {
			protocol := without(d.Protocol, "trapezoid") // which changes none of the figures
			plain, reranked := domainCell{figures: &d.Metrics}, domainCell{figures: d.Metrics.Reranked}
			if d.Failed != "" {
				plain, reranked = domainCell{failed: d.Failed}, domainCell{failed: d.Failed}
			}
			of(without(protocol, "rerank")).put(run, d.Dataset, plain)
			if protocol["rerank"] != nil {
				of(protocol).put(run, d.Dataset, reranked)
			}
		}
	}
	return tables
}

// put fills in a cell, unless it has its figure.
func (t *domainTable) put(run DomainRun, of Dataset, cell domainCell) {
	column := slices.IndexFunc(t.datasets, func(d Dataset) bool {
		return d.Fingerprint == of.Fingerprint && (d.Fingerprint != "" || d.Name == of.Name)
	})
	if column < 0 {
		column = len(t.datasets)
		t.datasets = append(t.datasets, of)
	}
	row := slices.IndexFunc(t.rows, func(r domainRow) bool { return r.Run == run.Run })
	if row < 0 {
		row = len(t.rows)
		t.rows = append(t.rows, domainRow{DomainRun: run})
	}
	r := &t.rows[row]
	for len(r.cells) <= column {
		r.cells = append(r.cells, domainCell{})
	}
	if r.cells[column].figures == nil {
		r.cells[column] = cell
	}
}

// title is what a dataset's column is called: datasets of one name are told apart by their fingerprints.
func (t *domainTable) title(column int) string {
	d := t.datasets[column]
	for i, other := range t.datasets {
		if i != column && other.Name == d.Name {
			return fmt.Sprintf("%s (%.8s)", d.Name, d.Fingerprint)
		}
	}
	return d.Name
}

// text is a cell for people.
func (c domainCell) text() string {
	switch {
	case c.figures != nil:
		return percent(c.figures.Rank1).String() + " / " + percent(c.figures.MAP).String()
	case c.failed != "":
		return "failed"
	}
	return noFigure
}

// cell is one of a row, which may be shorter than others.
func (r domainRow) cell(column int) domainCell {
	if column < len(r.cells) {
		return r.cells[column]
	}
	return domainCell{}
}

func (r domainRow) trainedOn() string {
	if r.TrainedOn == nil {
		return noFigure
	}
	return r.TrainedOn.Name
}

// head says by which protocol the figures are.
func (t *domainTable) head() string {
	text := strings.Join(describe(t.protocol), ", ")
	if text == "" {
		text = "as published"
	}
	return text
}

const domainLegend = "Rank-1 / mAP in percent. –: not evaluated."

// table has the columns of some of the datasets.
func (t *domainTable) table(from, to int, escape func(string) string) (columns []column, rows [][]string) {
	columns = []column{{title: "Run", left: true}, {title: "Trained\u00a0on", left: true, yields: 1}}
	for i := from; i < to; i++ {
		columns = append(columns, column{title: t.title(i)})
	}
	for i := range columns {
		columns[i].title = escape(columns[i].title)
	}
	for _, r := range t.rows {
		row := []string{escape(r.Run), escape(r.trainedOn())}
		for i := from; i < to; i++ {
			row = append(row, r.cell(i).text())
		}
		rows = append(rows, row)
	}
	return columns, rows
}

// lines are the table's for a terminal. Datasets that have no place beside each other stand below.
func (t *domainTable) lines(width int) []string {
	const trainedOn = 1 // gives way before any dataset
	part := func(from, to int) (table texttable.Table) {
		columns, rows := t.table(from, to, visible.Line)
		for _, c := range columns {
			table.Columns = append(table.Columns, texttable.Column{Title: c.title, Left: c.left, Yields: c.yields})
		}
		table.Rows = rows
		return table
	}
	fits := func(table texttable.Table) bool {
		return !slices.ContainsFunc(table.Without(trainedOn).Lines(0), func(line string) bool {
			return utf8.RuneCountInString(line) > width
		})
	}
	var lines []string
	for from := 0; from < len(t.datasets); {
		to := len(t.datasets)
		for width > 0 && to > from+1 && !fits(part(from, to)) {
			to--
		}
		if from > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, part(from, to).Lines(width)...)
		from = to
	}
	return lines
}

// WriteDomains writes the tables for a terminal of the given width in columns; 0 means any.
func WriteDomains(w io.Writer, runs []DomainRun, width int) error {
	var page bytes.Buffer
	for _, t := range domainTables(runs) {
		WriteFacts(&page, []Fact{{"Protocol", t.head()}, {"Figures", domainLegend}}, width)
		fmt.Fprintln(&page)
		for _, line := range t.lines(width) {
			fmt.Fprintln(&page, line)
		}
		fmt.Fprintln(&page)
	}
	_, err := w.Write(bytes.TrimSuffix(page.Bytes(), []byte("\n")))
	return err
}

// WriteDomainsMarkdown writes the tables for GitHub.
func WriteDomainsMarkdown(w io.Writer, runs []DomainRun) error {
	var page bytes.Buffer
	for i, t := range domainTables(runs) {
		if i > 0 {
			fmt.Fprintln(&page)
		}
		fmt.Fprintf(&page, "- **Protocol:** %s\n\n%s\n\n", escapeMarkdown(t.head()), domainLegend)
		columns, rows := t.table(0, len(t.datasets), escapeMarkdown)
		var titles []string
		for _, c := range columns {
			titles = append(titles, strings.ReplaceAll(c.title, "\u00a0", " "))
		}
		if err := writeMarkdownTable(&page, columns, titles, rows); err != nil {
			return err
		}
	}
	_, err := w.Write(page.Bytes())
	return err
}

// WriteDomainsCSV writes a line for each run and dataset, figures in percent; what is not known is empty.
func WriteDomainsCSV(w io.Writer, runs []DomainRun) error {
	out := csv.NewWriter(w)
	out.Write([]string{"protocol", "run", "trained_on", "dataset", "dataset_fingerprint", "rank1", "rank5", "rank10",
		"map", "minp", "failed"})
	for _, t := range domainTables(runs) {
		for _, r := range t.rows {
			trained := ""
			if r.TrainedOn != nil {
				trained = r.TrainedOn.Name
			}
			for i, d := range t.datasets {
				cell := r.cell(i)
				row := []string{t.head(), r.Run, trained, d.Name, d.Fingerprint, "", "", "", "", "", cell.failed}
				if m := cell.figures; m != nil {
					for at, share := range []float64{m.Rank1, m.Rank5, m.Rank10, m.MAP, m.MINP} {
						row[5+at] = percent(share).String()
					}
				}
				for i := range row {
					row[i] = csvText(row[i])
				}
				out.Write(row)
			}
		}
	}
	out.Flush()
	return out.Error()
}

// WriteDomainsJSON writes the tables as one object:
//
//	format   "reidbench-domains/1"
//	tables   [{protocol, datasets: [a dataset as in result.json], runs: [{run, trained_on, figures}]}]
//
// figures has an entry for each of the datasets: metrics in fractions of 1, as in result.json; {failed: why}; or null,
// where there is no evaluation. protocol has what departs from the published, in words.
func WriteDomainsJSON(w io.Writer, runs []DomainRun) error {
	type jsonCell struct {
		*Metrics
		Failed string `json:"failed,omitempty"`
	}
	type jsonRun struct {
		Run       string      `json:"run"`
		TrainedOn *Dataset    `json:"trained_on"`
		Figures   []*jsonCell `json:"figures"`
	}
	type jsonDomains struct {
		Protocol string    `json:"protocol"`
		Datasets []Dataset `json:"datasets"`
		Runs     []jsonRun `json:"runs"`
	}
	out := struct {
		Format string        `json:"format"`
		Tables []jsonDomains `json:"tables"`
	}{DomainsFormat, []jsonDomains{}}
	for _, t := range domainTables(runs) {
		table := jsonDomains{Protocol: t.head(), Datasets: t.datasets}
		for _, r := range t.rows {
			run := jsonRun{Run: r.Run, TrainedOn: r.TrainedOn}
			for i := range t.datasets {
				var shown *jsonCell
				if c := r.cell(i); c.figures != nil || c.failed != "" {
					shown = &jsonCell{c.figures, c.failed}
				}
				run.Figures = append(run.Figures, shown)
			}
			table.Runs = append(table.Runs, run)
		}
		out.Tables = append(out.Tables, table)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

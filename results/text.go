package results

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter/tw"

	"github.com/reidbench/reidbench/results/visible"
)

// proseWidth is where notes break in a terminal of any greater width.
const proseWidth = 120

func proseColumns(width int) int {
	if width > 0 {
		return min(width, proseWidth)
	}
	return proseWidth
}

// Text writes the report for a terminal of the given width in columns; 0 means any. A table that does not fit becomes
// several.
func (r *Report) Text(w io.Writer, width int) error {
	var page bytes.Buffer
	prose := proseColumns(width)
	WriteFacts(&page, r.Setup, width)
	fmt.Fprintln(&page)
	if r.Caveat != "" {
		writeWrapped(&page, "", "", r.Caveat, prose)
		fmt.Fprintln(&page)
	}
	writeWrapped(&page, "", "", r.Legend(), prose)

	for _, t := range r.Tables {
		fmt.Fprintf(&page, "\n%s\n\n", t.Table.Title())
		table, err := t.fit(width)
		if err != nil {
			return err
		}
		page.Write(table)
		for i, n := range t.Notes() {
			if i == 0 {
				fmt.Fprintln(&page)
			}
			writeWrapped(&page, "* ", "  ", visible.Line(n.Models+": "+n.Text), prose)
		}
	}
	_, err := w.Write(page.Bytes())
	return err
}

// WriteFacts writes facts below each other for a terminal of the given width in columns; 0 means any.
func WriteFacts(w io.Writer, facts []Fact, width int) {
	longest := 0
	for _, fact := range facts {
		longest = max(longest, utf8.RuneCountInString(fact.Label))
	}
	for _, fact := range facts {
		label := fmt.Sprintf("%-*s", longest+2, fact.Label)
		writeWrapped(w, label, strings.Repeat(" ", longest+2), visible.Line(fact.Text), proseColumns(width))
	}
}

// Legend explains the columns that there are.
func (r *Report) Legend() string {
	quantities, reranked, deviation, interval, tied := "Rank-n and mAP in percent.", "", "", "", ""
	trapezoid := ""
	for l := range r.lines {
		if l.Intervals() != nil {
			interval = " 95 %: the interval of ours, over the identities of the queries."
		}
		if l.Tied() {
			tied = " " + tiedMark + ": can't be told apart from the best mAP."
		}
		if m := l.Metrics(); m != nil {
			if m.MINP > 0 {
				quantities = "Rank-n, mAP and mINP (mean inverse negative penalty) in percent."
			}
			if m.Reranked != nil {
				reranked = " RR: after k-reciprocal re-ranking."
			}
		}
		if m := l.Metrics(); m != nil && m.TrapezoidMAP > 0 {
			trapezoid = " mAP: the mean of the precisions at hits; mAP trapezoid: as Market-1501's Matlab code has it."
		}
		if l.Deviation() != nil {
			deviation = " ±: the sample standard deviation over seeds."
		}
	}
	return quantities + trapezoid + reranked + deviation + interval + tied +
		" paper: the published figure; Δ: ours less the published; ✓: all printed digits agree. " +
		"Params and MACs are counted as published, for one 256×128 image, without the final classifier. " +
		"*: see the notes below."
}

// fit renders the table in width columns; 0 means any. If it is wider, accuracy and cost are apart, and each is as many
// tables as it takes.
func (t ReportTable) fit(width int) ([]byte, error) {
	side, err := t.text(t.accuracy(), t.cost())
	if err != nil || width == 0 || longestLine(side) <= width {
		return side, err
	}
	var tables [][]byte
	for _, columns := range [][]column{t.accuracy(), t.cost()} {
		for len(columns) > 0 {
			table, taken, err := t.widest(columns, width)
			if err != nil {
				return nil, err
			}
			tables = append(tables, table)
			columns = columns[taken:]
		}
	}
	return bytes.Join(tables, []byte("\n")), nil
}

// widest renders as many groups of the columns as fit into width, one at least, and tells how many columns those are.
func (t ReportTable) widest(columns []column, width int) (table []byte, taken int, err error) {
	for taken < len(columns) {
		end := taken + 1
		for end < len(columns) && !columns[end].group {
			end++
		}
		wider, err := t.text(columns[:end])
		if err != nil {
			return nil, 0, err
		}
		if taken > 0 && longestLine(wider) > width {
			break
		}
		table, taken = wider, end
	}
	return table, taken, nil
}

// text renders the table's lines with the given groups of columns, without trailing blanks.
func (t ReportTable) text(groups ...[]column) ([]byte, error) {
	columns := []column{modelColumn}
	for _, g := range groups {
		columns = append(columns, g...)
	}
	titles, rows := t.cells(columns, visible.Line)
	for i, c := range columns {
		if c.group {
			setApart(titles, rows, i)
		}
	}
	var table bytes.Buffer
	if err := writeTable(&table, textStyle(), columns, titles, rows,
		&tw.Padding{Left: "", Right: " ", Overwrite: true}); err != nil {
		return nil, err
	}
	var trimmed bytes.Buffer
	for line := range bytes.Lines(table.Bytes()) {
		trimmed.Write(bytes.TrimRight(line, " \n"))
		trimmed.WriteByte('\n')
	}
	return trimmed.Bytes(), nil
}

// setApart widens column i, which is aligned right, by a blank on its left.
func setApart(titles []string, rows [][]string, i int) {
	widest := &titles[i]
	for _, row := range rows {
		if utf8.RuneCountInString(row[i]) > utf8.RuneCountInString(*widest) {
			widest = &row[i]
		}
	}
	*widest = " " + *widest
}

// Note is one remark and the models, joined by commas, that it is about.
type Note struct{ Models, Text string }

// Notes collects the remarks on a table's lines, equal ones together, in the order of their first line.
func (t ReportTable) Notes() []Note {
	var notes []Note
	at := make(map[string]int)
	for _, l := range t.Lines {
		for _, text := range l.Notes {
			if i, ok := at[text]; ok {
				notes[i].Models += ", " + l.Model
				continue
			}
			at[text] = len(notes)
			notes = append(notes, Note{l.Model, text})
		}
	}
	return notes
}

// writeWrapped prints text in lines of at most width columns, broken at blanks.
func writeWrapped(w io.Writer, first, indent, text string, width int) {
	line := first
	used, words := utf8.RuneCountInString(first), 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case words > 0 && used+1+n > width:
			fmt.Fprintln(w, line)
			line, used, words = indent+word, utf8.RuneCountInString(indent)+n, 1
			continue
		case words > 0:
			line += " "
			used++
		}
		line += word
		used += n
		words++
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}

func longestLine(page []byte) int {
	longest := 0
	for line := range bytes.Lines(page) {
		longest = max(longest, utf8.RuneCount(bytes.TrimRight(line, "\n")))
	}
	return longest
}

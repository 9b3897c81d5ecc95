package results

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/reidbench/reidbench/results/texttable"
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

// Layout is what the printed report is fitted to, and which columns are asked for.
type Layout struct {
	Width   int      // of the terminal in columns; 0: any
	Wide    bool     // all columns, whatever the width
	Columns []string // of one table in place of all others, as [ColumnKeys] lists them; none: those of the report
}

// Text writes the report for a terminal. Where a table does not fit, columns give way; no row is broken.
func (r *Report) Text(w io.Writer, layout Layout) error {
	sections, err := r.printed(layout.Columns)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	prose := proseColumns(layout.Width)
	room := layout.Width
	if layout.Wide {
		room = 0
	}
	if facts := r.ofAll(); len(facts) > 0 {
		WriteFacts(&page, facts, layout.Width)
		fmt.Fprintln(&page)
	}
	for i, s := range sections {
		if i > 0 {
			fmt.Fprintln(&page)
		}
		if s.title != "" {
			fmt.Fprintf(&page, "%s\n\n", s.title)
		}
		if len(s.facts) > 0 {
			WriteFacts(&page, s.facts, layout.Width)
			fmt.Fprintln(&page)
		}
		for _, text := range []string{s.above, s.legend} {
			if text != "" {
				writeWrapped(&page, "", "", text, prose)
				fmt.Fprintln(&page)
			}
		}
		for _, line := range s.table(visible.Line).Lines(room) {
			fmt.Fprintln(&page, line)
		}
	}
	for i, n := range r.notes(sections) {
		if i == 0 {
			fmt.Fprintln(&page)
		}
		writeWrapped(&page, "* ", "  ", visible.Line(n.Models+": "+n.Text), prose)
	}
	_, err = w.Write(page.Bytes())
	return err
}

// table has the section's lines, with a heading over each group where there are several.
func (s section) table(escape func(string) string) texttable.Table {
	var t texttable.Table
	for _, c := range s.columns {
		t.Columns = append(t.Columns, texttable.Column{Title: escape(c.title), Left: c.left, Yields: c.yields})
	}
	for _, g := range s.groups {
		if len(s.groups) > 1 {
			t.Rows = append(t.Rows, []string{g.table.Title()})
		}
		for _, l := range g.lines {
			var row []string
			for _, c := range s.columns {
				row = append(row, escape(c.cell(l)))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
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

// Note is one remark and the models, joined by commas, that it is about.
type Note struct{ Models, Text string }

// Notes collects the remarks on all lines, equal ones together, in the order of their first line.
func (r *Report) Notes() []Note {
	var lines []*Line
	for l := range r.lines {
		lines = append(lines, l)
	}
	return notesOn(lines)
}

// notes are those on the lines that sections show.
func (r *Report) notes(sections []section) []Note {
	shown := map[*Line]bool{}
	for _, s := range sections {
		for _, g := range s.groups {
			for _, l := range g.lines {
				shown[l] = true
			}
		}
	}
	var lines []*Line
	for l := range r.lines {
		if shown[l] {
			lines = append(lines, l)
		}
	}
	return notesOn(lines)
}

func notesOn(lines []*Line) []Note {
	var notes []Note
	at := make(map[string]int)
	for _, l := range lines {
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

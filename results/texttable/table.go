// Package texttable lays tables out for terminals: which columns fit, and how they stand below each other.
package texttable

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Column is one of a table's.
type Column struct {
	// Title breaks at its last blank, above the rule; a unit in parentheses loses them there. A no-break space does not
	// break.
	Title string
	Left  bool // words; numbers stand right
	Long  bool // its cells lose their end where room lacks, before any column gives way
	// Yields says how soon the column gives way where room lacks: those of the largest number first, the last of them
	// before the others. 0: it always stays.
	Yields int
}

// Detail is the least Yields of columns that give way before those of the others stand closer.
const Detail = 100

// Table is what is laid out. Every row has a cell for each column, or one alone: a heading of the rows that follow.
type Table struct {
	Columns []Column
	Rows    [][]string
	Footer  [][]string // below a rule of their own
}

// Lines are the table's for a terminal of the given width in columns; 0 means any. Where it is too narrow, long cells
// lose their end, columns give way, and the gaps between them; at last the cells of the first column lose their
// beginning.
func (t Table) Lines(width int) []string {
	gap := wide
	if width > 0 {
		t, gap = t.fit(width)
	}
	return t.lines(gap)
}

// Blanks between columns.
const wide, narrow = 2, 1

// fit leaves out and cuts what has no place in width.
func (t Table) fit(width int) (Table, int) {
	gap := wide
	for i, c := range t.Columns {
		if excess := t.width(gap) - width; c.Long && excess > 0 {
			t = t.cut(i, excess, func(cell []rune, n int) string { return string(cell[:n]) + "…" })
		}
	}
	for t.width(gap) > width {
		worst, at := t.nextToYield()
		if worst < Detail && gap == wide {
			gap = narrow
			continue
		}
		if worst == 0 {
			return t.cut(0, t.width(gap)-width, endOf), gap
		}
		t = t.Without(at)
	}
	if t.width(wide) <= width {
		gap = wide
	}
	return t, gap
}

// nextToYield is the column that gives way first, and its number.
func (t Table) nextToYield() (worst, at int) {
	for i, c := range t.Columns {
		if c.Yields >= worst {
			worst, at = c.Yields, i
		}
	}
	return worst, at
}

// Without is t less a column.
func (t Table) Without(column int) Table {
	cut := func(rows [][]string) [][]string {
		kept := make([][]string, len(rows))
		for i, row := range rows {
			kept[i] = row
			if len(row) > 1 {
				kept[i] = slices.Delete(slices.Clone(row), column, column+1)
			}
		}
		return kept
	}
	return Table{slices.Delete(slices.Clone(t.Columns), column, column+1), cut(t.Rows), cut(t.Footer)}
}

// shortest is how much of a cell is always kept.
const shortest = 12

// endOf keeps n characters: of a layer's path, the end tells it apart.
func endOf(cell []rune, n int) string { return "…" + string(cell[len(cell)-n:]) }

// cut makes a column narrower by excess. keep leaves n characters of a cell, and a sign that there were more.
func (t Table) cut(column, excess int, keep func(cell []rune, n int) string) Table {
	limit := max(t.widths()[column]-excess, shortest)
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = row
		if len(row) < len(t.Columns) {
			continue
		}
		if cell := []rune(row[column]); len(cell) > limit {
			rows[i] = slices.Clone(row)
			rows[i][column] = keep(cell, limit-1)
		}
	}
	t.Rows = rows
	return t
}

func (t Table) width(gap int) int {
	sum := -gap
	for _, w := range t.widths() {
		sum += gap + w
	}
	return sum
}

// widths are those of the columns.
func (t Table) widths() []int {
	widths := make([]int, len(t.Columns))
	for _, rows := range [][][]string{t.titles(), t.Rows, t.Footer} {
		for _, row := range rows {
			for i, cell := range row {
				if len(row) == len(widths) {
					widths[i] = max(widths[i], utf8.RuneCountInString(cell))
				}
			}
		}
	}
	return widths
}

// titles are one line, or two where a title breaks.
func (t Table) titles() [][]string {
	first, second := make([]string, len(t.Columns)), make([]string, len(t.Columns))
	breaks := false
	for i, c := range t.Columns {
		first[i] = c.Title
		if at := strings.LastIndexByte(c.Title, ' '); at > 0 {
			breaks = true
			first[i], second[i] = c.Title[:at], strings.Trim(c.Title[at+1:], "()")
		}
		for _, part := range []*string{&first[i], &second[i]} {
			*part = strings.ReplaceAll(*part, "\u00a0", " ")
		}
	}
	if !breaks {
		return [][]string{first}
	}
	return [][]string{first, second}
}

func (t Table) lines(gap int) []string {
	widths := t.widths()
	rule := strings.Repeat("─", max(t.width(gap), 0))
	var lines []string
	add := func(rows [][]string) {
		for i, row := range rows {
			if len(row) == 1 && len(widths) > 1 {
				if i > 0 {
					lines = append(lines, "")
				}
				lines = append(lines, row[0])
				continue
			}
			var line strings.Builder
			for j, cell := range row {
				if j > 0 {
					line.WriteString(strings.Repeat(" ", gap))
				}
				padding := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell))
				if t.Columns[j].Left {
					line.WriteString(cell + padding)
				} else {
					line.WriteString(padding + cell)
				}
			}
			lines = append(lines, strings.TrimRight(line.String(), " "))
		}
	}
	add(t.titles())
	lines = append(lines, rule)
	add(t.Rows)
	if len(t.Footer) > 0 {
		lines = append(lines, rule)
		add(t.Footer)
	}
	return lines
}

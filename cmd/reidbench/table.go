package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/reidbench/reidbench/results/visible"
)

// column is one of a table: its title, and whether its cells stand left (words) or right (numbers).
type column struct {
	title string
	left  bool
}

// writeTable prints titles and cells without borders; what a terminal would act on is made visible. Footer lines, which
// may be missing, stand below a rule of their own. Where a terminal is too narrow, the first column gives way.
func writeTable(w io.Writer, columns []column, rows, footer [][]string) error {
	rows = visibleCells(rows)
	page, err := renderTable(columns, rows, footer)
	if err != nil {
		return err
	}
	if excess := longestLine(page) - terminalWidth(w); terminalWidth(w) > 0 && excess > 0 {
		if page, err = renderTable(columns, shortenFirst(rows, excess), footer); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(w, strings.Join(page, "\n"))
	return err
}

func visibleCells(rows [][]string) [][]string {
	shown := make([][]string, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			shown[i] = append(shown[i], visible.Line(cell))
		}
	}
	return shown
}

// shortest is how much of the first column's cells is always kept.
const shortest = 12

// shortenFirst makes the first column narrower by excess; of a layer's path, the end tells it apart.
func shortenFirst(rows [][]string, excess int) [][]string {
	widest := 0
	for _, row := range rows {
		widest = max(widest, utf8.RuneCountInString(row[0]))
	}
	limit := max(widest-excess, shortest)
	shortened := make([][]string, len(rows))
	for i, row := range rows {
		shortened[i] = row
		if name := []rune(row[0]); len(name) > limit {
			shortened[i] = slices.Concat([]string{"…" + string(name[len(name)-limit+1:])}, row[1:])
		}
	}
	return shortened
}

// renderTable returns the table's lines.
func renderTable(columns []column, rows, footer [][]string) ([]string, error) {
	titles := make([]string, len(columns))
	align := make([]tw.Align, len(columns))
	for i, c := range columns {
		titles[i], align[i] = c.title, tw.AlignRight
		if c.left {
			align[i] = tw.AlignLeft
		}
	}
	cell := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{Global: tw.AlignRight, PerColumn: align},
		Padding:    tw.CellPadding{Global: tw.Padding{Left: "", Right: "  ", Overwrite: true}},
	}
	var page bytes.Buffer
	table := tablewriter.NewTable(&page,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbols(tw.StyleLight),
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.On},
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cell, Row: cell}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithEastAsian(tw.Off), // the same columns in every locale
	)
	table.Header(titles)
	if err := table.Bulk(slices.Concat(rows, footer)); err != nil {
		return nil, err
	}
	if err := table.Render(); err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(page.String(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	if len(lines) == ruleLine {
		lines = append(lines, "") // tablewriter draws no rule where there are no rows
	}
	lines[ruleLine] = "" // tablewriter's own is as wide as the last column's padding
	lines[ruleLine] = strings.Repeat("─", longestLine(lines))
	if len(footer) > 0 {
		lines = slices.Insert(lines, len(lines)-len(footer), lines[ruleLine])
	}
	return lines, nil
}

// ruleLine is the place of the rule under the titles.
const ruleLine = 1

// longestLine is the width of the widest line in columns.
func longestLine(lines []string) int {
	width := 0
	for _, line := range lines {
		width = max(width, utf8.RuneCountInString(line))
	}
	return width
}

// millions and billions print a count as the published tables do, with three places.
func millions(n int64) string { return fmt.Sprintf("%.3f", float64(n)/1e6) }
func billions(n int64) string { return fmt.Sprintf("%.3f", float64(n)/1e9) }

// grouped prints a count with its thousands apart: 12 345 678 as "12,345,678".
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

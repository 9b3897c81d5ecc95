package main

import (
	"fmt"
	"io"

	"github.com/reidbench/reidbench/results/texttable"
	"github.com/reidbench/reidbench/results/visible"
)

// column is one of a table.
type column = texttable.Column

// writeTable prints titles and cells without borders; what a terminal would act on is made visible. Footer lines, which
// may be missing, stand below a rule of their own. Where a terminal is too narrow, columns give way, at last the first.
func writeTable(w io.Writer, columns []column, rows, footer [][]string) error {
	table := texttable.Table{Columns: columns, Rows: visibleCells(rows), Footer: visibleCells(footer)}
	for _, line := range table.Lines(terminalWidth(w)) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
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

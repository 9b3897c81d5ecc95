package main

import (
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/reidbench/reidbench/results"
)

// displayOptions are the flags about printed tables.
type displayOptions struct {
	compare, wide bool
	columns       []string
}

// displayFlags are their names. They change nothing but what is printed.
var displayFlags = []string{"compare", "wide", "columns"}

func (o *displayOptions) register(flags *pflag.FlagSet) {
	flags.BoolVar(&o.compare, "compare", false,
		"set accuracies beside the published, with Δ, of unlike runs too (two runs: compare)")
	flags.BoolVar(&o.wide, "wide", false, "print all columns of the tables, whatever the terminal's width")
	flags.StringSliceVar(&o.columns, "columns", nil,
		"`names` of columns, for one table of these alone: "+strings.Join(results.ColumnKeys()[:2], ",")+",…")
}

// check refuses columns that there are none of.
func (o *displayOptions) check() error {
	if err := results.CheckColumns(o.columns); err != nil {
		return misuse("--columns: %w", err)
	}
	return nil
}

// layout fits what is printed to w.
func (o *displayOptions) layout(w io.Writer) results.Layout {
	return results.Layout{Width: terminalWidth(w), Wide: o.wide, Columns: o.columns}
}

// apply has the report compare what was asked for.
func (o *displayOptions) apply(report *results.Report) {
	if o.compare {
		report.CompareAll()
	}
}

// wrapWords lists words in lines of at most width columns, those after the first begin with indent blanks.
func wrapWords(words []string, width, indent int) string {
	var text strings.Builder
	used := indent
	for i, word := range words {
		if i < len(words)-1 {
			word += ","
		}
		switch {
		case i == 0:
		case used+1+len(word) > width:
			text.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			text.WriteString(" ")
			used++
		}
		text.WriteString(word)
		used += len(word)
	}
	return text.String()
}

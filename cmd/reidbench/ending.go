package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/plots"
	"github.com/reidbench/reidbench/results"
)

// writePlots draws what answers first of a report into the folder of its runs, and says where.
func writePlots(report *results.Report, runs string, w io.Writer) error {
	paths, err := plots.RenderAnswer(filepath.Join(runs, plotsFolder), plots.FromReport(report))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nPlot: %s\n", paths[0])
	return err
}

// writeNext says what one may do with a run that is over.
func writeNext(config bench.Config, w io.Writer) error {
	head, last := "Next: a page for a browser; all charts; the rows within limits", ""
	if config.Data == "" {
		head += "; the same on photographs"
		last = "  reidbench run all --data Market-1501-v15.09.15 --recipe paper --dry-run\n"
	}
	_, err := fmt.Fprintf(w, `%s:
  reidbench report --runs %[2]s --html report.html
  reidbench plot --runs %[2]s
  reidbench choose --runs %[2]s --max-latency 50ms
%s`, head, config.Out, last)
	return err
}

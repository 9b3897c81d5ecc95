package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/plots"
	"github.com/reidbench/reidbench/results"
)

// writePlots draws a report into the folder of its runs, and says where.
func writePlots(report *results.Report, runs string, w io.Writer) error {
	paths, err := plots.Render(filepath.Join(runs, plotsFolder), plots.FromReport(report))
	if err != nil {
		return err
	}
	shown := paths[0]
	if i := slices.IndexFunc(paths, func(path string) bool { return filepath.Base(path) == plots.Answer }); i >= 0 {
		shown = paths[i]
	}
	_, err = fmt.Fprintf(w, "\nPlots: %s and %d more files\n", shown, len(paths)-1)
	return err
}

// writeNext says what one may do with a run that is over.
func writeNext(config bench.Config, w io.Writer) error {
	next := "Next:  reidbench report --runs " + config.Out + " --html report.html   # all of it, for a browser\n" +
		"       reidbench choose --runs " + config.Out + " --max-latency 50ms   # which rows are worth having?\n"
	if config.Data == "" {
		next += "       reidbench run all --data Market-1501-v15.09.15 --recipe paper --dry-run   # on photographs\n"
	}
	_, err := io.WriteString(w, next)
	return err
}

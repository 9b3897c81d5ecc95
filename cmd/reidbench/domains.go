package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/visible"
)

// domainOptions are the flags about datasets, where there may be several.
type domainOptions struct {
	data []string
}

func (o *domainOptions) register(command *cobra.Command, layout *string) {
	command.Flags().StringArrayVar(&o.data, "data", nil,
		"`folder` of a dataset, or a .csv that lists images; may be repeated")
	registerLayout(command, layout)
}

// find resolves models and their files of weights.
func (o *domainOptions) find(args []string, files bench.WeightsFiles) ([]models.Model, map[string]string, error) {
	list, err := models.Match(args...)
	if err != nil {
		return nil, nil, err
	}
	found, err := files.For(list)
	return list, found, err
}

// several reports whether there is to be a table.
func (o *domainOptions) several(list []models.Model) bool { return len(list) > 1 || len(o.data) > 1 }

// ofOneEvaluation are the flags that say nothing about a table.
var ofOneEvaluation = []string{"features", "queries", "roc", "fpr", "roc-plot"}

// evaluate judges every model on every dataset, and prints the table.
func (o *domainOptions) evaluate(c *cobra.Command, config bench.DomainsConfig, json bool) error {
	for _, flag := range ofOneEvaluation {
		if c.Flags().Changed(flag) {
			return misuse("--%s is for one model and one dataset", flag)
		}
	}
	progress, stop := newProgress(c.ErrOrStderr())
	config.Progress = progress
	runs, err := bench.EvaluateDomains(c.Context(), config)
	stop()
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return results.WriteDomains(w, runs, terminalWidth(w)) }
	if json {
		write = func(w io.Writer) error { return results.WriteDomainsJSON(w, runs) }
	}
	if err := write(c.OutOrStdout()); err != nil {
		return err
	}
	return withoutFigures(runs)
}

// withoutFigures is the error that names the datasets by which nothing could be judged, nil if there are none.
func withoutFigures(runs []results.DomainRun) error {
	var lines []string
	for _, d := range runs[0].Domains {
		if d.Failed != "" {
			lines = append(lines, "\n  "+visible.Line(d.Failed))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return found("nothing can be judged by %d of %d datasets:%s", len(lines), len(runs[0].Domains),
		strings.Join(lines, ""))
}

// domainReport is what report --domains prints.
type domainReport struct {
	runs, out           string
	markdown, csv, json bool
}

func (r domainReport) write(c *cobra.Command) error {
	runs, odd, err := results.DomainRuns(r.runs)
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && !c.Flags().Changed("runs")) {
		return err
	}
	if len(runs) == 0 {
		fmt.Fprintf(c.ErrOrStderr(), "no run is done in %s\n", r.runs)
	}
	var facts []results.Fact
	for _, err := range odd {
		facts = append(facts, results.Fact{Label: "left out", Text: err.Error()})
	}
	results.WriteFacts(c.ErrOrStderr(), facts, terminalWidth(c.ErrOrStderr()))
	write := func(w io.Writer) error { return results.WriteDomains(w, runs, terminalWidth(w)) }
	switch {
	case r.markdown:
		write = func(w io.Writer) error { return results.WriteDomainsMarkdown(w, runs) }
	case r.csv:
		write = func(w io.Writer) error { return results.WriteDomainsCSV(w, runs) }
	case r.json:
		write = func(w io.Writer) error { return results.WriteDomainsJSON(w, runs) }
	}
	if r.out == "" {
		return write(c.OutOrStdout())
	}
	return atomicfile.Write(r.out, write)
}

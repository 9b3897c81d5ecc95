package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/html"
)

func newReportCommand() *cobra.Command {
	var (
		runs, out                 string
		page, data, measured      string
		markdown, csv, json, ours bool
		heatmaps, domains         bool
		display                   displayOptions
	)
	command := &cobra.Command{
		Use:   "report",
		Short: "Print the comparison of all runs with the published tables",
		Long: `Report prints the published accuracies against what the models cost: params, MACs and,
as measured here, latency, throughput, training speed and memory. Then what our runs
have come to. It stands beside the published, with the difference, where like is
compared with like (Market-1501's own 12,936, 3,368 and 15,913 images, the paper's
recipe by its values) or with --compare; what was learned from drawn images stands in a
table of its own, and so does all else. 95 % intervals are over the identities of the
queries. Over several seeds ours is the mean ± the sample standard deviation. ≈ marks
what can't be told apart from the best mAP, corrected for having looked at all rows.

In a terminal that is too narrow columns give way; --wide prints all of them, --columns
one table of those that it names. A file or a pipe gets all columns, Markdown those that
answer first. With --ours there is nothing but what our runs have come to, in full.

With --domains it is another table instead: what each run has come to on its own dataset,
and on those by which eval has judged its weights since.

Columns: ` + wrapWords(results.ColumnKeys(), 88, 9) + `.`,
		Example: `  # as text, as wide as the terminal allows
  reidbench report

  # which rows are worth their time?
  reidbench report --columns map_published,latency_ms,macs_g

  # for a README, and for a script
  reidbench report --markdown --out REPORT.md
  reidbench report --runs runs-paper --json

  # with what using the models costs on this machine
  reidbench report --measured measured.json

  # runs on synthetic data, which no published accuracy compares with
  reidbench report --runs docs/scratch --ours --markdown

  # trained on one dataset, judged on others
  reidbench report --domains

  # one file for a browser: sortable tables, charts, learning curves
  reidbench report --html report.html

  # with the pictures of ranked lists from a dataset that is elsewhere
  reidbench report --runs runs-paper --html report.html --data Market-1501-v15.09.15

  # and with where the networks look
  reidbench report --html report.html --heatmap`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := display.check(); err != nil {
				return err
			}
			if heatmaps && page == "" {
				return misuse("--heatmap is for --html; see \"rank --heatmap\" for pictures")
			}
			if domains {
				return domainReport{runs, out, markdown, csv, json}.write(c)
			}
			report, err := loadRuns(c, runs)
			if err != nil {
				return err
			}
			if err := addMeasurements(report, measured); err != nil {
				return err
			}
			display.apply(report)
			if ours {
				report.OursAlone()
			}
			if page != "" {
				return writePage(c.Context(), report, runs, newPictures(runs, data, heatmaps), page, c.ErrOrStderr())
			}
			write := func(w io.Writer) error { return report.Text(w, display.layout(w)) }
			switch {
			case markdown:
				write = func(w io.Writer) error { return report.Markdown(w, display.layout(w)) }
			case csv:
				write = report.CSV
				nameOdd(report, c.ErrOrStderr()) // it has no head
			case json:
				write = report.JSON
			}
			if out == "" {
				return write(c.OutOrStdout())
			}
			return atomicfile.Write(out, write)
		},
	}
	flags := command.Flags()
	flags.StringVar(&runs, "runs", defaultRuns, "`folder` of the runs")
	flags.BoolVar(&markdown, "markdown", false, "write Markdown")
	flags.BoolVar(&csv, "csv", false, "write CSV, one line per model")
	flags.BoolVar(&json, "json", false, "write JSON with every run's whole record")
	flags.BoolVar(&ours, "ours",
		false, "print nothing but what our runs have come to, in full")
	flags.BoolVar(&domains, "domains", false, "print what the runs have come to on several datasets")
	flags.StringVar(&measured, "measured", "", measuredUsage)
	display.register(flags)
	flags.StringVar(&page, "html", "", "`file` to write as a page for a browser, complete in itself")
	flags.StringVar(&data, "data",
		"", "`folder` of the dataset, for the pictures in a page; none: synthetic data is found with the runs")
	flags.BoolVar(&heatmaps, "heatmap",
		false, "show in the page where networks look, by their weights; takes some seconds for each")
	flags.StringVar(&out, "out", "", "`file` to write in place of standard output")
	command.MarkFlagsMutuallyExclusive("markdown", "csv", "json", "html")
	command.MarkFlagsMutuallyExclusive("html", "out")
	for _, other := range []string{"html", "ours", "compare", "wide", "columns", "measured", "data"} {
		command.MarkFlagsMutuallyExclusive("domains", other)
	}
	for _, complete := range []string{"csv", "json", "html"} {
		for _, of := range []string{"ours", "wide", "columns"} {
			command.MarkFlagsMutuallyExclusive(of, complete)
		}
	}
	command.MarkFlagsMutuallyExclusive("ours", "compare")
	command.MarkFlagsMutuallyExclusive("wide", "columns")
	return command
}

// nameOdd names the folders that a report is not about, for what has no place to do so.
func nameOdd(report *results.Report, w io.Writer) {
	var facts []results.Fact
	for _, odd := range report.Odd {
		facts = append(facts, results.Fact{Label: "left out", Text: odd.Err.Error()})
	}
	results.WriteFacts(w, facts, terminalWidth(w))
}

func writePage(
	ctx context.Context, report *results.Report, runs string, pictures *pictures, file string, warn io.Writer,
) error {
	page, err := newPage(ctx, report, runs, pictures, warn)
	if err != nil {
		return err
	}
	return atomicfile.Write(file, func(w io.Writer) error { return html.Write(w, page) })
}

// loadRuns makes the report of a folder of runs. That the default folder is not there only
// means that nothing has been run yet.
func loadRuns(c *cobra.Command, runs string) (*results.Report, error) {
	report, err := loadReport(runs)
	if errors.Is(err, fs.ErrNotExist) && !c.Flags().Changed("runs") {
		fmt.Fprintf(c.ErrOrStderr(), "nothing has been run in %s yet\n", runs)
		return newReport(nil)
	}
	return report, err
}

// loadReport makes the report of a folder of runs. What cannot stand in it is named at its head.
func loadReport(runs string) (*results.Report, error) {
	records, odd, err := results.Load(runs)
	if err != nil {
		return nil, err
	}
	report, err := newReport(records)
	if err == nil {
		report.LeaveOut(odd)
	}
	return report, err
}

// newReport puts records beside the costs of every published row.
func newReport(records []results.Record) (*results.Report, error) {
	costs := map[string]results.Cost{}
	for _, m := range models.Rows() {
		f, err := flops.Measure(m)
		if err != nil {
			return nil, err
		}
		costs[m.Row] = results.Cost{
			Params: f.Params, MACs: f.ConvMACs + f.LinearMACs, MatmulMACs: f.MatMulMACs,
			PaperParams: f.PaperParams, PaperMACs: f.PaperMACs,
		}
	}
	return results.NewReport(records, costs)
}

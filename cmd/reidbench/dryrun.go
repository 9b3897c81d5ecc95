package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/grammar"
)

// dryRun prints what a run would do, and how long that would take: of the jobs of some numbers, all if there are none.
func dryRun(ctx context.Context, config bench.Config, tasks []int, json bool, stdout, stderr io.Writer) error {
	progress, stop := newProgress(stderr)
	config.Progress = progress
	estimate, err := bench.EstimateRun(ctx, config, tasks...)
	stop()
	if err != nil {
		return err
	}
	if json {
		return writeJSON(stdout, estimate)
	}
	return printEstimate(stdout, estimate)
}

// howEstimated says what the figures of a dry run rest on.
const howEstimated = `
Memory is planned, with the decoded training images, which jobs share. Train is the second of two training steps on a
batch of noise, infer the second of two forward passes: of evaluations, and of the epochs in which only the ` +
	`classifier is
trained. The time is computed from these; reading images, writing checkpoints and ranking are not in it.
`

func printEstimate(w io.Writer, e bench.Estimate) error {
	recipe, err := results.NewRecipe(e.Recipe.Name, e.Recipe)
	if err != nil {
		return err
	}
	results.WriteFacts(w, []results.Fact{
		{Label: "Recipe", Text: recipe.String()},
		{Label: "Dataset", Text: e.Dataset.String()},
		{Label: "Queries", Text: fmt.Sprintf("%d of %d have a match in the gallery", e.Matched, e.Dataset.Query)},
		{Label: "Machine", Text: e.Machine.String()},
		{Label: "Jobs", Text: fmt.Sprintf("%d, %d at a time, with %d threads each", len(e.Plan), e.Jobs, e.Threads)},
	}, terminalWidth(w))
	fmt.Fprintln(w)
	columns := []column{
		{Title: "Job", Left: true}, {Title: "State", Left: true, Long: true}, {Title: "Epochs", Yields: 2},
		{Title: "Steps", Yields: 3}, {Title: "Evaluations", Yields: 6}, {Title: "Memory", Yields: 1},
		{Title: "Train img/s", Yields: 4}, {Title: "Infer img/s", Yields: 5}, {Title: "Time"},
	}
	var rows [][]string
	for _, j := range e.Plan {
		state := string(j.State)
		if j.State == results.StateBegun {
			state = fmt.Sprintf("begun, %s done", grammar.Count(j.EpochsDone, "epoch", "epochs"))
		}
		row := []string{
			j.Job, state, fmt.Sprintf("%d + %d", j.Schedule.HeadEpochs, j.Schedule.Epochs),
			fmt.Sprint(j.Schedule.Steps()),
			fmt.Sprint(j.Evaluations), machine.Bytes(j.Bytes).String(), "", "", "",
		}
		if j.TrainRate > 0 {
			row[6], row[7], row[8] = figure(j.TrainRate), figure(j.InferRate), span(j.Seconds)
		}
		rows = append(rows, row)
	}
	total := make([]string, len(columns))
	total[0], total[len(total)-1] = "until the last has ended", span(e.Seconds)
	if err := writeTable(w, columns, rows, [][]string{total}); err != nil {
		return err
	}
	for _, j := range e.Plan {
		if j.Reason != "" {
			fmt.Fprintf(w, "\n%s: %s", j.Job, j.Reason)
		}
	}
	_, err = io.WriteString(w, howEstimated)
	return err
}

// figure prints a rate or a time with three digits, as far as there are.
func figure(v float64) string {
	switch {
	case v < 1:
		return fmt.Sprintf("%.3f", v)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// span prints a time in the unit that suits it.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

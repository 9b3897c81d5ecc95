package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/slurm"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/visible"
)

func newStatusCommand() *cobra.Command {
	var (
		runs string
		json bool
	)
	command := &cobra.Command{
		Use:   "status",
		Short: "Show how far every model's training is",
		Long: `Status shows every job of a folder of runs: waiting, running (with the process and its
machine), interrupted, failed or done; the epoch, the newest loss, the last evaluation,
images per second and the time left. It reads the folders alone, so that it tells the
same on every machine that sees them, and disturbs nothing. Where jobs were submitted to
Slurm, and squeue is there to ask, it also tells their tasks and what they wait for. The
exit code is 1 if a job has failed or cannot be read.`,
		Example: `  reidbench status
  reidbench status --runs /shared/runs --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := store.Statuses(runs)
			if errors.Is(err, fs.ErrNotExist) && !c.Flags().Changed("runs") {
				fmt.Fprintf(c.ErrOrStderr(), "nothing has been run in %s yet\n", runs)
				list, err = nil, nil
			}
			if err != nil {
				return err
			}
			list, copies := store.PartCopies(list)
			var facts []results.Fact
			for _, copied := range copies {
				facts = append(facts, results.Fact{Label: "left out", Text: copied.String()})
			}
			results.WriteFacts(c.ErrOrStderr(), facts, terminalWidth(c.ErrOrStderr()))
			view, err := slurm.View(c.Context(), runs)
			if err != nil && !errors.Is(err, slurm.ErrMissing) {
				fmt.Fprintf(c.ErrOrStderr(), "warning: without Slurm's view of the tasks: %s\n",
					visible.Text(err.Error()))
			}
			jobs := withPlaces(list, view)
			if json {
				err = writeJSON(c.OutOrStdout(), jobs)
			} else {
				err = printStatus(c.OutOrStdout(), jobs)
			}
			count := countStates(jobs)
			if n := count[results.StateFailed] + count[results.StateUnknown]; err == nil && n > 0 {
				return found("%d of %d jobs failed or cannot be read", n, len(jobs))
			}
			return err
		},
	}
	command.Flags().StringVar(&runs, "runs", defaultRuns, "`folder` of the runs")
	command.Flags().BoolVar(&json, "json", false, "write JSON, a job each with its whole last evaluation")
	return command
}

// placedJob is what a job's folder tells, and Slurm if it has a task of the job.
type placedJob struct {
	store.JobStatus
	Slurm *slurm.Place `json:"slurm,omitempty"`
}

func withPlaces(jobs []store.JobStatus, places map[string]slurm.Place) []placedJob {
	placed := []placedJob{}
	for _, j := range jobs {
		p := placedJob{JobStatus: j}
		if place, ok := places[j.Job]; ok {
			p.Slurm = &place
		}
		placed = append(placed, p)
	}
	return placed
}

func countStates(jobs []placedJob) map[results.State]int {
	count := map[results.State]int{}
	for _, j := range jobs {
		count[j.State]++
	}
	return count
}

// printStatus writes a line for each job, and how many there are of each state.
func printStatus(w io.Writer, jobs []placedJob) error {
	columns := []column{
		{Title: "Job", Left: true}, {Title: "State", Left: true}, {Title: "Epoch", Yields: 1},
		{Title: "Step", Yields: 7}, {Title: "Loss", Yields: 4}, {Title: "Rank-1", Yields: 5}, {Title: "mAP", Yields: 3},
		{Title: "img/s", Yields: 6}, {Title: "Left", Yields: 2}, {Left: true, Long: true},
	}
	inSlurm := slices.ContainsFunc(jobs, func(j placedJob) bool { return j.Slurm != nil })
	if inSlurm {
		columns = append(columns, column{Title: "Slurm", Left: true, Long: true})
	}
	var rows [][]string
	for _, j := range jobs {
		cells := statusCells(j.JobStatus)
		if j.Slurm != nil {
			cells = append(cells, j.Slurm.String())
		} else if inSlurm {
			cells = append(cells, "")
		}
		rows = append(rows, cells)
	}
	if len(rows) > 0 {
		if err := writeTable(w, columns, rows, nil); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	count := countStates(jobs)
	parts := []string{fmt.Sprintf("%d of %d jobs done", count[results.StateDone], len(jobs))}
	for _, state := range []results.State{
		results.StateRunning, results.StateInterrupted, results.StateWaiting, results.StateFailed, results.StateUnknown,
	} {
		if count[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[state], state))
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(parts, ", "))
	return err
}

// statusCells are the columns of a job; what is not known stays empty.
func statusCells(j store.JobStatus) []string {
	cells := []string{j.Job, string(j.State), "", "", "", "", "", "", "", ""}
	if j.Step > 0 {
		cells[2], cells[3] = fmt.Sprintf("%d/%d", j.Epoch, j.Epochs), fmt.Sprintf("%d/%d", j.Step, j.Steps)
		cells[4], cells[7] = fmt.Sprintf("%.4f", j.Loss), fmt.Sprintf("%.1f", j.ImagesPerSecond)
	}
	if m := j.Metrics; m != nil {
		cells[5], cells[6] = fmt.Sprintf("%.2f", 100*m.Rank1), fmt.Sprintf("%.2f", 100*m.MAP)
	}
	if j.SecondsLeft > 0 {
		cells[8] = progress.ShortDuration(j.Left())
	}
	switch {
	case j.State == results.StateRunning && j.Holder != nil:
		cells[9] = fmt.Sprintf("process %d on %s", j.Holder.PID, j.Holder.Host)
	case j.State == results.StateInterrupted && j.Holder != nil:
		cells[9] = fmt.Sprintf("process %d on %s was killed", j.Holder.PID, j.Holder.Host)
	case j.State == results.StateFailed, j.State == results.StateUnknown:
		cells[9], _, _ = strings.Cut(j.Reason, "\n")
	}
	return cells
}

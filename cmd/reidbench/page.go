package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/flops"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/html"
	"github.com/reidbench/reidbench/results/visible"
)

// newPage gathers what the runs' folders hold beside their records, and the images of ranked lists. What cannot be read
// is left out, which warn is told.
func newPage(
	ctx context.Context, report *results.Report, runs string, pictures *pictures, warn io.Writer,
) (html.Page, error) {
	page := html.Page{Report: report}
	profiles, ranked := map[string]*results.Profile{}, map[string]bool{}
	folders, err := os.ReadDir(runs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return page, err
	}
	for _, folder := range folders {
		dir := filepath.Join(runs, folder.Name())
		if slices.ContainsFunc(report.Odd, func(o results.Odd) bool { return o.Folder == dir }) {
			continue // the report's head says why
		}
		history, err := store.Folder{Dir: dir}.History()
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) && folder.IsDir() {
				fmt.Fprintf(warn, "left out of the curves: %s\n", visible.Text(err.Error()))
			}
			continue
		}
		name := printedName(history.Model)
		if slices.ContainsFunc(page.Runs, func(r html.Run) bool { return r.Model == name && r.Seed == history.Seed }) {
			fmt.Fprintf(warn, "left out of the curves: %q, another folder has %q with the seed %d\n",
				dir, name, history.Seed)
			continue
		}
		page.Runs = append(page.Runs, newRun(name, history))
		if profiles[name] == nil {
			profile, err := results.ReadProfile(dir)
			switch {
			case err == nil:
				profiles[name] = &profile
			case !errors.Is(err, fs.ErrNotExist):
				fmt.Fprintf(warn, "left out: %s\n", visible.Text(err.Error()))
			}
		}
		if record, err := results.Read(dir); err == nil && record.State == results.StateDone && !ranked[name] {
			if lists, ok := pictures.ranked(ctx, name, dir, record, warn); ok {
				page.Ranked, ranked[name] = append(page.Ranked, lists), true
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return page, err // images that were not sought are not missing
	}
	page.Missing = pictures.missed()
	for _, m := range models.All() {
		network, err := newNetwork(m)
		if err != nil {
			return page, err
		}
		network.Profile = profiles[network.Model]
		page.Networks = append(page.Networks, network)
	}
	return page, nil
}

// printedName is what reports call a model.
func printedName(model string) string {
	if m, err := models.Lookup(model); err == nil && m.Row != "" {
		if row, ok := results.Find(m.Row); ok {
			return row.Model
		}
	}
	return model
}

// newNetwork counts a model's stages.
func newNetwork(m models.Model) (html.Network, error) {
	network := html.Network{Model: printedName(m.Name)}
	g, err := m.Graph(flops.IdentityCount)
	if err != nil {
		return network, err
	}
	count, err := flops.Count(g)
	if err != nil {
		return network, err
	}
	for _, s := range count.Stages() {
		network.Stages = append(network.Stages, html.Stage{
			Name: s.Name, Height: s.Shape.H, Width: s.Shape.W,
			Tokens: m.Family == models.Transformer && s.Shape.H == 1 && s.Shape.W > 1,
			MACs:   s.Cost.MACs(),
		})
	}
	return network, nil
}

// fewEpochs tell little: their curves are drawn step by step.
const fewEpochs = 20

// newRun makes curves of a log.
func newRun(model string, h store.History) html.Run {
	run := html.Run{Model: model, Seed: h.Seed, Epochs: h.Schedule.AllEpochs(), Epoch: 1}
	var steps, epochs []html.Sample
	for _, e := range h.Entries {
		run.Epoch = e.Epoch
		after := float64(e.Step) / float64(max(h.Schedule.StepsPerEpoch, 1))
		switch e.Event {
		case store.StepEntry:
			steps = append(steps, html.Sample{Epoch: after, Value: e.Loss})
		case store.EpochEntry:
			epochs = append(epochs, html.Sample{Epoch: after, Value: e.Loss})
			run.Correct = append(run.Correct, html.Sample{Epoch: after, Value: e.Correct})
		case store.EvaluationEntry:
			if e.Metrics == nil {
				continue
			}
			run.MAP = append(run.MAP, html.Sample{Epoch: after, Value: e.Metrics.MAP})
			run.Rank1 = append(run.Rank1, html.Sample{Epoch: after, Value: e.Metrics.Rank1})
		}
	}
	run.Loss = epochs
	if run.Epochs < fewEpochs && len(steps) > 0 {
		run.Loss = steps
	}
	return run
}

package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

func TestHistoryAndProfileOfARun(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	dir := filepath.Join(c.Out, "one")
	h, err := (store.Folder{Dir: dir}).History()
	if err != nil {
		t.Fatal(err)
	}
	events := map[store.EntryKind]int{}
	for _, e := range h.Entries {
		events[e.Event]++
	}
	steps := h.Schedule.Steps()
	if h.Model != "one" || h.Seed != c.Seed || events[store.StepEntry] != steps || events[store.EpochEntry] != 4 ||
		events[store.EvaluationEntry] == 0 {
		t.Errorf("model %s, seed %d, %d steps planned, logged %v", h.Model, h.Seed, steps, events)
	}
	if last := h.Entries[len(h.Entries)-1]; last.Metrics == nil || last.Step != steps {
		t.Errorf("the last entry is %+v, want the evaluation after step %d", last, steps)
	}

	p, err := results.ReadProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	var stages []string
	for _, s := range p.Stages {
		stages = append(stages, s.Stage)
		if s.Forward <= 0 || s.Backward <= 0 {
			t.Errorf("stage %s took no time: %+v", s.Stage, s)
		}
	}
	if diff := cmp.Diff([]string{"a.conv", "b.conv", "classifier"}, stages); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if p.Steps != watchedSteps || p.Batch != c.Recipe.Batch {
		t.Errorf("%d steps of %d images were watched, want %d of %d", p.Steps, p.Batch, watchedSteps, c.Recipe.Batch)
	}
}

// TestProfileOfASingleStep: a recipe with a budget may leave the largest models one step.
func TestProfileOfASingleStep(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.Recipe.HeadEpochs, c.Recipe.Epochs, c.Recipe.ForwardMACs = 0, 1, 1
	mustRun(t, c)
	p, err := results.ReadProfile(filepath.Join(c.Out, "one"))
	if err != nil || p.Steps != 1 {
		t.Errorf("a profile of %d steps, want 1; error %v", p.Steps, err)
	}
}

func TestHistoryWithoutALog(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	dir := filepath.Join(c.Out, "one")
	if err := os.Remove(filepath.Join(dir, store.MetricsFile)); err != nil {
		t.Fatal(err)
	}
	if h, err := (store.Folder{Dir: dir}).History(); err != nil || len(h.Entries) > 0 {
		t.Errorf("a run without a log: %d entries, error %v", len(h.Entries), err)
	}
}

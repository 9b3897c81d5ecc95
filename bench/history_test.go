package bench

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/results"
)

func TestHistoryAndProfileOfARun(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	dir := filepath.Join(c.Out, "one")
	h, err := ReadHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	events := map[string]int{}
	for _, e := range h.Entries {
		events[e.Event]++
	}
	steps := h.Schedule.Steps()
	if h.Model != "one" || h.Seed != c.Seed || events["step"] != steps || events["epoch"] != 4 || events["evaluation"] == 0 {
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

func TestHistoryWhereThereIsNone(t *testing.T) {
	if _, err := ReadHistory(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: error %v", err)
	}
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	dir := filepath.Join(c.Out, "one")
	if err := os.Remove(filepath.Join(dir, MetricsFile)); err != nil {
		t.Fatal(err)
	}
	if h, err := ReadHistory(dir); err != nil || len(h.Entries) > 0 {
		t.Errorf("a run without a log: %d entries, error %v", len(h.Entries), err)
	}
}

func TestReadEntries(t *testing.T) {
	log := `{"event":"step","epoch":1,"step":1,"loss":3}
{"event":"step","epoch":1,"step":2,"loss":2}
{"event":"epoch","epoch":1,"step":2,"loss":2.5}
`
	for _, test := range []struct {
		name, log string
		steps     bool
		want      []int // the entries' steps
		err       string
	}{
		{"all", log, true, []int{1, 2, 2}, ""},
		{"epochs", log, false, []int{2}, ""},
		{"a line under way", log + `{"event":"epoch","ep`, true, []int{1, 2, 2}, ""},
		{"nothing", "", true, nil, ""},
		{"no JSON", log + "epoch 2\n", true, nil, "line 4: "},
		{"without an end", log + strings.Repeat("x", 2*maxEntry), true, nil, "line 4: longer"},
	} {
		entries, err := readEntries(strings.NewReader(test.log), test.steps)
		var got []int
		for _, e := range entries {
			got = append(got, e.Step)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.err)
		}
	}
}

func FuzzReadEntries(f *testing.F) {
	f.Add(`{"event":"evaluation","epoch":1,"metrics":{"map":0.5}}`+"\n", true)
	f.Add("{\"event\":\"step\",\n{}\n", false)
	f.Fuzz(func(t *testing.T, log string, steps bool) {
		entries, err := readEntries(strings.NewReader(log), steps)
		if err == nil && len(entries) > strings.Count(log, "\n") {
			t.Errorf("%d entries of %q", len(entries), log)
		}
	})
}

package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// TestTrainLonger: a job that is done, or was interrupted, goes on to more epochs and ends as if it had been begun with
// them, without the evaluation that was made because it ended.
func TestTrainLonger(t *testing.T) {
	for _, test := range []struct {
		name          string
		epochs        []int
		evaluateEvery int
		checkpoints   Checkpoints
		interrupted   int // after that many steps, before it is lengthened; 0: it is done
	}{
		{name: "an evaluation is due in between", epochs: []int{2, 4}, evaluateEvery: 2},
		{name: "none is due", epochs: []int{3, 4}, evaluateEvery: 2},
		{name: "only at the end", epochs: []int{1, 2, 5}},
		{name: "from the classifier alone", epochs: []int{0, 2}, evaluateEvery: 1},
		{name: "checkpoints that stay", epochs: []int{3, 5}, checkpoints: Checkpoints{Every: 2}},
		{name: "interrupted", epochs: []int{3, 5}, interrupted: 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			c.Recipe.EvaluateEvery, c.Checkpoints = test.evaluateEvery, test.checkpoints
			for i, epochs := range test.epochs {
				c.Recipe = c.Recipe.WithEpochs(epochs)
				if i == 0 && test.interrupted > 0 {
					runUntil(t, c, test.interrupted)
				} else if n := trained(mustRun(t, c)); n != 1 {
					t.Errorf("with %d epochs, %d jobs are trained", epochs, n)
				}
			}
			if n := trained(mustRun(t, c)); n != 0 {
				t.Errorf("the same again trains %d jobs", n)
			}
			straight := c
			straight.Out = filepath.Join(t.TempDir(), "runs")
			mustRun(t, straight)
			sameTrace(t, "in pieces", filepath.Join(straight.Out, "one"), filepath.Join(c.Out, "one"))
			for _, name := range []string{results.RankingsFile, results.QueriesFile} {
				file := filepath.Join("one", name)
				want, got := mustRead(t, filepath.Join(straight.Out, file)), mustRead(t, filepath.Join(c.Out, file))
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s (-straight +in pieces):\n%s", name, diff)
				}
			}
		})
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestLongerIsAnother: what cannot go on bit for bit stays as it is, and the error says why.
func TestLongerIsAnother(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(c *Config)
		after  func(t *testing.T, c *Config)
		want   string
	}{
		{
			"fewer epochs", func(*Config) {}, func(_ *testing.T, c *Config) { c.Recipe.Epochs = 1 },
			"recipe.epochs is 1, there 3",
		},
		{
			"another rate", func(*Config) {},
			func(_ *testing.T, c *Config) { c.Recipe.Epochs, c.Recipe.LR = 5, 1e-4 },
			"recipe.lr is 0.0001, there 0.001",
		},
		{
			"a rate that falls later", func(*Config) {},
			func(_ *testing.T, c *Config) { c.Recipe.Epochs, c.Recipe.LRStep = 5, 3 },
			"recipe.lr_step is 3, there 2",
		},
		{
			"a cosine", func(c *Config) { c.Recipe.Annealing = recipe.Cosine },
			func(_ *testing.T, c *Config) { c.Recipe.Epochs = 5 },
			"one of 4 epochs, whose learning rates have fallen as a cosine over these; over 6 they fall otherwise",
		},
		{
			"steps that a budget has cut", func(c *Config) { c.Recipe.ForwardMACs = 1 },
			func(_ *testing.T, c *Config) { c.Recipe = c.Recipe.WithEpochs(5) },
			"schedule.steps_per_epoch is 3, there 1",
		},
		{
			"a budget, under which no checkpoint stays", func(c *Config) { c.Recipe.ForwardMACs = 1 << 60 },
			func(_ *testing.T, c *Config) { c.Recipe = c.Recipe.WithEpochs(5) },
			"one of 4 epochs, which is done and has kept no checkpoint to go on from to 6",
		},
		{
			"a checkpoint that was removed", func(*Config) {},
			func(t *testing.T, c *Config) {
				c.Recipe.Epochs = 5
				if err := (store.Folder{Dir: filepath.Join(c.Out, "one")}).Prune(0, 0); err != nil {
					t.Fatal(err)
				}
			},
			"with --weights one=",
		},
		{
			"beside one that cannot", func(*Config) {},
			func(t *testing.T, c *Config) {
				c.Recipe.Epochs, c.Models = 5, append([]models.Model{}, c.Models[0], tinymodel.New("two"))
				if err := (store.Folder{Dir: filepath.Join(c.Out, "two")}).Prune(0, 0); err != nil {
					t.Fatal(err)
				}
			},
			"two: the folder holds another run",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"), tinymodel.New("two"))
			c.Recipe.CheckpointEvery = 0
			test.before(&c)
			mustRun(t, c)
			c.Models = c.Models[:1]
			test.after(t, &c)
			kept := keptFiles(t, filepath.Join(c.Out, "one"))
			_, err := Run(t.Context(), c)
			if !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want ErrConflict with %q", err, test.want)
			}
			if diff := cmp.Diff(kept, keptFiles(t, filepath.Join(c.Out, "one"))); diff != "" {
				t.Errorf("the folder has changed:\n%s", diff)
			}
		})
	}
}

// TestPlanOfMoreEpochs: whoever has others do the jobs sees one that is not done.
func TestPlanOfMoreEpochs(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	c.Recipe.Epochs = 6
	for range 2 {
		summary, err := Plan(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if j := summary.Jobs[0]; j.State != results.StateWaiting || j.DoneBefore {
			t.Errorf("%+v", j)
		}
	}
	status, err := (store.Folder{Dir: filepath.Join(c.Out, "one")}).Status()
	if err != nil || status.State != results.StateInterrupted || status.Epochs != 7 || status.Checkpoint == "" {
		t.Errorf("status %+v, %v", status, err)
	}
}

// TestEstimateOfMoreEpochs: a dry run changes nothing, and counts the epochs that are to be done.
func TestEstimateOfMoreEpochs(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	kept := keptFiles(t, filepath.Join(c.Out, "one"))
	c.Recipe.Epochs = 6
	j := mustEstimate(t, c).Plan[0]
	// The checkpoint is one before the fourth epoch was closed.
	if j.State != results.StateBegun || j.EpochsDone != 3 || j.Schedule.AllEpochs() != 7 || j.Seconds <= 0 {
		t.Errorf("%+v", j)
	}
	if diff := cmp.Diff(kept, keptFiles(t, filepath.Join(c.Out, "one"))); diff != "" {
		t.Errorf("the folder has changed:\n%s", diff)
	}
}

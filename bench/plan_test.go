package bench

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

func TestPlan(t *testing.T) {
	c := testConfig(t, tinymodel.New("teacher"), tinymodel.Distilled("student", models.HardDistillation))
	c.Seeds, c.Teacher = 2, "teacher"
	mustRun(t, c, 2) // as a task of a cluster does it

	summary, err := Plan(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	type plan struct {
		Folder, Teacher string
		Seed            uint64
		State           results.State
		DoneBefore      bool
	}
	var got []plan
	for _, j := range summary.Jobs {
		got = append(got, plan{filepath.Base(j.Dir), j.Teacher, j.Seed, j.State, j.DoneBefore})
	}
	first, second := c.Seed, c.Seed+1
	at := c.folder(models.Model{Name: "teacher"}, second).Name()
	if diff := cmp.Diff([]plan{
		{"teacher", "", first, results.StateWaiting, false},
		{"student", "teacher", first, results.StateWaiting, false},
		{at, "", second, results.StateDone, true},
		{strings.Replace(at, "teacher", "student", 1), at, second, results.StateWaiting, false},
	}, got); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(c.Out, "teacher", store.MetricsFile)); !os.IsNotExist(err) {
		t.Errorf("what was only planned, or not among the run's jobs, has been trained: %v", err)
	}
	if _, err := Run(t.Context(), c, 4); err == nil ||
		!strings.Contains(err.Error(), "no such job: number 4, there are 4") {
		t.Errorf("a job that there is not: %v", err)
	}
}

// TestPlanningIsInterrupted: many models with many seeds take a while, and nothing is made before all are planned.
func TestPlanningIsInterrupted(t *testing.T) {
	const seeds = 50
	for name, plan := range map[string]func(ctx context.Context, c Config) error{
		"run":      func(ctx context.Context, c Config) error { _, err := Run(ctx, c); return err },
		"plan":     func(ctx context.Context, c Config) error { _, err := Plan(ctx, c); return err },
		"estimate": func(ctx context.Context, c Config) error { _, err := EstimateRun(ctx, c); return err },
	} {
		for _, at := range []int{0, 1, seeds} { // the job that is planned then; 0: before the dataset is opened
			ctx, cancel := context.WithCancel(t.Context())
			planned := 0
			m := tinymodel.New("one")
			build := m.Build
			m.Build = func(b *graph.Builder, classes int) (features, logits *graph.Node) {
				if planned++; planned == at {
					cancel()
				}
				return build(b, classes)
			}
			c := testConfig(t, m)
			c.Seeds = seeds
			if at == 0 {
				cancel()
			}
			if err := plan(ctx, c); !errors.Is(err, ErrInterrupted) {
				t.Errorf("%s, at job %d: %v, want ErrInterrupted", name, at, err)
			}
			if planned > at {
				t.Errorf("%s, at job %d: %d are planned", name, at, planned)
			}
			if _, err := os.Stat(c.Out); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s, at job %d: something was made: %v", name, at, err)
			}
			cancel()
		}
	}
}

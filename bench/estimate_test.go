package bench

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// steadily trains on 20 images a second and uses a model on 50, whatever it is.
func steadily(_ context.Context, _ models.Model, mode measure.Mode, _ int) (float64, error) {
	if mode == measure.TrainMode {
		return 20, nil
	}
	return 50, nil
}

func mustEstimate(t *testing.T, c Config) Estimate {
	t.Helper()
	r, err := newRunner(t.Context(), c, scope{dry: true})
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.estimate(t.Context(), steadily)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEstimateAddsUp(t *testing.T) {
	c := testConfig(t, tinymodel.Distilled("student", models.HardDistillation), tinymodel.New("teacher"),
		tinymodel.Unbuildable("broken"))
	c.Teacher, c.Seeds = "teacher", 2
	e := mustEstimate(t, c)
	images, judged := float64(e.Dataset.Train), float64(e.Dataset.Query+e.Dataset.Gallery)
	// One epoch of the classifier, three of everything, and evaluations before, after the second of these and the last.
	alone := images/50 + 3*images/20 + 3*judged/50
	learning := alone + 4*images/50 // the teacher sees every image
	var jobs []string
	for _, j := range e.Plan {
		jobs = append(jobs, j.Job)
		want := map[string]float64{"teacher": alone, "student": learning}[j.Model]
		if math.Abs(j.Seconds-want) > 1e-9 {
			t.Errorf("%s takes %v s, want %v", j.Job, j.Seconds, want)
		}
		switch {
		case j.Model == "broken":
			if j.State != results.StateDoomed || !strings.Contains(j.Reason, "no such layer") {
				t.Errorf("%s is %s: %q", j.Job, j.State, j.Reason)
			}
		case j.State != results.StateNew || j.Evaluations != 3 || j.Schedule.Steps() != 12 || j.Bytes <= 0:
			t.Errorf("%+v", j)
		}
	}
	if diff := cmp.Diff([]string{"student", "teacher", "broken", "student@8", "teacher@8", "broken@8"},
		jobs); diff != "" {
		t.Error(diff)
	}
	if want := 2 * (alone + learning); math.Abs(e.Seconds-want) > 1e-9 {
		t.Errorf("one after the other they take %v s, want %v", e.Seconds, want)
	}
	c.Jobs, c.Threads = 2, 2
	if e, want := mustEstimate(t, c), alone+learning; math.Abs(e.Seconds-want) > 1e-9 {
		t.Errorf("two at a time they take %v s, want %v", e.Seconds, want)
	}
	if _, err := os.Stat(c.Out); err == nil {
		t.Error("an estimate has written into the folder of the runs")
	}
}

func TestEstimateOfWhatDoesNotFit(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.Memory = 1
	if j := mustEstimate(t, c).Plan[0]; j.State != results.StateDoomed ||
		!strings.Contains(j.Reason, ErrMemory.Error()) || j.Seconds != 0 {
		t.Errorf("%+v, want a job that does not fit", j)
	}
}

func TestEstimateOfWhatHasBegun(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"), tinymodel.New("two"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	steps := 0
	c.Progress = watcher(func(e progress.Event) {
		if e.Job == "two" && e.Kind == progress.Stepped {
			if steps++; steps == 5 { // the second of its second epoch
				cancel()
			}
		}
	})
	if _, err := Run(ctx, c); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	c.Progress = nil
	e := mustEstimate(t, c)
	one, two := e.Plan[0], e.Plan[1]
	if one.State != results.StateDone || one.EpochsDone != 4 || one.Seconds != 0 {
		t.Errorf("the finished job: %+v", one)
	}
	images, judged := float64(e.Dataset.Train), float64(e.Dataset.Query+e.Dataset.Gallery)
	want := images/3/20 + 2*images/20 + 2*judged/50
	if two.State != results.StateBegun || two.EpochsDone != 1 || math.Abs(two.Seconds-want) > 1e-9 {
		t.Errorf("the interrupted job: %+v, want 1 epoch done and %v s", two, want)
	}
	c.Recipe.LR *= 2
	if _, err := EstimateRun(t.Context(), c); !errors.Is(err, store.ErrConflict) {
		t.Errorf("another recipe: %v", err)
	}
}

// A dry run measures, draws the dataset to count it, and leaves nothing behind.
func TestEstimateRunLeavesNothing(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"), tinymodel.Distilled("two", models.SoftDistillation))
	temp := t.TempDir() // after the images that all tests share are drawn
	t.Setenv("TMPDIR", temp)
	c.Data, c.Teacher = "", "one"
	c.Recipe.Synthetic = recipe.SyntheticSize{IDs: 6, TestIDs: 2, Images: 4}
	measured := 0
	c.Progress = watcher(func(e progress.Event) {
		if strings.HasPrefix(e.Text, "measuring") {
			measured++
		}
	})
	e, err := EstimateRun(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if e.Dataset.Train != 16 || !e.Dataset.Synthetic {
		t.Errorf("dataset %+v", e.Dataset)
	}
	if measured != 2 {
		t.Errorf("%d measurements, want one in each mode of both models, whose layers are the same", measured)
	}
	for _, j := range e.Plan {
		if !(j.TrainRate > 0 && j.InferRate > 0 && j.Seconds > 0) {
			t.Errorf("%+v", j)
		}
	}
	for _, dir := range []string{c.Out, filepath.Join(temp, "*")} {
		if left, _ := filepath.Glob(dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	again, err := EstimateRun(t.Context(), c)
	if err != nil || again.Dataset != e.Dataset {
		t.Errorf("again: %v, dataset %+v, want %+v", err, again.Dataset, e.Dataset)
	}
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

func TestRunLeavesARecord(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	summary := mustRun(t, c)
	if got := trained(summary); got != 1 {
		t.Fatalf("%d jobs trained, want 1", got)
	}
	record, err := results.Read(filepath.Join(c.Out, "one"))
	if err != nil {
		t.Fatal(err)
	}
	if record.Epochs != 4 || record.Final == nil || record.Best == nil || record.State != results.StateDone {
		t.Errorf("record: %+v", record)
	}
	last := fmt.Sprintf(checkpointFormat, 3, 3)
	want := []string{
		last, last + digestSuffix, manifestFile, store.MetricsFile, results.ProfileFile, results.QueriesFile,
		results.RankingsFile, results.File, identityFile,
		store.WeightsFile, store.WeightsFile + digestSuffix,
	}
	if diff := cmp.Diff(want, files(t, filepath.Join(c.Out, "one"))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestInterruptedEqualsUndisturbed(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	undisturbed := filepath.Join(c.Out, "one")
	steps := 12 // 4 epochs of 3
	for every := 1; every <= steps; every += 2 {
		again := testConfig(t, tinymodel.New("one"))
		interruptions := 0
		for {
			// Steps that end an epoch are followed by an evaluation, which is interrupted then.
			ctx, cancel := context.WithCancel(t.Context())
			seen := 0
			again.Progress = watcher(func(e progress.Event) {
				if e.Kind == progress.Stepped {
					if seen++; seen == every {
						cancel()
					}
				}
			})
			_, err := Run(ctx, again)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, ErrInterrupted) {
				t.Fatal(err)
			}
			if interruptions++; interruptions > steps {
				t.Fatalf("interrupted every %d steps, the run makes no progress", every)
			}
		}
		if want := (steps - 1) / every; interruptions < want {
			t.Errorf("%d interruptions every %d steps, want %d", interruptions, every, want)
		}
		sameTrace(t, "interrupted", undisturbed, filepath.Join(again.Out, "one"))
	}
}

func TestThreadsDoNotChangeBits(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	threads := testConfig(t, tinymodel.New("one"))
	threads.Threads = 2
	mustRun(t, threads)
	sameTrace(t, "two threads", filepath.Join(c.Out, "one"), filepath.Join(threads.Out, "one"))
}

func TestFailuresStayAlone(t *testing.T) {
	c := testConfig(t, tinymodel.Exploding("exploding"), tinymodel.New("panicking"),
		tinymodel.Unbuildable("unbuildable"), tinymodel.New("fine"))
	c.Jobs = 2
	c.Progress = watcher(func(e progress.Event) {
		if e.Job == "panicking" && e.Kind == progress.Stepped && e.Step == 5 {
			panic("out of luck")
		}
	})
	summary, err := Run(t.Context(), c)
	if !errors.Is(err, ErrFailed) {
		t.Fatalf("error %v, want ErrFailed", err)
	}
	for i, want := range []struct {
		state  results.State
		reason string
	}{
		{results.StateFailed, "the loss is NaN at step 1"},
		{results.StateFailed, "panic: out of luck"},
		{results.StateFailed, "panic: no such layer"},
		{results.StateDone, ""},
	} {
		job := summary.Jobs[i]
		record, err := results.Read(job.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if job.State != want.state || !strings.HasPrefix(record.Reason, want.reason) {
			t.Errorf("%s: state %s, reason %q; want %s, %q",
				job.Model.Name, job.State, record.Reason, want.state, want.reason)
		}
	}
	if stack, err := os.ReadFile(filepath.Join(c.Out, "panicking", panicFile)); err != nil ||
		!strings.Contains(string(stack), "goroutine") {
		t.Errorf("the panic's stack is not kept: %v", err)
	}

	// What was wrong with one of them is mended: it is done again, what is finished is not.
	c.Progress = nil
	summary, err = Run(t.Context(), c)
	if !errors.Is(err, ErrFailed) || trained(summary) != 1 || summary.Jobs[1].State != results.StateDone ||
		!summary.Jobs[3].DoneBefore {
		t.Errorf("second run: %v, jobs %+v", err, summary.Jobs)
	}
}

func TestFinishedIsNotDoneAgain(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	before := trace(t, filepath.Join(c.Out, "one"))
	var steps atomic.Int64
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Stepped {
			steps.Add(1)
		}
	})
	summary := mustRun(t, c)
	if j := summary.Jobs[0]; j.State != results.StateDone || !j.DoneBefore || steps.Load() != 0 {
		t.Errorf("%+v after %d steps, want a job that was done before after none", j, steps.Load())
	}
	if diff := cmp.Diff(before, trace(t, filepath.Join(c.Out, "one"))); diff != "" {
		t.Errorf("the folder has changed:\n%s", diff)
	}
}

func TestConflicts(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"seed", func(c *Config) { c.Seed = 8 }, "seed is 8, there 7"},
		{"recipe", func(c *Config) { c.Recipe.LR = 0.5 }, "recipe.lr is 0.5, there 0.001"},
		{"epochs", func(c *Config) { c.Recipe.Epochs = 2 }, "schedule.epochs is 2, there 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed := c
			test.change(&changed)
			if _, err := Run(t.Context(), changed); !errors.Is(err, store.ErrConflict) ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want ErrConflict with %q", err, test.want)
			}
		})
	}
}

func TestSeeds(t *testing.T) {
	teacher, student := tinymodel.New("teacher"), tinymodel.Distilled("student", models.HardDistillation)
	c := testConfig(t, student, teacher)
	c.Teacher, c.Seeds, c.Jobs = teacher.Name, 3, 2
	var mu sync.Mutex
	started := map[string]bool{}
	c.Progress = watcher(func(e progress.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.State == results.StateRunning {
			started[e.Job] = true
		}
	})
	summary := mustRun(t, c)
	want := []string{"student", "teacher", "student@8", "teacher@8", "student@9", "teacher@9"}
	for i, j := range summary.Jobs {
		record, err := results.Read(filepath.Join(c.Out, want[i]))
		if err != nil {
			t.Fatal(err)
		}
		if seed := c.Seed + uint64(i/2); j.Dir != filepath.Join(c.Out, want[i]) || j.Seed != seed ||
			record.Seed != seed || !started[want[i]] {
			t.Errorf("job %d in %s has the seed %d and the record %d; want %s and %d",
				i, j.Dir, j.Seed, record.Seed, want[i], seed)
		}
	}

	// Beside others or alone, with a seed that is the first or a later one: the same bits.
	alone := testConfig(t, student, teacher)
	alone.Teacher, alone.Seed = teacher.Name, 9
	mustRun(t, alone)
	for _, model := range []string{"teacher", "student"} {
		sameTrace(t, model, filepath.Join(alone.Out, model), filepath.Join(c.Out, model+"@9"))
	}
}

func TestDistillation(t *testing.T) {
	teacher := tinymodel.New("teacher")
	students := []models.Model{tinymodel.Distilled("hard", models.HardDistillation), tinymodel.Distilled("soft",
		models.SoftDistillation)}

	t.Run("after the teacher", func(t *testing.T) {
		c := testConfig(t, students[0], students[1], teacher) // in the wrong order
		c.Teacher, c.Jobs = teacher.Name, 2
		mustRun(t, c)
		one, two := trace(t, filepath.Join(c.Out, "hard")), trace(t, filepath.Join(c.Out, "soft"))
		if one[store.WeightsFile+digestSuffix] == two[store.WeightsFile+digestSuffix] {
			t.Error("hard and soft distillation gave the same weights")
		}
	})
	t.Run("teacher in the store", func(t *testing.T) {
		c := testConfig(t, teacher)
		mustRun(t, c)
		j := newJob(students[0], c.Seed, &c, openTestData(t, c))
		folder := &teacherFolder{model: teacher, folder: store.Folder{Dir: filepath.Join(c.Out, teacher.Name)}}
		if _, err := folder.taught(j); err != nil {
			t.Error(err)
		}
	})
	t.Run("no teacher", func(t *testing.T) {
		c := testConfig(t, students[0], tinymodel.New("other"))
		summary, err := Run(t.Context(), c)
		if !errors.Is(err, ErrNoTeacher) ||
			!strings.Contains(err.Error(), "neither among the models of this run nor finished in") {
			t.Errorf("error %v, want ErrNoTeacher", err)
		}
		if summary.Jobs[1].State != results.StateDone {
			t.Errorf("the other job is %s, want it done", summary.Jobs[1].State)
		}
	})
	t.Run("failed teacher", func(t *testing.T) {
		c := testConfig(t, tinymodel.Exploding("teacher"), students[0])
		c.Teacher = "teacher"
		if _, err := Run(t.Context(), c); !errors.Is(err, ErrNoTeacher) ||
			!strings.Contains(err.Error(), "which has failed: the loss is NaN") {
			t.Errorf("error %v, want ErrNoTeacher", err)
		}
	})
}

func openTestData(t *testing.T, c Config) *dataset {
	t.Helper()
	data, err := openDataset(
		t.Context(), market1501.Opener{}, c.Data, c.Out, recipe.SyntheticSize{}, 0, func(progress.Event) {},
	)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDatasetIsDrawnOnce(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.Data, c.Recipe.Synthetic = "", recipe.SyntheticSize{IDs: 4, TestIDs: 2, Images: 4}
	first := mustRun(t, c)
	c.Models = []models.Model{tinymodel.New("two")}
	drawn := false
	c.Progress = watcher(func(e progress.Event) { drawn = drawn || strings.Contains(e.Text, "drawing") })
	second := mustRun(t, c)
	if !first.Dataset.Synthetic || first.Dataset != second.Dataset || drawn {
		t.Errorf("first %+v, second %+v, drawn again: %v", first.Dataset, second.Dataset, drawn)
	}
	if records, _, err := results.Load(c.Out); err != nil || len(records) != 2 {
		t.Errorf("%d records in the store, want 2; %v", len(records), err)
	}
}

func TestBrokenImagesAreLeftOut(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(c.Data)); err != nil {
		t.Fatal(err)
	}
	c.Data = data
	for _, split := range []string{"bounding_box_train", "query"} {
		for _, name := range files(t, filepath.Join(data, split))[:4] { // 20 images are left to train on, a step less
			if err := os.WriteFile(filepath.Join(data, split, name), []byte("no JPEG"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	var warnings []string
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Warned {
			warnings = append(warnings, e.Text)
		}
	})
	mustRun(t, c)
	if len(warnings) != 2 || !strings.Contains(warnings[0], "4 images cannot be decoded") {
		t.Errorf("warnings %q, want one for each split", warnings)
	}
}

func TestDamagedCheckpointIsSetAside(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	for _, test := range []struct {
		name   string
		damage func(data []byte) []byte
	}{
		{"truncated", func(data []byte) []byte { return data[:len(data)/2] }},
		{"flipped bit", func(data []byte) []byte { data[len(data)-9] ^= 4; return data }},
		{"emptied", func([]byte) []byte { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			again := testConfig(t, tinymodel.New("one"))
			dir := filepath.Join(again.Out, "one")
			ctx, cancel := context.WithCancel(t.Context())
			again.Progress = watcher(func(e progress.Event) {
				if e.Kind == progress.Stepped && e.Step == 8 { // after the checkpoint of step 6
					cancel()
				}
			})
			if _, err := Run(ctx, again); !errors.Is(err, ErrInterrupted) {
				t.Fatal(err)
			}
			newest := filepath.Join(dir, "checkpoint-epoch0002-step000002.safetensors")
			data, err := os.ReadFile(newest)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(newest, test.damage(data), 0o666); err != nil {
				t.Fatal(err)
			}
			var warning progress.Event
			var began int
			again.Progress = watcher(func(e progress.Event) {
				switch {
				case e.Kind == progress.Warned:
					warning = e
				case e.State == results.StateRunning:
					began = e.Step
				}
			})
			mustRun(t, again)
			if !errors.Is(warning.Err, store.ErrDamaged) || !strings.Contains(warning.Text, newest) || began != 6 {
				t.Errorf("went on after step %d with the warning %q", began, warning.Text)
			}
			if _, err := os.Stat(newest + brokenSuffix); err != nil {
				t.Error(err)
			}
			sameTrace(t, test.name, filepath.Join(c.Out, "one"), dir)
		})
	}
}

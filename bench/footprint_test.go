package bench

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// footprintOf is what a job of the configuration takes.
func footprintOf(t *testing.T, c Config, model models.Model, batch int) footprint {
	t.Helper()
	if err := c.complete(); err != nil {
		t.Fatal(err)
	}
	j := newJob(model, c.Seed, &c, openTestData(t, c))
	j.threads = 1
	f, err := j.measure(batch)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTooLargeForMemory(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	whole, half := footprintOf(t, c, c.Models[0], c.Recipe.Batch), footprintOf(t, c, c.Models[0], c.Recipe.Batch/2)
	for _, test := range []struct {
		memory int64
		want   string
	}{
		{whole.total(), ""},
		{whole.total() - 1, "--batch 5 takes " + machine.Bytes(half.own).String()},
		{1, "no smaller batch fits either"},
	} {
		c := testConfig(t, tinymodel.New("one"))
		c.Memory = test.memory
		summary, err := Run(t.Context(), c)
		if test.want == "" {
			if err != nil {
				t.Errorf("with %d bytes: %v", test.memory, err)
			}
			continue
		}
		takes := "batches of 10 take " + machine.Bytes(whole.own).String()
		if !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), takes) ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("with %d bytes: error %v, want ErrMemory with %q", test.memory, err, test.want)
		}
		if record, err := results.Read(summary.Jobs[0].Dir); err != nil || record.State != results.StateFailed {
			t.Errorf("with %d bytes: record %+v, %v", test.memory, record, err)
		}
		c.Memory = 0 // somewhere else, or when others have gone
		mustRun(t, c)
	}
}

// TestSideBySide counts the jobs that run at a time.
func TestSideBySide(t *testing.T) {
	list := []models.Model{
		tinymodel.Distilled("student", models.HardDistillation), tinymodel.New("a"), tinymodel.New("b"),
		tinymodel.New("teacher"), tinymodel.New("c"),
	}
	f := footprintOf(t, testConfig(t, list...), tinymodel.New("a"), brief().Batch)
	for _, test := range []struct {
		name          string
		jobs, threads int
		memory        int64
		most          int
	}{
		{"all", 3, 8, 0, 3},
		{"memory for two", 5, 8, f.images + 2*f.own + f.own/2, 2},
		{"threads for two", 5, 2, 0, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, list...)
			c.Teacher, c.Jobs, c.Threads, c.Memory = "teacher", test.jobs, test.threads, test.memory
			var mu sync.Mutex
			together := sync.NewCond(&mu)
			running, most := 0, 0
			c.Progress = watcher(func(e progress.Event) {
				mu.Lock()
				defer mu.Unlock()
				switch e.State {
				case results.StateRunning:
					running++
					most = max(most, running)
					together.Broadcast()
					for most < test.most { // the first ones wait for as many as are to be
						together.Wait()
					}
				case results.StateDone, results.StateFailed:
					running--
				}
			})
			mustRun(t, c)
			if most != test.most {
				t.Errorf("%d jobs side by side, want %d", most, test.most)
			}
		})
	}
}

func TestTooLittleToPlan(t *testing.T) {
	err := tooLittleToPlan(machine.Bound{Of: "ulimit -v", Limit: 3 << 29, Taken: 2 << 30})
	const want = "not enough memory: ulimit -v is 1.50 GiB, and at least 2.06 GiB are needed: " +
		"2.00 GiB that are in use already, and 64.0 MiB to plan with"
	if !errors.Is(err, ErrMemory) || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

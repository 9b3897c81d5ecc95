package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/results"
)

// TestRunMeasuresInference: the record of each seed has what using the model costs, measured once, and nothing else is
// otherwise; where jobs run side by side there is none.
func TestRunMeasuresInference(t *testing.T) {
	plain, measured := testConfig(t, tinymodel.New("one")), testConfig(t, tinymodel.New("one"))
	measured.Inference, measured.Seeds = true, 2
	before, summary := mustRun(t, plain).Jobs[0], mustRun(t, measured)
	first, second := summary.Jobs[0], summary.Jobs[1]
	sameTrace(t, "measured", before.Dir, first.Dir)
	if before.Record.Inference != nil || first.Record.Inference == nil {
		t.Fatalf("inference %+v and %+v, the second was asked for", before.Record.Inference, first.Record.Inference)
	}
	if i := first.Record.Inference; i.Threads != 1 || i.Latency.P50 <= 0 || i.ImagesPerSecond <= 0 {
		t.Errorf("recorded %+v", i)
	}
	if diff := cmp.Diff(first.Record.Inference, second.Record.Inference); diff != "" {
		t.Errorf("the same layers are measured twice (-first +second):\n%s", diff)
	}

	again := mustRun(t, measured)
	if diff := cmp.Diff(first.Record, again.Jobs[0].Record, cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(results.Record{}, "Recipe", "Timing")); diff != "" || !again.Jobs[0].DoneBefore {
		t.Errorf("a job that is done is measured again (-before +after):\n%s", diff)
	}

	side := testConfig(t, tinymodel.New("one"), tinymodel.New("two"))
	side.Inference, side.Jobs, side.Threads = true, 2, 2
	for _, j := range mustRun(t, side).Jobs {
		if j.Record.Inference != nil {
			t.Errorf("%s: measured beside another job: %+v", j.Model.Name, j.Record.Inference)
		}
	}
}

// TestInferenceIsNoReasonToFail: a job whose inference can't be measured is done.
func TestInferenceIsNoReasonToFail(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	still := time.Unix(1e9, 0)
	c.Inference, c.Now = true, func() time.Time { return still }
	var warned []string
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Warned {
			warned = append(warned, e.Text)
		}
	})
	job := mustRun(t, c).Jobs[0]
	if job.State != results.StateDone || job.Record.Inference != nil || len(warned) != 1 ||
		!strings.Contains(warned[0], "the clock stands still") {
		t.Errorf("%s, inference %+v, warnings %q", job.State, job.Record.Inference, warned)
	}
}

// TestInterruptedInInference: Ctrl-C while inference is measured leaves no record, and the same call measures it.
func TestInterruptedInInference(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.Inference = true
	ctx, cancel := context.WithCancel(t.Context())
	evaluated, reads := false, 0
	c.Progress = watcher(func(e progress.Event) {
		evaluated = evaluated || e.Kind == progress.Evaluated && e.Epoch == 4
	})
	c.Now = func() time.Time {
		if evaluated {
			if reads++; reads == 50 { // a run's end reads it a few times, an inference for each step
				cancel()
			}
		}
		return time.Now()
	}
	summary, err := Run(ctx, c)
	if !errors.Is(err, ErrInterrupted) || summary.Jobs[0].State != results.StateInterrupted {
		t.Fatalf("%v, the job is %s", err, summary.Jobs[0].State)
	}
	if job := mustRun(t, c).Jobs[0]; job.DoneBefore || job.Record.Inference == nil {
		t.Errorf("done before: %t, inference %+v", job.DoneBefore, job.Record.Inference)
	}
}

package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
)

// TestStepsAreGivenUp: the end of a run ends the step under way, too, which is then none.
func TestStepsAreGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var one *training
	c := testConfig(t, tinymodel.New("one"))
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind != progress.Stepped {
			return
		}
		cancel()
		for begun := time.Now(); !one.stop.Load() && time.Since(begun) < 10*time.Second; { // another goroutine's to set
			runtime.Gosched()
		}
	})
	r, err := newRunner(t.Context(), c, scope{})
	if err != nil {
		t.Fatal(err)
	}
	pool := parallel.NewPool(1)
	defer pool.Close()
	if one, err = r.jobs[0].prepare(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	defer one.log.Close()
	if err := one.trainEpochs(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("trained with error %v", err)
	}
	if err := one.step(); !errors.Is(err, errCutShort) {
		t.Errorf("one more step with error %v", err)
	}
	if one.position.Steps != 1 {
		t.Errorf("%d steps count", one.position.Steps)
	}
}

// TestInterruptedWithinAStep ends runs of a teacher and its student at random moments after a step, as a rule within
// the next, until all is done. Each time every finished step is in a checkpoint, and the results are those of the run
// that nothing disturbed.
func TestInterruptedWithinAStep(t *testing.T) {
	c := testConfig(t,
		tinymodel.New("teacher"), tinymodel.Distilled("student", models.SoftDistillation))
	c.Teacher = "teacher"
	undisturbed := c
	undisturbed.Out = filepath.Join(t.TempDir(), "undisturbed")
	mustRun(t, undisturbed)
	random := rand.New(rand.NewPCG(7, 0))
	interruptions := 0
	for done := false; !done; {
		ctx, cancel := context.WithCancel(t.Context())
		steps, delay := 1+random.IntN(3), time.Duration(random.Int64N(int64(3*time.Millisecond)))
		run := c
		run.Progress = watcher(func(e progress.Event) {
			if e.Kind == progress.Stepped {
				if steps--; steps == 0 {
					time.AfterFunc(delay, cancel) // a moment within what comes next; nothing waits for it
				}
			}
		})
		_, err := Run(ctx, run)
		cancel()
		if done = err == nil; done {
			break
		}
		if !errors.Is(err, ErrInterrupted) || errors.Is(err, ErrFailed) {
			t.Fatal(err)
		}
		interruptions++
		if _, ahead := wreckage(t, c.Out); ahead > 0 {
			t.Error("not all steps that were done are in a checkpoint")
		}
	}
	if interruptions == 0 {
		t.Error("no run was interrupted")
	}
	t.Logf("interrupted %d times", interruptions)
	for _, job := range []string{"teacher", "student"} {
		sameTrace(t, job, filepath.Join(undisturbed.Out, job), filepath.Join(c.Out, job))
	}
}

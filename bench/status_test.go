package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// statuses are what Status tells, by job. What depends on speed or on the digits of a loss must be there, and
// is then cut out.
func statuses(t *testing.T, out string) map[string]store.JobStatus {
	t.Helper()
	all, err := store.Statuses(out)
	if err != nil {
		t.Fatal(err)
	}
	byJob := map[string]store.JobStatus{}
	for i, s := range all {
		if i > 0 && (s.Model < all[i-1].Model || s.Model == all[i-1].Model && s.Seed <= all[i-1].Seed) {
			t.Errorf("%s comes after %s", s.Job, all[i-1].Job)
		}
		if s.Step > 0 && (s.Loss == 0 || s.LR == 0 || s.ImagesPerSecond == 0 || s.Updated == nil) {
			t.Errorf("%s has been trained, but %+v", s.Job, s)
		}
		if (s.State == results.StateRunning || s.State == results.StateInterrupted) && s.Step > 0 && s.Left() == 0 {
			t.Errorf("%s is %s with no time left", s.Job, s.State)
		}
		if h := s.Holder; h != nil {
			if h.PID != os.Getpid() || h.Host == "" || h.Since.IsZero() {
				t.Errorf("%s is held by %v", s.Job, h)
			}
			s.Holder = &store.Holder{}
		}
		s.Loss, s.LR, s.ImagesPerSecond, s.SecondsLeft, s.Updated, s.Metrics = 0, 0, 0, 0, nil, nil
		byJob[s.Job] = s
	}
	return byJob
}

func TestStatus(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"), tinymodel.New("two"), tinymodel.Exploding("bad"))
	c.Seeds = 2
	c.Now = func() func() time.Time { // on this clock something has always taken time
		now := time.Unix(0, 0)
		return func() time.Time { now = now.Add(time.Second); return now }
	}()
	status := func(job, model string, seed uint64, state results.State) store.JobStatus {
		return store.JobStatus{Job: job, Model: model, Seed: seed, State: state, Epochs: 4, Steps: 12}
	}
	at := func(s store.JobStatus, stage string, epoch, step int) store.JobStatus {
		s.Stage, s.Epoch, s.Step = stage, epoch, step
		return s
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var during map[string]store.JobStatus
	c.Progress = watcher(func(e progress.Event) {
		if e.Job == "two" && e.Kind == progress.Stepped && e.Step == 7 {
			during = statuses(t, c.Out)
			cancel()
		}
	})
	if _, err := Run(ctx, c); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	running := at(status("two", "two", 7, results.StateRunning), "everything", 3, 7)
	running.Holder, running.Checkpoint = &store.Holder{}, "checkpoint-epoch0002-step000000.safetensors"
	want := map[string]store.JobStatus{
		"bad":   status("bad", "bad", 7, results.StateWaiting),
		"bad@8": status("bad@8", "bad", 8, results.StateWaiting),
		"one":   at(status("one", "one", 7, results.StateDone), "everything", 4, 12),
		"one@8": status("one@8", "one", 8, results.StateWaiting),
		"two":   running,
		"two@8": status("two@8", "two", 8, results.StateWaiting),
	}
	if diff := cmp.Diff(want, during); diff != "" {
		t.Errorf("during the run (-want +got):\n%s", diff)
	}

	interrupted := running
	interrupted.State, interrupted.Holder = results.StateInterrupted, nil
	interrupted.Checkpoint = "checkpoint-epoch0002-step000001.safetensors"
	want["two"] = interrupted
	if diff := cmp.Diff(want, statuses(t, c.Out)); diff != "" {
		t.Errorf("after an interruption (-want +got):\n%s", diff)
	}

	// A process that was killed leaves its name.
	holder := filepath.Join(c.Out, "two", holderFile)
	l := lockFor(t, filepath.Dir(holder))
	name, err := os.ReadFile(holder)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Release(), os.WriteFile(holder, name, 0o666)); err != nil {
		t.Fatal(err)
	}
	interrupted.Holder = &store.Holder{}
	want["two"] = interrupted
	if diff := cmp.Diff(want, statuses(t, c.Out)); diff != "" {
		t.Errorf("after a kill (-want +got):\n%s", diff)
	}

	c.Progress = nil
	if _, err := Run(t.Context(), c); !errors.Is(err, ErrFailed) {
		t.Fatal(err)
	}
	for _, job := range []string{"one", "two", "one@8", "two@8"} {
		want[job] = at(status(job, want[job].Model, want[job].Seed, results.StateDone), "everything", 4, 12)
	}
	for _, job := range []string{"bad", "bad@8"} {
		failed := status(job, "bad", want[job].Seed, results.StateFailed)
		failed.Reason = "the loss is NaN at step 1, in epoch 1: training has diverged; a smaller learning rate may help"
		want[job] = failed
	}
	if diff := cmp.Diff(want, statuses(t, c.Out)); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
}

func TestStatusOfEmptyAndAbsentFolders(t *testing.T) {
	dir := t.TempDir()
	if all, err := store.Statuses(dir); err != nil || all == nil || len(all) != 0 {
		t.Errorf("an empty folder: %v, %v", all, err)
	}
	if _, err := store.Statuses(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent folder: %v", err)
	}
	// Another kind of folder, and a log whose last line is not whole.
	if err := os.MkdirAll(filepath.Join(dir, "synthetic"), 0o777); err != nil {
		t.Fatal(err)
	}
	c := testConfig(t, tinymodel.New("one"))
	c.Out = dir
	runUntil(t, c, 5)
	log := filepath.Join(dir, "one", store.MetricsFile)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, append(text, `{"event":"st`...), 0o666); err != nil {
		t.Fatal(err)
	}
	if all, err := store.Statuses(dir); err != nil || len(all) != 1 || all[0].Step != 5 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestStatusOfAnUnreadableJob(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"), tinymodel.New("two"))
	mustRun(t, c)
	if err := os.WriteFile(filepath.Join(c.Out, "two", identityFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	all, err := store.Statuses(c.Out)
	if err != nil || len(all) != 2 || all[0].State != results.StateDone || all[1].State != results.StateUnknown ||
		all[1].Reason == "" {
		t.Errorf("%+v, %v", all, err)
	}
}

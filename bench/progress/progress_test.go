package progress

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/reidbench/reidbench/bench/internal/golden"
	"github.com/reidbench/reidbench/results"
)

// story is a run as its progress is told of it, one event a second.
func story() []Event {
	metrics := &results.Metrics{Rank1: 0.5, MAP: 0.34567}
	under := Event{Job: "osnet", Stage: "everything", Epochs: 3, Steps: 30}
	events := []Event{
		{Kind: Noted, Text: "drawing"},
		{Kind: Warned, Text: "2 images are broken"},
	}
	started := under
	started.Kind, started.State = StateChanged, results.StateRunning
	events = append(events, started)
	for step := 1; step <= 10; step++ {
		e := under
		e.Kind, e.Epoch, e.Step, e.Loss = Stepped, 1, step, 3-float64(step)/8
		e.ImagesPerSecond, e.Left = 2.5*float64(step), time.Duration(30-step)*37*time.Second
		events = append(events, e)
	}
	evaluated := under
	evaluated.Kind, evaluated.Epoch, evaluated.Step, evaluated.Metrics = Evaluated, 1, 10, metrics
	interrupted := under
	interrupted.Kind, interrupted.State, interrupted.Step = StateChanged, results.StateInterrupted, 10
	return append(events, evaluated, interrupted,
		Event{Kind: StateChanged, State: results.StateDone, Job: "alexnet", Metrics: metrics},
		Event{Kind: StateChanged, State: results.StateDone, DoneBefore: true, Job: "resnet50", Metrics: metrics},
		Event{Kind: StateChanged, State: results.StateFailed, Job: "vgg16", Err: errors.New("out of memory")})
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	lines := NewLines(&out, 4*time.Second, func() time.Time { return now })
	for _, e := range story() {
		lines.Report(e)
		now = now.Add(time.Second)
	}
	golden.Compare(t, "lines.txt", out.String())
}

func TestBarsLeaveLinesBehind(t *testing.T) {
	var out bytes.Buffer
	bars := NewBars(&out)
	for _, e := range story() {
		bars.Report(e)
	}
	bars.Close()
	for _, want := range []string{"drawing", "warning: 2 images are broken", "osnet: interrupted after step 10 of 30",
		"alexnet: done: Rank-1 50.00%, mAP 34.57%", "vgg16: failed: out of memory"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the output:\n%s", want, out.String())
		}
	}
}

// brokenTerminal fails from its second write on.
type brokenTerminal struct{ writes int }

func (b *brokenTerminal) Write(p []byte) (int, error) {
	if b.writes++; b.writes > 1 {
		return 0, errors.New("the terminal is gone")
	}
	return len(p), nil
}

func TestBarsEndOnABrokenTerminal(t *testing.T) {
	bars := NewBars(&brokenTerminal{})
	for range 3 {
		for _, e := range story() {
			bars.Report(e)
		}
		bars.draw(time.Now())
	}
	bars.Close() // must return
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59400 * time.Millisecond: "59s", 59600 * time.Millisecond: "1m00s",
		3*time.Hour + 5*time.Minute: "3h05m", 49 * time.Hour: "2d01h",
	} {
		if got := ShortDuration(d); got != want {
			t.Errorf("ShortDuration(%v) is %q, want %q", d, got, want)
		}
	}
}

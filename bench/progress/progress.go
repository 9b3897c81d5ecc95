// Package progress tells people how far a run's jobs have come: events, in lines or as bars on a terminal.
package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/grammar"
	"github.com/reidbench/reidbench/results/visible"
)

// A Kind says what has happened to a job.
type Kind int

// The kinds of events. Noted and Warned may concern the whole run: their Job is
// empty then.
const (
	Noted        Kind = iota // Text is worth knowing
	Warned                   // Text should be known before the figures are trusted
	StateChanged             // State is how far the job is from now on
	Stepped                  // one training step is done
	EpochEnded               // Loss is the epoch's mean
	Evaluated                // Metrics is what came out
)

// An Event is one piece of news about a run.
type Event struct {
	Kind Kind
	Job  string // its folder's name: the model's, with the seed if it has several
	Text string

	// Of a StateChanged event:
	//
	//	StateRunning      Step is where training begins or goes on
	//	StateInterrupted  it can go on from where it was
	//	StateFailed       Err says why
	//	StateDone         Metrics is the last evaluation; DoneBefore says that it was done before this run
	State      results.State
	DoneBefore bool
	Err        error // also what a Warned event is about, where there is an error

	Stage                      string // "classifier" or "everything"
	Epoch, Epochs, Step, Steps int    // done of all, both stages together
	Loss, LearningRate         float64
	ImagesPerSecond            float64
	Left                       time.Duration // an estimate of the time to the job's end
	Metrics                    *results.Metrics
}

// A Reporter is told what happens during a run. Calls come from several jobs at once.
type Reporter interface {
	Report(Event)
}

// Silent is the reporter of a run that nobody watches.
type Silent struct{}

// Report implements [Reporter].
func (Silent) Report(Event) {}

// Lines is plain progress, for logs and pipes: a line for what happens once, and for
// each job at most one line per interval for what happens often.
type Lines struct {
	mu       sync.Mutex
	out      io.Writer
	now      func() time.Time
	interval time.Duration
	last     map[string]time.Time // by job: its last line
}

// NewLines writes to out. now is the clock, nil for the real one.
func NewLines(out io.Writer, interval time.Duration, now func() time.Time) *Lines {
	if now == nil {
		now = time.Now
	}
	return &Lines{out: out, now: now, interval: interval, last: map[string]time.Time{}}
}

// Report implements [Reporter].
func (l *Lines) Report(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	often := e.Kind == Stepped || e.Kind == EpochEnded
	if often && now.Sub(l.last[e.Job]) < l.interval {
		return
	}
	if often || e.State == results.StateRunning {
		l.last[e.Job] = now
	}
	fmt.Fprintln(l.out, line(e))
}

// line is an event in words.
func line(e Event) string {
	var s strings.Builder
	if e.Job != "" {
		s.WriteString(e.Job + ": ")
	}
	switch e.Kind {
	case Noted:
		s.WriteString(e.Text)
	case Warned:
		s.WriteString("warning: " + e.Text)
	case StateChanged:
		s.WriteString(stateLine(e))
	case Stepped, EpochEnded:
		fmt.Fprintf(&s, "%s, epoch %d/%d, step %d/%d, loss %.4f, %s, %s left",
			e.Stage, e.Epoch, e.Epochs, e.Step, e.Steps, e.Loss, rate(e.ImagesPerSecond), ShortDuration(e.Left))
	case Evaluated:
		fmt.Fprintf(&s, "epoch %d/%d: %s", e.Epoch, e.Epochs, scores(e.Metrics))
	}
	return visible.Text(s.String())
}

// stateLine is the state that a job has come to, in words.
func stateLine(e Event) string {
	switch e.State {
	case results.StateRunning:
		text := fmt.Sprintf("training, %s in %s", grammar.Count(e.Epochs, "epoch", "epochs"),
			grammar.Count(e.Steps, "step", "steps"))
		if e.Step > 0 {
			text += fmt.Sprintf(", goes on after step %d", e.Step)
		}
		return text
	case results.StateInterrupted:
		text := "interrupted"
		if e.Steps > 0 {
			text += fmt.Sprintf(" after step %d of %d", e.Step, e.Steps)
		}
		return text + "; the same command goes on"
	case results.StateFailed:
		return fmt.Sprintf("failed: %v", e.Err)
	case results.StateDone:
		if e.DoneBefore {
			return "done before: " + scores(e.Metrics)
		}
		return "done: " + scores(e.Metrics)
	}
	return string(e.State)
}

// scores is an evaluation in a few words.
func scores(m *results.Metrics) string {
	if m == nil {
		return "not evaluated"
	}
	return fmt.Sprintf("Rank-1 %.2f%%, mAP %.2f%%", 100*m.Rank1, 100*m.MAP)
}

func rate(imagesPerSecond float64) string {
	if imagesPerSecond < 10 {
		return fmt.Sprintf("%.1f img/s", imagesPerSecond)
	}
	return fmt.Sprintf("%.0f img/s", imagesPerSecond)
}

// ShortDuration is a duration as people say it: "3m12s", "2h05m".
func ShortDuration(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d/time.Hour%24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

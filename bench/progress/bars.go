package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/reidbench/reidbench/results"
)

// Bars is progress on a terminal: a bar for each running job, and a line above the
// bars for whatever has ended.
type Bars struct {
	out       io.Writer
	container *mpb.Progress
	refresh   chan any // asks the container to draw
	shutdown  chan any // closed by the container when it can draw no more
	closing   chan struct{}
	ticking   sync.WaitGroup
	mu        sync.Mutex
	jobs      map[string]*jobBar
}

// refreshInterval is how often the bars are drawn anew.
const refreshInterval = 150 * time.Millisecond

// NewBars draws on the terminal that out is. Close it before writing anything else there.
func NewBars(out io.Writer) *Bars {
	b := &Bars{
		out: out, refresh: make(chan any), shutdown: make(chan any), closing: make(chan struct{}),
		jobs: map[string]*jobBar{},
	}
	b.container = mpb.New(mpb.WithOutput(out), mpb.WithManualRefresh(b.refresh), mpb.WithShutdownNotifier(b.shutdown))
	b.ticking.Go(b.tick)
	return b
}

// tick has the bars drawn at every interval, and at the end until all is drawn: lines and
// the removal of bars come with the next drawing, which mpb by itself leaves out at its end.
func (b *Bars) tick() {
	ticker := time.NewTicker(refreshInterval)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			b.draw(now)
		case <-b.closing:
			for range 3 { // a bar that has ended, its removal, what is left
				b.draw(time.Now())
			}
			return
		}
	}
}

// draw waits until the container takes the request; one that can draw no more takes none.
func (b *Bars) draw(now time.Time) {
	select {
	case b.refresh <- now:
	case <-b.shutdown:
	}
}

// Close removes bars that are still there and leaves the terminal to others.
func (b *Bars) Close() {
	b.mu.Lock()
	for name := range b.jobs {
		b.remove(name)
	}
	b.mu.Unlock()
	close(b.closing)
	b.ticking.Wait()
	b.container.Wait()
}

// Report implements [Reporter].
func (b *Bars) Report(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case e.State == results.StateRunning:
		b.remove(e.Job)
		if job, err := newJobBar(b.container, e); err == nil { // else it has ended, and there are no bars any more
			b.jobs[e.Job] = job
		}
	case e.Kind == Stepped, e.Kind == EpochEnded:
		if job, ok := b.jobs[e.Job]; ok {
			job.show(e)
		}
	case e.Kind == Evaluated: // what stays is the last one, which comes when the job is done
	default:
		b.remove(e.Job)
		if _, err := fmt.Fprintln(b.container, lineStart+line(e)); err != nil {
			fmt.Fprintln(b.out, line(e)) // it has ended: without bars, then
		}
	}
}

// remove takes a job's bar away if it has one. The caller holds the lock.
func (b *Bars) remove(name string) {
	if job, ok := b.jobs[name]; ok {
		job.bar.Abort(true)
		delete(b.jobs, name)
	}
}

// lineStart begins whatever is drawn: after Ctrl-C the cursor is right of the ^C that the
// terminal has printed, where mpb expects the start of a line.
const lineStart = "\r"

// jobBar is a bar and the newest event of its job, which the terminal's goroutine reads.
type jobBar struct {
	bar  *mpb.Bar
	mu   sync.Mutex
	last Event
}

func newJobBar(container *mpb.Progress, e Event) (*jobBar, error) {
	job := &jobBar{last: e}
	column := func(text func(Event) string) decor.Decorator {
		return decor.Any(func(decor.Statistics) string {
			job.mu.Lock()
			defer job.mu.Unlock()
			return text(job.last)
		}, decor.WCSyncSpaceR)
	}
	bar, err := container.Add(int64(e.Steps), mpb.BarStyle().Build(),
		mpb.PrependDecorators(
			column(func(e Event) string { return lineStart + e.Job }),
			column(func(e Event) string { return fmt.Sprintf("epoch %d/%d", e.Epoch, e.Epochs) }),
		),
		mpb.AppendDecorators(
			decor.Percentage(decor.WCSyncSpace),
			column(func(e Event) string {
				if e.State == results.StateRunning {
					return "" // nothing is known yet
				}
				return fmt.Sprintf(" loss %.3f %s %s left", e.Loss, rate(e.ImagesPerSecond), ShortDuration(e.Left))
			}),
		),
	)
	if err != nil {
		return nil, err
	}
	bar.SetCurrent(int64(e.Step))
	job.bar = bar
	return job, nil
}

func (j *jobBar) show(e Event) {
	j.mu.Lock()
	j.last = e
	j.mu.Unlock()
	// A full bar is complete for mpb; this one still has its evaluation before it.
	j.bar.SetCurrent(int64(min(e.Step, e.Steps-1)))
}

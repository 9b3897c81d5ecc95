// Package tensorboard shows trainings in TensorBoard: it writes a job's log, as it comes about, into event files that
// TensorBoard reads.
//
// What is there to be shown is in the log; an event file is made of it and of nothing else. A process that takes a
// training up begins a file of its own, whose name sorts after those of earlier ones, and says in it from which step on
// they count no longer (SessionLog.START, see docs/runs.md). What they lack of the log it writes first.
package tensorboard

import (
	"os"
	"time"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// A Board is the event file of a training under way.
type Board struct {
	file *os.File
	now  func() time.Time
}

// Open begins an event file in dir, which is made if need be, for a training whose log so far is logged.
func Open(dir string, logged []store.Entry, now func() time.Time) (*Board, error) {
	files, shown, err := shownIn(dir)
	if err != nil {
		return nil, err
	}
	return open(dir, files, shown, logged, now)
}

// Complete writes into dir what its event files lack of the log of a training that is over, if they lack anything.
func Complete(dir string, logged []store.Entry, now func() time.Time) error {
	files, shown, err := shownIn(dir)
	if err != nil || shown == extentOfLog(logged) {
		return err
	}
	b, err := open(dir, files, shown, logged, now)
	if err != nil {
		return err
	}
	return b.Close()
}

// shownIn are the event files in dir, and how far they go.
func shownIn(dir string) ([]string, extent, error) {
	files, err := eventFiles(dir)
	if err != nil {
		return nil, extent{}, err
	}
	shown, err := extentOf(files)
	return files, shown, err
}

// extentOfLog is how far the event files of a log go that lack nothing.
func extentOfLog(logged []store.Entry) extent {
	var e extent
	for _, entry := range logged {
		if entry.Step != e.step {
			e = extent{step: entry.Step}
		}
		e.events++
	}
	return e
}

func open(dir string, files []string, shown extent, logged []store.Entry, now func() time.Time) (*Board, error) {
	began := now()
	file, err := create(dir, files, began)
	if err != nil {
		return nil, err
	}
	b := &Board{file: file, now: now}
	// The step that training goes on after is written again with all that the log has of it: the evaluation there may
	// be one that will be made once more.
	from := min(shown.step, extentOfLog(logged).step)
	records := appendRecord(nil, versionEvent(began))
	records = appendRecord(records, startEvent(began, from))
	for i, at := range timesOf(logged, began) {
		if logged[i].Step >= from {
			records = appendRecord(records, entryEvent(logged[i], at))
		}
	}
	if _, err := file.Write(records); err != nil {
		file.Close()
		return nil, err
	}
	return b, nil
}

// timesOf are the times of entries. The log has none; they are counted back from its end by the seconds that each
// process had been at work, which begin at zero with every process.
func timesOf(logged []store.Entry, end time.Time) []time.Time {
	times := make([]time.Time, len(logged))
	next := 0.0 // seconds at work, of the entry after
	for i := len(logged) - 1; i >= 0; i-- {
		seconds := 0.0
		if t := logged[i].Timing; t != nil {
			seconds = t.Seconds
		}
		if i < len(logged)-1 {
			passed := next - seconds
			if passed < 0 {
				passed = next
			}
			end = end.Add(-time.Duration(passed * float64(time.Second)))
		}
		times[i], next = end, seconds
	}
	return times
}

// Add appends an entry of the log. After an error nothing more should be added.
func (b *Board) Add(e store.Entry) error {
	_, err := b.file.Write(appendRecord(nil, entryEvent(e, b.now())))
	return err
}

// Close closes the file.
func (b *Board) Close() error { return b.file.Close() }

// entryEvent is an entry of the log as an event.
func entryEvent(e store.Entry, at time.Time) []byte {
	var scalars []scalar
	switch e.Event {
	case store.StepEntry:
		scalars = []scalar{{"Train/loss", e.Loss}, {"Train/lr", e.LR}}
		if e.Timing != nil {
			scalars = append(scalars, scalar{"Train/img_per_s", e.Timing.ImagesPerSecond})
		}
	case store.EpochEntry:
		scalars = []scalar{{"Epoch/loss", e.Loss}, {"Epoch/correct", e.Correct}}
	case store.EvaluationEntry:
		scalars = metricScalars("Test/", e.Metrics)
	}
	return scalarsEvent(at, e.Step, scalars)
}

// metricScalars are the accuracies of an evaluation, from 0 to 1.
func metricScalars(group string, m *results.Metrics) []scalar {
	if m == nil {
		return nil
	}
	scalars := []scalar{{group + "Rank-1", m.Rank1}, {group + "mAP", m.MAP}, {group + "mINP", m.MINP}}
	return append(scalars, metricScalars("Test re-ranked/", m.Reranked)...)
}

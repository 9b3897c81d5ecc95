package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/regular"
)

// MetricsFile is the name of a job's log: one JSON object a line, appended to as
// training goes on. Only what stands under "timing" differs between two runs of one
// seed.
const MetricsFile = "metrics.jsonl"

// An EntryKind says what an entry is about.
type EntryKind string

// The kinds of entries.
const (
	StepEntry       EntryKind = "step"
	EpochEntry      EntryKind = "epoch"      // at an epoch's end
	EvaluationEntry EntryKind = "evaluation" // after the entry of its epoch
)

// start is how the line of an entry of the kind begins: Event is an Entry's first field.
func (k EntryKind) start() []byte { return fmt.Appendf(nil, `{"event":%q,`, k) }

// Entry is a line of the log.
type Entry struct {
	Event EntryKind `json:"event"`
	Stage string    `json:"stage"` // "classifier" or "everything"
	Epoch int       `json:"epoch"` // from 1, both stages together
	Step  int       `json:"step"`  // steps done, both stages together
	LR    float64   `json:"lr"`
	Loss  float64   `json:"loss,omitempty"` // of the step's batch; the epoch's mean
	// Correct is the share of the epoch's images whose most likely class was theirs.
	Correct float64          `json:"correct,omitempty"`
	Metrics *results.Metrics `json:"metrics,omitempty"` // of an evaluation
	Timing  *Timing          `json:"timing,omitempty"`
}

// Timing is what a line of the log tells about speed.
type Timing struct {
	ImagesPerSecond float64 `json:"img_per_s"`
	Seconds         float64 `json:"seconds"` // since this process took the job up
	SecondsLeft     float64 `json:"seconds_left"`
}

// A Log appends to a job's log. The first failure is kept and returned by [Log.Sync].
type Log struct {
	file *os.File
	size int64
	err  error
}

// OpenLog opens the log for appending after its first size bytes; what comes after
// them was written after the checkpoint that training goes on from.
func (f Folder) OpenLog(size int64) (*Log, error) {
	if err := regular.Check(f.path(MetricsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := os.OpenFile(f.path(MetricsFile), os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	l := &Log{file: file, size: size}
	if err := l.rewind(); err != nil {
		file.Close()
		return nil, err
	}
	return l, nil
}

func (l *Log) rewind() error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < l.size {
		return fmt.Errorf("%s has %d bytes, but %d when the checkpoint was written: it has been shortened",
			l.file.Name(), info.Size(), l.size)
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	_, err = l.file.Seek(l.size, 0)
	return err
}

// Add appends a line.
func (l *Log) Add(e Entry) {
	if l.err != nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil {
		l.err = fmt.Errorf("write %s: %w", l.file.Name(), err)
		return
	}
	l.size += int64(len(line)) + 1
}

// Sync makes the lines durable and returns how many bytes they are.
func (l *Log) Sync() (int64, error) {
	if l.err != nil {
		return 0, l.err
	}
	return l.size, l.file.Sync()
}

// Close leaves the log as it is.
func (l *Log) Close() error { return l.file.Close() }

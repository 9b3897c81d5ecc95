package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/results"
)

// MetricsFile is the name of a job's log: one JSON object a line, appended to as
// training goes on. Only what stands under "timing" differs between two runs of one
// seed.
const MetricsFile = "metrics.jsonl"

// Entry is a line of the log.
type Entry struct {
	Event   string           `json:"event"` // "step", "epoch" or "evaluation"
	Stage   string           `json:"stage"` // "classifier" or "everything"
	Epoch   int              `json:"epoch"` // from 1, both stages together
	Step    int              `json:"step"`  // steps done, both stages together
	LR      float64          `json:"lr"`
	Loss    float64          `json:"loss,omitempty"`    // of the step's batch; the epoch's mean
	Correct float64          `json:"correct,omitempty"` // share of the epoch's images whose most likely class was theirs
	Metrics *results.Metrics `json:"metrics,omitempty"` // of an evaluation
	Timing  *Timing          `json:"timing,omitempty"`
}

// Timing is what a line of the log tells about speed.
type Timing struct {
	ImagesPerSecond float64 `json:"img_per_s"`
	Seconds         float64 `json:"seconds"` // since this process took the job up
	SecondsLeft     float64 `json:"seconds_left"`
}

// metricsLog appends to the log. The first failure is kept and returned by sync.
type metricsLog struct {
	file *os.File
	size int64
	err  error
}

// openMetrics opens the log in dir for appending after its first size bytes; what
// stands behind them was written after the checkpoint that training goes on from.
func openMetrics(dir string, size int64) (*metricsLog, error) {
	f, err := os.OpenFile(filepath.Join(dir, MetricsFile), os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	l := &metricsLog{file: f, size: size}
	if err := l.rewind(); err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

func (l *metricsLog) rewind() error {
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

// add appends a line.
func (l *metricsLog) add(e Entry) {
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

// sync makes the lines durable and returns how many bytes they are.
func (l *metricsLog) sync() (int64, error) {
	if l.err != nil {
		return 0, l.err
	}
	return l.size, l.file.Sync()
}

func (l *metricsLog) close() error { return l.file.Close() }

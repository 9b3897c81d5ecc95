package results

import (
	"errors"
	"fmt"
)

// Inference is what using a model costs on a machine, as measured there.
type Inference struct {
	Threads   int     `json:"threads"`
	Precision string  `json:"precision"` // of large products: "fp32" or "bf16"
	Latency   Latency `json:"latency_ms"`
	// PlannedBytes is what the program for one image takes, with its weights.
	PlannedBytes int64 `json:"planned_bytes"`
	// ImagesPerSecond is the throughput in batches of Batch images.
	Batch             int     `json:"batch"`
	ImagesPerSecond   float64 `json:"images_per_second"`
	BatchPlannedBytes int64   `json:"batch_planned_bytes"` // what the program for such a batch takes, with its weights
	// PeakBytes is how much more the process came to hold than before; 0: not known.
	PeakBytes   int64       `json:"peak_bytes,omitempty"`
	WaitedShare WaitedShare `json:"waited_share,omitempty"`
}

// WaitedShare is that of the time of a measurement's threads in which they were ready and waited for a CPU, from 0 to
// 1: other work had it, or there are more threads than CPUs. 0 also where it is not known.
type WaitedShare float64

// Disturbed says how much of the time that was, "" where it was as little as on a machine that does nothing else.
func (s WaitedShare) Disturbed() string {
	if s < 0.05 {
		return ""
	}
	return fmt.Sprintf("%.0f %% of the time", 100*s)
}

// Latency is the time of one image over some runs, in milliseconds: half of them, nine tenths and 99 of 100 took no
// longer.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Runs int     `json:"runs"`
}

// validate refuses what nobody can have measured.
func (i Inference) validate() error {
	l := i.Latency
	for _, v := range []float64{l.P50, l.P90, l.P99, i.ImagesPerSecond} {
		if !(v > 0) || v > maxCount {
			return fmt.Errorf("%v is no time and no rate", v)
		}
	}
	if l.P50 > l.P90 || l.P90 > l.P99 {
		return errors.New("the percentiles of the latency fall")
	}
	for _, count := range []int{i.Threads, l.Runs, i.Batch} {
		if count < 1 || count > maxCount {
			return fmt.Errorf("%d is no number of threads, runs or images", count)
		}
	}
	for _, bytes := range []int64{i.PlannedBytes, i.BatchPlannedBytes, i.PeakBytes} {
		if bytes < 0 || bytes > maxCount {
			return fmt.Errorf("%d is no amount of memory", bytes)
		}
	}
	if !(i.WaitedShare >= 0 && i.WaitedShare <= 1) {
		return fmt.Errorf("%v is no share of the time", i.WaitedShare)
	}
	return nil
}

// Inference is what using the line's model costs: as [Report.Measure] was told, or else as the first run that has
// measured it says; nil: not known.
func (l *Line) Inference() *Inference {
	if l.Measured != nil {
		return l.Measured
	}
	if r := l.measuring(); r != nil {
		return r.Inference
	}
	return nil
}

// measuring is the first run that has measured what using the model costs; nil: none has.
func (l *Line) measuring() *Record {
	for _, r := range l.done() {
		if r.Inference != nil {
			return r
		}
	}
	return nil
}

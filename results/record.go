package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// Format names the layout of a record; a record of another format is refused.
const Format = "reidbench-result/1"

// Record is one model's finished run, written as result.json in the model's folder once nothing is left to do.
type Record struct {
	Format  string  `json:"format"`
	Model   string  `json:"model"`
	Row     string  `json:"row,omitempty"` // the published row it reproduces; empty beside the tables
	State   State   `json:"status"`
	Reason  string  `json:"reason,omitempty"` // why it failed
	Recipe  Recipe  `json:"recipe"`
	Seed    uint64  `json:"seed"`
	Dataset Dataset `json:"dataset"`
	Machine Machine `json:"machine"`
	// Pretrained is the file of published weights that the run began with; nil: random ones.
	Pretrained *Pretrained `json:"pretrained,omitempty"`
	// Teacher is what it learned from; nil: it is not distilled, or the record is from before that was recorded.
	Teacher *Teacher `json:"teacher,omitempty"`
	// Images is what it saw of the dataset; nil: nothing, or the record is from before that was recorded.
	Images *Images `json:"images,omitempty"`
	// Weights is the SHA-256 of what it has come to; "" unless it is done, or from before that was recorded.
	Weights string `json:"weights_sha256,omitempty"`
	Cost    Cost   `json:"cost"`
	Epochs  int    `json:"epochs"` // trained in all stages
	// Loss is how far it has fallen; nil: nothing was trained, or the record is from before that was recorded.
	Loss *LossRange `json:"loss,omitempty"`
	// Initial is the evaluation before the first step, without re-ranking; nil: there was none, as it would have cost
	// much of a budget, or the record is from before there were any.
	Initial *Metrics `json:"initial,omitempty"`
	// Final is the last evaluation, the one that is reported; nil where the run failed before it.
	Final  *Metrics `json:"final,omitempty"`
	Best   *Best    `json:"best,omitempty"`
	Memory Memory   `json:"memory"`
	// Inference is what using the model costs on the machine; nil: not measured.
	Inference *Inference `json:"inference,omitempty"`
	Timing    Timing     `json:"timing"`

	// Queries are what the queries of the last evaluation have found, from the file beside the record; none: not known,
	// for the reason in NoQueries where there is a file.
	Queries   Queries `json:"-"`
	NoQueries string  `json:"-"`
}

// Recipe is a named set of training settings with every value resolved.
type Recipe struct {
	Name   string         `json:"name"`
	Values map[string]any `json:"values"`
}

// NewRecipe takes the values from any struct or map that encodes as a JSON object.
func NewRecipe(name string, values any) (Recipe, error) {
	r := Recipe{Name: name}
	data, err := json.Marshal(values)
	if err == nil {
		err = decodeStrictly(bytes.NewReader(data), &r.Values)
	}
	if err != nil {
		return Recipe{}, fmt.Errorf("recipe %s: %w", name, err)
	}
	return r, nil
}

// Dataset identifies the images a run saw.
type Dataset struct {
	Name        string `json:"name"`
	Layout      string `json:"layout,omitempty"` // of its names; "": the record is from before that was recorded
	Fingerprint string `json:"fingerprint"`
	Synthetic   bool   `json:"synthetic"`
	Identities  int    `json:"identities"` // in the training split
	Train       int    `json:"train"`      // images
	Query       int    `json:"query"`
	Gallery     int    `json:"gallery"`
}

// Pretrained is a file of weights, by its name without a folder and its digest.
type Pretrained struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Source string `json:"source,omitempty"` // whose it was said to be
}

// Machine is where a run was computed.
type Machine struct {
	CPU   string `json:"cpu"`
	ISA   string `json:"isa"`
	Cores int    `json:"cores"`
	Go    string `json:"go"`
	OS    string `json:"os"`
	Arch  string `json:"arch"`
}

// Metrics is one evaluation under the Market-1501 protocol; every value is a fraction of 1.
type Metrics struct {
	Rank1  float64 `json:"rank1"`
	Rank5  float64 `json:"rank5"`
	Rank10 float64 `json:"rank10"`
	MAP    float64 `json:"map"`
	MINP   float64 `json:"minp,omitempty"` // mean inverse negative penalty; 0: not known
	// TrapezoidMAP is the mean of average precisions by the trapezoid rule; 0: not asked for.
	TrapezoidMAP float64   `json:"map_trapezoid,omitempty"`
	CMC          []float64 `json:"cmc,omitempty"` // CMC[k-1] is Rank-k
	// Tied is the share of gallery images that are exactly as far from a query as one of its matches, of those that
	// are none: see [SuspiciousTies]. It is of the last evaluation; 0: none, or from before that was recorded.
	Tied float64 `json:"tied,omitempty"`
	// Intervals are of the last evaluation; nil: of another one, or the record is from before there were any.
	Intervals *Intervals `json:"intervals,omitempty"`
	// Reranked is the same evaluation after re-ranking; nil: not re-ranked.
	Reranked *Metrics `json:"reranked,omitempty"`
}

// LossRange has the loss of the first and of the last training step, each the mean over its batch.
type LossRange struct {
	First float64 `json:"first"`
	Last  float64 `json:"last"`
}

// Best is the evaluation with the highest mAP of a run, and the epoch after which it was made.
type Best struct {
	Epoch int `json:"epoch"`
	Metrics
}

// Cost is what one 256×128 image costs a model, counted exactly and as the published table counts.
type Cost struct {
	Params      int64 `json:"params"`       // all parameters but the final classifier's
	MACs        int64 `json:"macs"`         // convolutions and linear layers
	MatmulMACs  int64 `json:"matmul_macs"`  // products of activations, as in attention
	PaperParams int64 `json:"paper_params"` // under the published counting
	PaperMACs   int64 `json:"paper_macs"`
}

// Memory compares the plan with what the process took at most.
type Memory struct {
	PlannedBytes int64 `json:"planned_bytes"`
	PeakBytes    int64 `json:"peak_bytes"`
}

// Timing is the part of a record that differs when the same run is repeated.
type Timing struct {
	Started         time.Time `json:"started"`
	Finished        time.Time `json:"finished"`
	WallSeconds     float64   `json:"wall_seconds"`      // 0: not known, other work ran beside it
	ImagesPerSecond float64   `json:"images_per_second"` // in training; 0: not known
}

// maxRecordBytes bounds what parseRecord reads; a record with a CMC of ten thousand ranks has a quarter of it.
const maxRecordBytes = 1 << 20

// maxCount keeps the scaled integers that reports are rounded with far from overflow.
const maxCount = 1e15

// parseRecord reads one record and refuses what Validate refuses, unknown fields, trailing data and more than 1 MiB. A
// record of an older version lacks fields, which is well; one of a newer version may have others, which nobody should
// take for less than it says.
func parseRecord(r io.Reader) (Record, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRecordBytes+1))
	if err != nil {
		return Record{}, err
	}
	if len(data) > maxRecordBytes {
		return Record{}, fmt.Errorf("record is larger than %d bytes", maxRecordBytes)
	}
	var record Record
	if err := decodeStrictly(bytes.NewReader(data), &record); err != nil {
		if strings.Contains(err.Error(), "unknown field") { // encoding/json has no other name for it
			err = fmt.Errorf("%w; a newer version may have written it", err)
		}
		return Record{}, err
	}
	return record, record.Validate()
}

// Validate reports whether a record can stand in a report.
func (r Record) Validate() error {
	if r.Format != Format {
		return fmt.Errorf("format is %q, want %q", r.Format, Format)
	}
	if r.Model == "" {
		return errors.New("no model name")
	}
	if r.Row != "" {
		if _, ok := Find(r.Row); !ok {
			return fmt.Errorf("no published row is called %q", r.Row)
		}
	}
	switch {
	case r.State == StateDone && r.Final == nil:
		return errors.New("done, but without final metrics")
	case r.State == StateDone && r.Reason != "":
		return errors.New("done, but with a reason for failing")
	case r.State == StateFailed && r.Reason == "":
		return errors.New("failed, but without a reason")
	case r.State != StateDone && r.State != StateFailed:
		return fmt.Errorf("unknown status %q", r.State)
	}
	if l := r.Loss; l != nil && !(l.First >= 0 && l.Last >= 0 && !math.IsInf(l.First+l.Last, 0)) {
		return fmt.Errorf("a loss that is none: %v", *l)
	}
	if r.Initial != nil {
		if err := r.Initial.validate(); err != nil {
			return fmt.Errorf("initial metrics: %w", err)
		}
	}
	if r.Final != nil {
		if err := r.Final.validate(); err != nil {
			return fmt.Errorf("final metrics: %w", err)
		}
	}
	if r.Best != nil {
		if err := r.Best.validate(); err != nil {
			return fmt.Errorf("best metrics: %w", err)
		}
		if r.Best.Epoch < 0 || r.Best.Epoch > r.Epochs {
			return fmt.Errorf("best epoch %d of %d", r.Best.Epoch, r.Epochs)
		}
	}
	if r.Images != nil {
		if err := r.Images.validate(); err != nil {
			return err
		}
	}
	if r.Inference != nil {
		if err := r.Inference.validate(); err != nil {
			return fmt.Errorf("inference: %w", err)
		}
	}
	d, c, m, t := r.Dataset, r.Cost, r.Memory, r.Timing
	for _, count := range []int64{
		int64(r.Epochs), int64(r.Machine.Cores),
		int64(d.Identities), int64(d.Train), int64(d.Query), int64(d.Gallery),
		c.Params, c.MACs, c.MatmulMACs, c.PaperParams, c.PaperMACs, m.PlannedBytes, m.PeakBytes,
	} {
		if count < 0 {
			return fmt.Errorf("a count is negative: %d", count)
		}
		if count > maxCount {
			return fmt.Errorf("a count is beyond belief: %d", count)
		}
	}
	if t.WallSeconds < 0 || t.ImagesPerSecond < 0 {
		return errors.New("a time or a rate is negative")
	}
	return nil
}

func (m Metrics) validate() error {
	for _, v := range append([]float64{m.Rank1, m.Rank5, m.Rank10, m.MAP, m.MINP, m.TrapezoidMAP, m.Tied}, m.CMC...) {
		if math.IsNaN(v) || v < 0 || v > 1 {
			return fmt.Errorf("%v is not a fraction of 1", v)
		}
	}
	if m.Intervals != nil {
		if err := m.Intervals.validate(); err != nil {
			return err
		}
	}
	if r := m.Reranked; r != nil {
		if r.Reranked != nil {
			return errors.New("re-ranked twice")
		}
		if err := r.validate(); err != nil {
			return fmt.Errorf("re-ranked: %w", err)
		}
	}
	return nil
}

// decodeStrictly reads one JSON value and nothing after it. Numbers without a Go type keep their digits.
func decodeStrictly(r io.Reader, into any) error {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("data after the record")
	}
	return nil
}

package results

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// InferenceQuantity is a figure of an [Inference] that reports and charts show.
type InferenceQuantity struct {
	Key   string // as in JSON: "latency_ms"
	Title string // "Latency (ms)"
	of    func(*Inference) float64
}

// The quantities of inference.
var (
	LatencyP50 = InferenceQuantity{"latency_ms", "Latency (ms)",
		func(i *Inference) float64 { return i.Latency.P50 }}
	Throughput = InferenceQuantity{"throughput", "Infer (img/s)",
		func(i *Inference) float64 { return i.ImagesPerSecond }}
	InferenceMemory = InferenceQuantity{"inference_mib", "Memory (MiB)",
		func(i *Inference) float64 { return float64(i.PlannedBytes) / (1 << 20) }}
)

// InferenceQuantities lists them.
func InferenceQuantities() []InferenceQuantity {
	return []InferenceQuantity{LatencyP50, Throughput, InferenceMemory}
}

// Of is the quantity of a line, 0 if it is not known.
func (q InferenceQuantity) Of(l *Line) float64 {
	if i := l.Inference(); i != nil {
		return q.of(i)
	}
	return 0
}

// Text is the quantity of a line with three digits, and no fewer than stand before the point; "" if it is not known.
func (q InferenceQuantity) Text(l *Line) string { return significant(q.Of(l)) }

// significant prints three digits of what is above 0, and no fewer than stand before the point.
func significant(v float64) string {
	if !(v > 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', min(max(2-int(math.Floor(math.Log10(v))), 0), 4), 64)
}

// inferenceFields are all that was measured, empty where nothing was.
func inferenceFields() []csvField {
	var fields []csvField
	for _, f := range []struct {
		name string
		of   func(*Inference) float64
	}{
		{"latency_p50_ms", func(i *Inference) float64 { return i.Latency.P50 }},
		{"latency_p90_ms", func(i *Inference) float64 { return i.Latency.P90 }},
		{"latency_p99_ms", func(i *Inference) float64 { return i.Latency.P99 }},
		{"inference_planned_bytes", func(i *Inference) float64 { return float64(i.PlannedBytes) }},
		{"inference_batch", func(i *Inference) float64 { return float64(i.Batch) }},
		{"inference_images_per_second", func(i *Inference) float64 { return i.ImagesPerSecond }},
		{"inference_batch_planned_bytes", func(i *Inference) float64 { return float64(i.BatchPlannedBytes) }},
		{"inference_peak_bytes", func(i *Inference) float64 { return float64(i.PeakBytes) }},
		{"inference_threads", func(i *Inference) float64 { return float64(i.Threads) }},
		{"inference_waited_share", func(i *Inference) float64 { return float64(i.WaitedShare) }},
	} {
		fields = append(fields, csvField{f.name, func(l *Line) string {
			i := l.Inference()
			if i == nil || f.of(i) == 0 {
				return ""
			}
			return strconv.FormatFloat(f.of(i), 'f', -1, 64)
		}})
	}
	return fields
}

// inferenceLabel is that of the fact which describeInference states.
const inferenceLabel = "Inference"

// describeInference states how the figures of inference were measured, anew where it has been stated before.
func (r *Report) describeInference() {
	r.Setup = slices.DeleteFunc(r.Setup, func(f Fact) bool { return f.Label == inferenceLabel })
	var ways []string
	var measured []Measured
	for l := range r.lines {
		i := l.Inference()
		if i == nil {
			continue
		}
		on := r.measuredOn
		if l.Measured == nil {
			on = l.measuring().Machine.String()
		}
		way := fmt.Sprintf("of %d, %d threads, %s, on %s", i.Batch, i.Threads, i.Precision, on)
		if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
		measured = append(measured, Measured{Model: l.Model, Inference: *i})
	}
	if len(ways) == 0 {
		return
	}
	text := "median latency and planned memory of one image, images a second in batches " + strings.Join(ways, "; or ")
	if disturbed := DescribeDisturbed(measured); disturbed != "" {
		text += "; " + disturbed
	}
	r.Setup = append(r.Setup, Fact{inferenceLabel, text})
}

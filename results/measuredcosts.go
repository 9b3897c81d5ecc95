package results

// MeasuredCost is a cost of a line's model that was measured, in training or in use.
type MeasuredCost struct {
	Key    string // as in CSV and JSON: "latency_ms"
	Title  string // "Latency (ms)"
	legend string // what it is
	yields int    // as a column
	of     func(*Line) float64
}

// MeasuredCosts lists them, those that answer first at the head.
func MeasuredCosts() []MeasuredCost {
	inference := func(q InferenceQuantity, yields int, legend string) MeasuredCost {
		return MeasuredCost{q.Key, q.Title, legend, yields, q.Of}
	}
	percentile := func(key, title string, yields int, of func(Latency) float64) MeasuredCost {
		q := InferenceQuantity{key, title, func(i *Inference) float64 { return of(i.Latency) }}
		return inference(q, detail+yields, "")
	}
	return []MeasuredCost{
		inference(LatencyP50, 3, "Latency: of one image, the median. "),
		percentile("latency_p90_ms", "p90 (ms)", 2, func(l Latency) float64 { return l.P90 }),
		percentile("latency_p99_ms", "p99 (ms)", 3, func(l Latency) float64 { return l.P99 }),
		inference(Throughput, 6, "Infer: images a second in batches. "),
		TrainingSpeed,
		inference(InferenceMemory, 7, "Memory: in use, for one image, weights included. "),
		TrainingMemory,
	}
}

// The costs of training, over a line's runs the mean.
var (
	TrainingSpeed = MeasuredCost{"images_per_second", "Train (img/s)", "Train: images a second in training. ", 8,
		func(l *Line) float64 { return l.meanOf(func(r *Record) float64 { return r.Timing.ImagesPerSecond }) }}
	TrainingMemory = MeasuredCost{"training_mib", "Training (MiB)", "", detail + 1, func(l *Line) float64 {
		return l.meanOf(func(r *Record) float64 { return float64(r.Memory.PeakBytes) / (1 << 20) })
	}}
)

// Of is the cost of a line, 0 if it is not known.
func (q MeasuredCost) Of(l *Line) float64 { return q.of(l) }

// Text is the cost of a line with three digits, and no fewer than stand before the point; "" if it is not known.
func (q MeasuredCost) Text(l *Line) string { return significant(q.of(l)) }

// meanOf is the mean of a figure over the line's runs that are done and know it, 0 if there is none.
func (l *Line) meanOf(figure func(*Record) float64) float64 {
	var values []float64
	for _, r := range l.done() {
		if v := figure(r); v > 0 {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0
	}
	return mean(values)
}

package html

import (
	"math"
	"strconv"

	"github.com/reidbench/reidbench/results"
)

// chartData is what the scripts draw from.
type chartData struct {
	Models []chartModel `json:"models"`
	Curves []chartCurve `json:"curves"`
	// Compared: some of ours stand beside the published, as like with like.
	Compared bool `json:"compared"`
}

// chartModel is one line's place in the scatter plot: by quantity, percent, millions, billions, images and GiB.
type chartModel struct {
	Model     string             `json:"model"`
	Kind      string             `json:"kind"`
	State     string             `json:"state"`
	Published map[string]float64 `json:"published"`
	Ours      map[string]float64 `json:"ours"`
	Deviation map[string]float64 `json:"deviation"`
	// Interval has both ends of 95 % intervals of ours.
	Interval map[string][2]float64 `json:"interval"`
}

// chartCurve is how one line's runs have learned.
type chartCurve struct {
	Model  string     `json:"model"`
	Epochs int        `json:"epochs"`
	Runs   []chartRun `json:"runs"`
}

type chartRun struct {
	Seed    uint64        `json:"seed"`
	Loss    []chartSample `json:"loss"`
	Correct []chartSample `json:"correct"` // percent, as the following
	MAP     []chartSample `json:"map"`
	Rank1   []chartSample `json:"rank1"`
}

type chartSample [2]chartNumber

// chartNumber is written with four digits: nobody sees more in a chart, and the page stays small.
type chartNumber float64

func (v chartNumber) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(v), 'g', 4, 64), nil
}

func (p Page) data(lines []line) chartData {
	d := chartData{Curves: []chartCurve{}} // a script has no use for null
	for _, l := range lines {
		d.Compared = d.Compared || l.Compared()
		d.Models = append(d.Models, newChartModel(l))
		curve := chartCurve{Model: l.Model}
		for _, r := range l.runs {
			curve.Epochs = max(curve.Epochs, r.Epochs)
			curve.Runs = append(curve.Runs, chartRun{
				Seed: r.Seed, Loss: thinned(r.Loss, 1), Correct: thinned(r.Correct, 100),
				MAP: thinned(r.MAP, 100), Rank1: thinned(r.Rank1, 100),
			})
		}
		if len(curve.Runs) > 0 {
			d.Curves = append(d.Curves, curve)
		}
	}
	return d
}

func newChartModel(l line) chartModel {
	m := chartModel{
		Model: l.Model, Kind: l.kind, State: l.state.Class(),
		Published: map[string]float64{}, Ours: map[string]float64{}, Deviation: map[string]float64{},
		Interval: map[string][2]float64{},
	}
	set := func(into map[string]float64, key, printed string) {
		if v, err := strconv.ParseFloat(printed, 64); err == nil {
			into[key] = v
		}
	}
	for _, q := range append(l.Accuracy(), l.Costs()...) {
		set(m.Published, q.Key, q.Published)
		set(m.Ours, q.Key, q.Ours)
		set(m.Deviation, q.Key, q.Deviation)
		low, errLow := strconv.ParseFloat(q.Low, 64)
		high, errHigh := strconv.ParseFloat(q.High, 64)
		if errLow == nil && errHigh == nil {
			m.Interval[q.Key] = [2]float64{low, high}
		}
	}
	for _, key := range []string{"images_per_second", "memory"} {
		mean, deviation, n := measurementOf(key).statistics(l)
		if n > 0 {
			m.Ours[key] = mean
		}
		if n > 1 {
			m.Deviation[key] = deviation
		}
	}
	for _, q := range results.InferenceQuantities() {
		if v := q.Of(l.Line); v > 0 { // it costs the same by whomever the accuracy is
			m.Ours[q.Key] = v
			m.Published[q.Key] = v
		}
	}
	return m
}

// mostSamples of a curve are more than a chart has pixels to show.
const mostSamples = 160

// thinned takes evenly spaced samples of a curve, its first and last among them, in units of 1/scale. Values that are
// no number have no place in a chart.
func thinned(curve []Sample, scale float64) []chartSample {
	var finite []Sample
	for _, s := range curve {
		if !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0) {
			finite = append(finite, s)
		}
	}
	n := min(len(finite), mostSamples)
	samples := make([]chartSample, 0, n)
	for i := range n {
		s := finite[i*(len(finite)-1)/max(n-1, 1)]
		samples = append(samples, chartSample{chartNumber(s.Epoch), chartNumber(scale * s.Value)})
	}
	return samples
}

// Package plots draws the comparison's accuracy against its cost: mAP and Rank-1 against MACs and against params, the
// published figures and ours in one chart, each with its Pareto front. Ours has a 95 % interval where that is known;
// over several seeds it is the mean, with a bar of one standard deviation. The same data gives the same bytes.
package plots

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/statistics"
)

// Value is one side of a point.
type Value struct {
	ParamsM float64 // millions
	MACsG   float64 // billions, for one image
	Rank1   float64 // percent
	MAP     float64 // percent

	Rank1SD, MAPSD float64 // their standard deviations over seeds; 0: of a single run
	// Their 95 % intervals; the zero value: not known.
	Rank1Interval, MAPInterval Interval
}

// Interval has both ends in percent.
type Interval struct{ Low, High float64 }

func (i Interval) known() bool { return i != Interval{} }

func percents(i statistics.Interval) Interval { return Interval{100 * i.Low, 100 * i.High} }

// Point is one model; a side that is not known is nil.
type Point struct {
	Name      string
	Published *Value
	Ours      *Value
}

// Comparison is what the charts show.
type Comparison struct {
	Points []Point
	Ours   string // our side in the legend, such as "ours (quick, synthetic data)"; empty for "ours"
}

// FromReport takes the published figures of every row, and ours of every run that is done and whose cost is known.
func FromReport(report *results.Report) Comparison {
	var c Comparison
	origins := make(map[string]bool)
	for _, table := range report.Tables {
		for _, line := range table.Lines {
			p := Point{Name: line.Model}
			if row := line.Published; row != nil {
				p.Published = &Value{
					ParamsM: row.ParamsM.Value(), MACsG: row.MACsG.Value(), Rank1: row.Rank1.Value(),
					MAP: row.MAP.Value(),
				}
			}
			if m := line.Metrics(); m != nil && line.Cost != nil {
				p.Ours = &Value{
					ParamsM: float64(line.Cost.PaperParams) / 1e6, MACsG: float64(line.Cost.PaperMACs) / 1e9,
					Rank1: 100 * m.Rank1, MAP: 100 * m.MAP,
				}
				if sd := line.Deviation(); sd != nil {
					p.Ours.Rank1SD, p.Ours.MAPSD = 100*sd.Rank1, 100*sd.MAP
				}
				if i := line.Intervals(); i != nil {
					p.Ours.Rank1Interval, p.Ours.MAPInterval = percents(i.Rank1), percents(i.MAP)
				}
				run := line.Record()
				c.Ours = fmt.Sprintf("ours (%s recipe, %s)", run.Recipe.Name, datasetName(run.Dataset))
				origins[c.Ours] = true
			}
			if p.Published != nil || p.Ours != nil {
				c.Points = append(c.Points, p)
			}
		}
	}
	if len(origins) > 1 {
		c.Ours = "ours (runs of several kinds)"
	}
	return c
}

func datasetName(d results.Dataset) string {
	if d.Synthetic {
		return "synthetic data"
	}
	return d.Name
}

// quantity is an axis.
type quantity struct {
	file, title, label string
	of                 func(Value) float64
	deviation          func(Value) float64  // nil: it has none
	interval           func(Value) Interval // nil: it has none
}

var (
	accuracies = []quantity{
		{"map", "mAP", "mAP (%)", func(v Value) float64 { return v.MAP },
			func(v Value) float64 { return v.MAPSD }, func(v Value) Interval { return v.MAPInterval }},
		{"rank1", "Rank-1", "Rank-1 (%)", func(v Value) float64 { return v.Rank1 },
			func(v Value) float64 { return v.Rank1SD }, func(v Value) Interval { return v.Rank1Interval }},
	}
	costs = []quantity{
		{"macs", "MACs", "MACs (G)", func(v Value) float64 { return v.MACsG }, nil, nil},
		{"params", "parameters", "Params (M)", func(v Value) float64 { return v.ParamsM }, nil, nil},
	}
)

// ErrNothingToPlot is returned by Render where no point has a side.
var ErrNothingToPlot = errors.New("nothing to plot")

// Render writes the four charts into dir, which it creates, as PNG and SVG: map-macs.png, map-macs.svg, rank1-macs.png
// and so on. It returns the paths written.
func Render(dir string, c Comparison) ([]string, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	var paths []string
	for _, cost := range costs {
		for _, accuracy := range accuracies {
			chart := newChart(c, cost, accuracy)
			for _, format := range []struct {
				extension string
				write     func(io.Writer) error
			}{{".png", chart.png}, {".svg", chart.svg}} {
				path := filepath.Join(dir, accuracy.file+"-"+cost.file+format.extension)
				if err := atomicfile.Write(path, format.write); err != nil {
					return paths, err
				}
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

func (c Comparison) validate() error {
	sides := 0
	for _, p := range c.Points {
		for _, v := range []*Value{p.Published, p.Ours} {
			if v == nil {
				continue
			}
			sides++
			for _, cost := range []float64{v.ParamsM, v.MACsG} {
				if !(cost > 0) || math.IsInf(cost, 0) {
					return fmt.Errorf("plot %s: a cost of %v has no place on a logarithmic axis", p.Name, cost)
				}
			}
			for _, accuracy := range []float64{
				v.Rank1, v.MAP, v.Rank1SD, v.MAPSD,
				v.Rank1Interval.Low, v.Rank1Interval.High, v.MAPInterval.Low, v.MAPInterval.High,
			} {
				if !(accuracy >= 0 && accuracy <= 100) {
					return fmt.Errorf("plot %s: %v is not percent", p.Name, accuracy)
				}
			}
		}
	}
	if sides == 0 {
		return ErrNothingToPlot
	}
	return nil
}

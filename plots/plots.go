// Package plots draws the comparison's accuracy against its cost: mAP and Rank-1 against MACs and against params, and
// where inference was measured against its latency and throughput, each side with its Pareto front: the published
// figures and ours in one chart where like is compared with like, and each in charts of their own elsewhere. Ours has a
// 95 % interval where that is known; over several seeds it is the mean, with a bar of one standard deviation. The same
// data gives the same bytes.
package plots

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

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

	LatencyMS  float64 // of one image, measured; 0: not known
	Throughput float64 // images a second, measured; 0: not known

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
	Apart  bool   // the sides are unlike: accuracies of one say nothing about those of the other
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
				c.Apart = c.Apart || line.Published != nil && !line.Compared()
			}
			for _, v := range []*Value{p.Published, p.Ours} {
				if v != nil { // it costs the same by whomever the accuracy is
					v.LatencyMS, v.Throughput = results.LatencyP50.Of(&line), results.Throughput.Of(&line)
				}
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
	more               bool                 // is better, of a cost
}

var (
	accuracies = []quantity{
		{"map", "mAP", "mAP (%)", func(v Value) float64 { return v.MAP },
			func(v Value) float64 { return v.MAPSD }, func(v Value) Interval { return v.MAPInterval }, false},
		{"rank1", "Rank-1", "Rank-1 (%)", func(v Value) float64 { return v.Rank1 },
			func(v Value) float64 { return v.Rank1SD }, func(v Value) Interval { return v.Rank1Interval }, false},
	}
	costs = []quantity{
		{file: "macs", title: "MACs", label: "MACs (G)", of: func(v Value) float64 { return v.MACsG }},
		{file: "params", title: "parameters", label: "Params (M)",
			of: func(v Value) float64 { return v.ParamsM }},
	}
	// measured are costs that not all points have, or none.
	measured = []quantity{
		{file: "latency", title: "latency", label: "Latency of one image, measured (ms)",
			of: func(v Value) float64 { return v.LatencyMS }},
		{file: "throughput", title: "throughput", label: "Inference, measured (images a second)",
			of: func(v Value) float64 { return v.Throughput }, more: true},
	}
)

// ErrNothingToPlot is returned by Render where no point has a side.
var ErrNothingToPlot = errors.New("nothing to plot")

// Render writes all charts into dir, which it creates, as PNG and SVG: map-macs.png, map-macs.svg, rank1-macs.png and
// so on, those against latency and throughput where some point has them; ours-map-macs.png and so on where our side
// stands apart. It returns the paths written.
func Render(dir string, c Comparison) ([]string, error) {
	return c.renderSides(dir, accuracies, slices.Concat(costs, measured))
}

// RenderAnswer writes the charts that answer first, as Render would: mAP against latency, or against MACs where no
// latency was measured. The first of the paths is that of a PNG.
func RenderAnswer(dir string, c Comparison) ([]string, error) {
	cost := costs[0]
	if len(c.knowing(measured[0]).Points) > 0 {
		cost = measured[0]
	}
	return c.renderSides(dir, accuracies[:1], []quantity{cost})
}

// renderSides writes a chart of each accuracy against each cost, or two where our side stands apart.
func (c Comparison) renderSides(dir string, accuracies, costs []quantity) ([]string, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if !c.Apart {
		return c.render(dir, "", accuracies, costs)
	}
	paths, err := c.side(false).render(dir, "", accuracies, costs)
	if err != nil {
		return paths, err
	}
	ours, err := c.side(true).render(dir, "ours-", accuracies, costs)
	return append(paths, ours...), err
}

// render writes charts, their names behind a prefix.
func (c Comparison) render(dir, prefix string, accuracies, costs []quantity) (paths []string, err error) {
	for _, cost := range costs {
		known := c.knowing(cost)
		if len(known.Points) == 0 {
			continue
		}
		for _, accuracy := range accuracies {
			chart := newChart(known, cost, accuracy)
			for _, format := range []struct {
				extension string
				write     func(io.Writer) error
			}{{".png", chart.png}, {".svg", chart.svg}} {
				path := filepath.Join(dir, prefix+accuracy.file+"-"+cost.file+format.extension)
				if err := atomicfile.Write(path, format.write); err != nil {
					return paths, err
				}
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

// side leaves out the other side.
func (c Comparison) side(ours bool) Comparison {
	c.Points = slices.Clone(c.Points)
	for i := range c.Points {
		if ours {
			c.Points[i].Published = nil
		} else {
			c.Points[i].Ours = nil
		}
	}
	return c
}

// knowing leaves out what has no such cost.
func (c Comparison) knowing(cost quantity) Comparison {
	var points []Point
	for _, p := range c.Points {
		for _, side := range []**Value{&p.Published, &p.Ours} {
			if *side != nil && cost.of(**side) == 0 {
				*side = nil
			}
		}
		if p.Published != nil || p.Ours != nil {
			points = append(points, p)
		}
	}
	c.Points = points
	return c
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
			for _, cost := range []float64{v.LatencyMS, v.Throughput} {
				if !(cost >= 0) || math.IsInf(cost, 0) {
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

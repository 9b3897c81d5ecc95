package plots

import (
	"fmt"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ROCPoint is a point of a receiver operating characteristic, rates in [0, 1].
type ROCPoint struct{ FPR, TPR float64 }

// WriteROC draws a curve in the order of its points, as "png" or "svg": the share of false acceptances, which must not
// be 0, on a logarithmic axis.
func WriteROC(w io.Writer, format, title string, curve []ROCPoint) error {
	if len(curve) == 0 {
		return fmt.Errorf("draw a ROC: no points")
	}
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font, p.Title.TextStyle.Color = sans(14, true), ink
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text = "pairs of two people that are accepted, %"
	p.Y.Label.Text = "pairs of one person that are accepted, %"
	p.X.Tick.Marker, p.Y.Tick.Marker = decadeTicks{}, percentTicks{}
	styleAxes(p)

	// The axis is of logarithms: of a logarithmic scale gonum takes the middle, where it makes room for the label, for
	// that of a linear one.
	points := make(plotter.XYs, len(curve))
	for i, at := range curve {
		points[i] = plotter.XY{X: math.Log10(100 * at.FPR), Y: 100 * at.TPR}
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("draw a ROC: %w", err)
	}
	line.Color, line.Width = blue, vg.Points(1.5)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = gridGray, gridGray
	p.Add(grid, line)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = min(points[0].X, 1), 2, 0, 100

	const side = vg.Length(525)
	paint := func(page draw.Canvas) { p.Draw(draw.Crop(page, 12, -24, 12, -12)) }
	switch format {
	case "png":
		return writePNG(w, side, side, paint)
	case "svg":
		return writeSVG(w, side, side, paint)
	}
	return fmt.Errorf("draw a ROC: no format %q", format)
}

// decadeTicks labels powers of ten, and marks the multiples between, on an axis of their logarithms.
type decadeTicks struct{}

func (decadeTicks) Ticks(low, high float64) []plot.Tick {
	const rounding = 1e-9 // of a power, and its logarithm
	var ticks []plot.Tick
	for _, tick := range (logTicks{}).Ticks(math.Pow(10, low-rounding), math.Pow(10, high+rounding)) {
		if tick.Value = math.Log10(tick.Value); math.Abs(tick.Value-math.Round(tick.Value)) > rounding {
			tick.Label = ""
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

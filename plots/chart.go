package plots

import (
	"bytes"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The smallest chart is 1400×900 pixels; one with more labels than fit grows.
const (
	width, height = vg.Length(1050), vg.Length(675) // points
	dpi           = 96
	growth        = 1.15
	largest       = 2.0
)

// chart is one accuracy against one cost, laid out and ready to be drawn.
type chart struct {
	title         string
	series        []series
	plot          *plot.Plot
	width, height vg.Length
	area          vg.Rectangle // the data's
	layout        layout
}

// layout is where the data's parts are in the area.
type layout struct {
	markers  []disc // all series' points in order; so are labels and placed
	labels   []label
	placed   []placement
	bars     []*segment   // of one standard deviation, as markers; nil: none
	ranges   []*segment   // 95 % intervals, as markers; nil: none
	fronts   [][]vg.Point // one per series
	overlaps int
}

func newChart(comparison Comparison, cost, accuracy quantity) *chart {
	ours := comparison.Ours
	if ours == "" {
		ours = "ours"
	}
	c := &chart{title: accuracy.title + " against " + cost.title}
	for _, s := range []series{
		newSeries("published (Market-1501)", false, comparison.Points, cost, accuracy),
		newSeries(ours, true, comparison.Points, cost, accuracy),
	} {
		if len(s.points) > 0 {
			c.series = append(c.series, s)
		}
	}
	label := accuracy.label
	if c.some(func(m mark) bool { return m.interval.known() }) {
		label += ", ours with 95 % intervals over people"
	}
	if c.some(func(m mark) bool { return m.deviation > 0 }) {
		label += ", ours the mean ± sd over seeds"
	}
	c.plot = c.axes(cost.label, label)
	for scale := vg.Length(1); ; scale *= growth {
		c.width, c.height = vg.Length(math.Round(float64(width*scale))), vg.Length(math.Round(float64(height*scale)))
		c.arrange()
		if c.layout.overlaps == 0 || scale*growth > largest {
			return c
		}
	}
}

// some reports whether a mark of either series is like that.
func (c *chart) some(like func(mark) bool) bool {
	return slices.ContainsFunc(c.series, func(s series) bool { return slices.ContainsFunc(s.points, like) })
}

// axes makes the empty plot around the data.
func (c *chart) axes(xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	low, high := sample{math.Inf(1), math.Inf(1)}, sample{math.Inf(-1), math.Inf(-1)}
	for _, s := range c.series {
		for _, m := range s.points {
			least, most := m.reach()
			low = sample{min(low.cost, m.cost), min(low.accuracy, least)}
			high = sample{max(high.cost, m.cost), max(high.accuracy, most)}
		}
	}
	margin := math.Pow(high.cost/low.cost, 0.06) * 1.12
	p.X.Min, p.X.Max = low.cost/margin, high.cost*margin
	room := 0.06*(high.accuracy-low.accuracy) + 1
	p.Y.Min, p.Y.Max = low.accuracy-room, high.accuracy+room

	p.X.Scale = plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = logTicks{}, percentTicks{}
	p.X.Label.Text, p.Y.Label.Text = xLabel, yLabel
	styleAxes(p)
	return p
}

// styleAxes gives axes the look of all charts.
func styleAxes(p *plot.Plot) {
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(12, false)
		axis.Label.TextStyle.Color = ink
		axis.Label.Padding = vg.Points(6)
		axis.Tick.Label.Font = sans(10, false)
		axis.Tick.Label.Color = ink
		axis.Tick.LineStyle = draw.LineStyle{Color: pencil, Width: vg.Points(0.6)}
		axis.LineStyle = draw.LineStyle{Color: pencil, Width: vg.Points(0.6)}
		axis.Padding = 0
	}
}

// Margins around the axes, in points; the head holds title and legend.
const (
	margin     = vg.Length(14)
	headHeight = vg.Length(52)
)

// arrange places everything for the chart's size.
func (c *chart) arrange() {
	c.area = c.plot.DataCanvas(c.inner(draw.Canvas{Rectangle: c.page()})).Rectangle
	transform := func(s sample) vg.Point {
		return vg.Point{
			X: c.area.Min.X + vg.Length(c.plot.X.Norm(s.cost))*c.area.Size().X,
			Y: c.area.Min.Y + vg.Length(c.plot.Y.Norm(s.accuracy))*c.area.Size().Y,
		}
	}
	c.layout = layout{}
	var strokes []segment
	for _, s := range c.series {
		for _, m := range s.points {
			marker := s.room(transform(m.sample), markerRadius(m.params))
			c.layout.markers = append(c.layout.markers, marker)
			c.layout.labels = append(c.layout.labels, newLabel(m, marker))
			bar := func(there bool, low, high float64) *segment {
				if !there {
					return nil
				}
				s := segment{transform(sample{m.cost, low}), transform(sample{m.cost, high})}
				strokes = append(strokes, s)
				return &s
			}
			c.layout.bars = append(c.layout.bars,
				bar(m.deviation > 0, m.accuracy-m.deviation, m.accuracy+m.deviation))
			c.layout.ranges = append(c.layout.ranges,
				bar(m.interval.known(), m.interval.Low, m.interval.High))
		}
		stairs := s.stairs(transform, c.area)
		c.layout.fronts = append(c.layout.fronts, stairs)
		for i := 1; i < len(stairs); i++ {
			strokes = append(strokes, segment{stairs[i-1], stairs[i]})
		}
	}
	c.layout.placed, c.layout.overlaps = placeLabels(c.layout.labels, strokes, c.area)
}

// stairs is the best accuracy to be had at each cost, from the front's cheapest point to the edge where all is dearer.
func (s series) stairs(transform func(sample) vg.Point, area vg.Rectangle) []vg.Point {
	var line []vg.Point
	for _, i := range s.front {
		p := transform(s.points[i].sample)
		if len(line) > 0 {
			line = append(line, vg.Point{X: p.X, Y: line[len(line)-1].Y})
		}
		line = append(line, p)
	}
	edge := area.Max.X
	if s.more {
		edge = area.Min.X
	}
	return append(line, vg.Point{X: edge, Y: line[len(line)-1].Y})
}

func (c *chart) page() vg.Rectangle { return vg.Rectangle{Max: vg.Point{X: c.width, Y: c.height}} }

// inner is the page less its margins and head.
func (c *chart) inner(page draw.Canvas) draw.Canvas {
	return draw.Crop(page, margin, -margin, margin, -margin-headHeight)
}

func newLabel(m mark, marker disc) label {
	return label{
		text:   m.name,
		width:  textWidth(labelFont(m), m.name) + 2*labelPadding,
		height: (ascent+descent)*labelFont(m).Size + 2*labelPadding,
		marker: marker,
	}
}

// Room for a label's type: how far capitals rise above the baseline and descenders hang below it, as parts of the size.
const (
	ascent, descent = 0.74, 0.21
	labelPadding    = vg.Length(1)
)

// labelFont sets what is on a Pareto front in bold.
func labelFont(m mark) font.Font { return sans(9, m.onFront) }

func sans(size vg.Length, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = fontBold
	}
	return f
}

func (c *chart) png(w io.Writer) error { return writePNG(w, c.width, c.height, c.draw) }

func (c *chart) svg(w io.Writer) error { return writeSVG(w, c.width, c.height, c.draw) }

func writePNG(w io.Writer, width, height vg.Length, paint func(draw.Canvas)) error {
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	paint(draw.New(canvas))
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

// writeSVG names the fonts that have the widths of the one the layout was made with, for viewers that lack it.
func writeSVG(w io.Writer, width, height vg.Length, paint func(draw.Canvas)) error {
	canvas := vgsvg.New(width, height)
	paint(draw.New(canvas))
	var page bytes.Buffer
	if _, err := canvas.WriteTo(&page); err != nil {
		return err
	}
	_, err := w.Write(bytes.ReplaceAll(page.Bytes(),
		[]byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")))
	return err
}

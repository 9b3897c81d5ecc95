package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// series is one side of the comparison: the published figures or ours.
type series struct {
	name   string
	ours   bool
	more   bool // of the cost is better
	points []mark
	front  []int // indices of points, from the best cost on
}

// mark is one point of a series.
type mark struct {
	sample
	name      string
	deviation float64  // of the accuracy; 0: no error bar
	interval  Interval // of the accuracy
	params    float64  // millions; the marker's area
	onFront   bool
}

// newSeries takes one side of all points that have it.
func newSeries(name string, ours bool, points []Point, cost, accuracy quantity) series {
	s := series{name: name, ours: ours, more: cost.more}
	var samples []sample
	for _, p := range points {
		v := p.Published
		if ours {
			v = p.Ours
		}
		if v == nil {
			continue
		}
		m := mark{
			sample: sample{cost.of(*v), accuracy.of(*v)}, name: p.Name,
			deviation: accuracy.deviation(*v), interval: accuracy.interval(*v), params: v.ParamsM,
		}
		s.points = append(s.points, m)
		if cost.more {
			samples = append(samples, sample{-m.cost, m.accuracy})
		} else {
			samples = append(samples, m.sample)
		}
	}
	s.front = paretoFront(samples)
	for _, i := range s.front {
		s.points[i].onFront = true
	}
	return s
}

// The two hues stay apart for every kind of colour vision (Okabe and Ito, "Color Universal Design", 2008); shape and
// line style say the same again without colour.
var (
	blue      = color.NRGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}
	vermilion = color.NRGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}
	ink       = color.NRGBA{R: 0x22, G: 0x22, B: 0x22, A: 0xff}
	pencil    = color.NRGBA{R: 0x77, G: 0x77, B: 0x77, A: 0xff}
	gridGray  = color.NRGBA{R: 0xe4, G: 0xe4, B: 0xe4, A: 0xff}
)

func (s series) color() color.NRGBA {
	if s.ours {
		return vermilion
	}
	return blue
}

// textColor is the hue dark enough for small type on white.
func (s series) textColor() color.NRGBA {
	if s.ours {
		return color.NRGBA{R: 0x9a, G: 0x3f, B: 0x00, A: 0xff}
	}
	return ink
}

func (s series) frontStyle() draw.LineStyle {
	style := draw.LineStyle{Color: translucent(s.color(), 0xb0), Width: vg.Points(1.4)}
	if !s.ours {
		style.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
	}
	return style
}

// outline is the marker's shape around the center: a circle for published figures, a diamond of the same area for ours.
func (s series) outline(center vg.Point, radius vg.Length) vg.Path {
	var p vg.Path
	if !s.ours {
		p.Move(center.Add(vg.Point{X: radius}))
		p.Arc(center, radius, 0, 2*math.Pi)
		p.Close()
		return p
	}
	d := diamondReach(radius)
	p.Move(center.Add(vg.Point{X: d}))
	p.Line(center.Add(vg.Point{Y: d}))
	p.Line(center.Sub(vg.Point{X: d}))
	p.Line(center.Sub(vg.Point{Y: d}))
	p.Close()
	return p
}

// room is the disc that the marker keeps clear of labels.
func (s series) room(center vg.Point, radius vg.Length) disc {
	if s.ours {
		radius = diamondReach(radius)
	}
	return disc{center, radius + markerStroke}
}

const markerStroke = vg.Length(0.9)

// diamondReach is half the diagonal of the square with the area of a circle.
func diamondReach(radius vg.Length) vg.Length { return radius * vg.Length(math.Sqrt(math.Pi/2)) }

func (s series) drawMarker(c draw.Canvas, center vg.Point, radius vg.Length) {
	path := s.outline(center, radius)
	c.SetColor(translucent(s.color(), 0x55))
	c.Fill(path)
	c.SetLineStyle(draw.LineStyle{Color: s.color(), Width: markerStroke})
	c.Stroke(path)
}

// drawDeviation draws a broad bar.
func (s series) drawDeviation(c draw.Canvas, bar segment) {
	const breadth = vg.Length(4)
	style := draw.LineStyle{Color: translucent(s.color(), 0x70), Width: breadth}
	c.StrokeLine2(style, bar.a.X, bar.a.Y, bar.b.X, bar.b.Y)
}

// drawInterval draws a whisker with caps.
func (s series) drawInterval(c draw.Canvas, bar segment) {
	const cap = vg.Length(2.5)
	style := draw.LineStyle{Color: s.color(), Width: markerStroke}
	c.StrokeLine2(style, bar.a.X, bar.a.Y, bar.b.X, bar.b.Y)
	for _, end := range []vg.Point{bar.a, bar.b} {
		c.StrokeLine2(style, end.X-cap, end.Y, end.X+cap, end.Y)
	}
}

// reach is how far down and up the mark's bars go.
func (m mark) reach() (low, high float64) {
	low, high = m.accuracy-m.deviation, m.accuracy+m.deviation
	if m.interval.known() {
		low, high = min(low, m.interval.Low), max(high, m.interval.High)
	}
	return low, high
}

func translucent(c color.NRGBA, alpha uint8) color.NRGBA {
	c.A = alpha
	return c
}

// markerRadius makes the area proportional to the params.
func markerRadius(paramsM float64) vg.Length {
	const at100M = 15 // points
	return vg.Length(at100M * math.Sqrt(paramsM/100))
}

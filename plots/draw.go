package plots

import (
	"fmt"
	"image/color"
	"slices"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const fontBold = xfont.WeightBold

// draw paints the whole page.
func (c *chart) draw(page draw.Canvas) {
	page.SetColor(color.White)
	page.Fill(page.Rectangle.Path())
	c.drawHead(page)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = gridGray, gridGray
	inner := c.inner(page)
	area := draw.Canvas{Canvas: page.Canvas, Rectangle: c.area}
	grid.Plot(area, c.plot)
	background := c.plot.BackgroundColor
	c.plot.BackgroundColor = nil // what is drawn already stays
	c.plot.Draw(inner)
	c.plot.BackgroundColor = background
	c.drawData(area)
}

// drawData paints fronts, bars, markers, leaders and labels, in this order.
func (c *chart) drawData(area draw.Canvas) {
	for i, s := range c.series {
		area.StrokeLines(s.frontStyle(), c.layout.fronts[i])
	}
	type item struct {
		series
		mark
		at int // in the layout
	}
	var items []item
	for _, s := range c.series {
		for _, m := range s.points {
			items = append(items, item{s, m, len(items)})
		}
	}
	for _, i := range items {
		if bar := c.layout.bars[i.at]; bar != nil {
			i.drawDeviation(area, *bar)
		}
		if bar := c.layout.ranges[i.at]; bar != nil {
			i.drawInterval(area, *bar)
		}
	}
	largestFirst := slices.Clone(items)
	slices.SortStableFunc(largestFirst, func(a, b item) int {
		switch {
		case a.params > b.params:
			return -1
		case a.params < b.params:
			return 1
		}
		return 0
	})
	for _, i := range largestFirst {
		i.drawMarker(area, c.layout.markers[i.at].center, markerRadius(i.params))
	}
	for _, i := range items {
		if l := c.layout.placed[i.at].leader; l != nil {
			from := c.layout.markers[i.at].center // where markers overlap, their edges would not tell them apart
			style := draw.LineStyle{Color: translucent(i.textColor(), 0xa0), Width: vg.Points(0.6)}
			area.StrokeLine2(style, from.X, from.Y, l.b.X, l.b.Y)
		}
	}
	for _, i := range items {
		box := c.layout.placed[i.at].box
		f := labelFont(i.mark)
		corner := vg.Point{X: box.Min.X + labelPadding, Y: box.Min.Y + labelPadding + descent*f.Size}
		writeLine(area, f, i.textColor(), corner, i.mark.name)
	}
}

// drawHead writes the title and, below it, what the signs mean.
func (c *chart) drawHead(page draw.Canvas) {
	x, y := c.area.Min.X, page.Max.Y-margin-14
	writeLine(page, sans(15, true), ink, vg.Point{X: x, Y: y}, c.title)
	const size, gap = 10, 18
	y -= 24
	text := func(s string) {
		f := sans(size, false)
		writeLine(page, f, ink, vg.Point{X: x, Y: y}, s)
		x += textWidth(f, s) + gap
	}
	middle := y + 0.35*size
	for _, s := range c.series {
		s.drawMarker(page, vg.Point{X: x + 6, Y: middle}, 5)
		x += 17
		text(s.name)
	}
	for _, s := range c.series {
		page.StrokeLine2(s.frontStyle(), x, middle, x+26, middle)
		x += 32
		side := "published"
		if s.ours {
			side = "ours"
		}
		text(fmt.Sprintf("Pareto front, %s (bold)", side))
	}
	for _, m := range []float64{5, 25, 100} {
		r := markerRadius(m)
		path := series{}.outline(vg.Point{X: x + r, Y: middle}, r)
		page.SetLineStyle(draw.LineStyle{Color: pencil, Width: markerStroke})
		page.Stroke(path)
		x += 2*r + 5
		text(fmt.Sprintf("%.0f M params", m))
	}
}

// writeLine draws text from the baseline's left end.
func writeLine(c draw.Canvas, f font.Font, ink color.Color, at vg.Point, text string) {
	c.SetColor(ink)
	c.FillString(font.DefaultCache.Lookup(f, f.Size), at, text)
}

func textWidth(f font.Font, text string) vg.Length {
	face := font.DefaultCache.Lookup(f, f.Size)
	return face.Width(text)
}

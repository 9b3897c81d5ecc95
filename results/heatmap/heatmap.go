// Package heatmap draws where a network looks over the image that it looks at, as torchreid does.
package heatmap

import (
	"image"
	"image/color"
	"math"

	"github.com/reidbench/reidbench/results"
)

// Over draws a map over an image of any size: 3 parts of the image and 7 of the map in colours, as torchreid's
// tools/visualize_actmap.py does. The map's least value is blue and its greatest red, whatever they are.
func Over(img image.Image, m results.Heatmap) image.Image {
	const share = 0.7 // of the map
	bounds := img.Bounds()
	drawn := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	pixels := resize(m, bounds.Dy(), bounds.Dx())
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			under := color.RGBAModel.Convert(img.At(bounds.Min.X+x, bounds.Min.Y+y)).(color.RGBA)
			over := jet(pixels[y*bounds.Dx()+x])
			mix := func(a, b uint8) uint8 { return uint8((1-share)*float64(a) + share*float64(b)) }
			drawn.SetRGBA(x, y, color.RGBA{mix(under.R, over.R), mix(under.G, over.G), mix(under.B, over.B), 0xff})
		}
	}
	return drawn
}

// resize spreads a map over an image's pixels, in rows: between the middles of places bilinear, beyond them constant,
// as OpenCV's resize does. Then the least becomes 0 and the greatest 1.
func resize(m results.Heatmap, height, width int) []float64 {
	rows, columns := taps(m.Height, height), taps(m.Width, width)
	value := func(y, x int) float64 { return m.Values[y*m.Width+x] }
	pixels, least, most := make([]float64, 0, height*width), math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		for _, c := range columns {
			upper := (1-c.share)*value(r.first, c.first) + c.share*value(r.first, c.second)
			lower := (1-c.share)*value(r.second, c.first) + c.share*value(r.second, c.second)
			v := (1-r.share)*upper + r.share*lower
			pixels, least, most = append(pixels, v), min(least, v), max(most, v)
		}
	}
	for i := range pixels {
		pixels[i] = (pixels[i] - least) / max(most-least, math.SmallestNonzeroFloat64)
	}
	return pixels
}

// A tap is what a pixel takes of two neighbouring places: the share of the second, the rest of the first.
type tap struct {
	first, second int
	share         float64
}

func taps(places, pixels int) []tap {
	all := make([]tap, pixels)
	for i := range all {
		at := (float64(i)+0.5)*float64(places)/float64(pixels) - 0.5
		at = min(max(at, 0), float64(places-1))
		first := int(at)
		all[i] = tap{first, min(first+1, places-1), at - float64(first)}
	}
	return all
}

// jet is the colour map of that name of MATLAB and of OpenCV (COLORMAP_JET): from dark blue over cyan, yellow and red
// to dark red.
func jet(v float64) color.RGBA {
	v = math.Floor(255*v) / 255
	channel := func(centre float64) uint8 {
		return uint8(math.Round(255 * min(max(1.5-math.Abs(4*v-centre), 0), 1)))
	}
	return color.RGBA{R: channel(3), G: channel(2), B: channel(1), A: 0xff}
}

package pedestrian

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// rgb is a colour; each channel is nominally in [0, 1].
type rgb [3]float32

func (c rgb) scale(f float32) rgb { return rgb{c[0] * f, c[1] * f, c[2] * f} }

func blend(a, b rgb, t float32) rgb {
	return rgb{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t, a[2] + (b[2]-a[2])*t}
}

// point is a position on the canvas in pixels, y downwards.
type point struct{ x, y float32 }

// paint gives the colour at a position on the canvas.
type paint func(x, y float32) rgb

func plain(c rgb) paint { return func(_, _ float32) rgb { return c } }

// smooth averages p over a pixel, so that its edges do not turn into stairs.
func smooth(p paint) paint {
	return func(x, y float32) rgb {
		left := blend(p(x-0.25, y-0.25), p(x-0.25, y+0.25), 0.5)
		right := blend(p(x+0.25, y-0.25), p(x+0.25, y+0.25), 0.5)
		return blend(left, right, 0.5)
	}
}

// canvas is an image of floats that shapes are drawn on with soft edges.
type canvas struct {
	w, h   int
	pix    []rgb // [h, w]
	raster vector.Rasterizer
	mask   image.Alpha
}

func newCanvas(w, h int) *canvas { return &canvas{w: w, h: h, pix: make([]rgb, w*h)} }

// cover paints every pixel.
func (c *canvas) cover(p paint) {
	for i := range c.pix {
		c.pix[i] = p(float32(i%c.w)+0.5, float32(i/c.w)+0.5)
	}
}

// fill paints the inside of a closed outline.
func (c *canvas) fill(outline []point, opacity float32, p paint) {
	low, high := outline[0], outline[0]
	for _, q := range outline {
		low.x, low.y = min(low.x, q.x), min(low.y, q.y)
		high.x, high.y = max(high.x, q.x), max(high.y, q.y)
	}
	left, top := max(int(math.Floor(float64(low.x))), 0), max(int(math.Floor(float64(low.y))), 0)
	right, bottom := min(int(math.Ceil(float64(high.x))), c.w), min(int(math.Ceil(float64(high.y))), c.h)
	if left >= right || top >= bottom {
		return
	}

	w, h := right-left, bottom-top
	if len(c.mask.Pix) < w*h {
		c.mask.Pix = make([]byte, c.w*c.h)
	}
	mask := image.Alpha{Pix: c.mask.Pix[:w*h], Stride: w, Rect: image.Rect(0, 0, w, h)}
	c.raster.Reset(w, h)
	c.raster.DrawOp = draw.Src
	c.raster.MoveTo(outline[0].x-float32(left), outline[0].y-float32(top))
	for _, q := range outline[1:] {
		c.raster.LineTo(q.x-float32(left), q.y-float32(top))
	}
	c.raster.ClosePath()
	c.raster.Draw(&mask, mask.Rect, image.Opaque, image.Point{})

	for i, coverage := range mask.Pix {
		if coverage == 0 {
			continue
		}
		x, y := left+i%w, top+i/w
		at := &c.pix[y*c.w+x]
		*at = blend(*at, p(float32(x)+0.5, float32(y)+0.5), opacity*float32(coverage)/255)
	}
}

func sin(x float32) float32 { return float32(math.Sin(float64(x))) }
func cos(x float32) float32 { return float32(math.Cos(float64(x))) }
func abs(x float32) float32 { return max(x, -x) }
func floor(x float32) float32 {
	return float32(math.Floor(float64(x)))
}
func hypot(x, y float32) float32 { return float32(math.Hypot(float64(x), float64(y))) }

// ellipse is the outline of an ellipse around center.
func ellipse(center point, rx, ry float32) []point {
	const corners = 24
	outline := make([]point, corners)
	for i := range outline {
		angle := 2 * math.Pi * float32(i) / corners
		outline[i] = point{center.x + rx*cos(angle), center.y + ry*sin(angle)}
	}
	return outline
}

// box is the outline of an upright rectangle around center.
func box(center point, halfWidth, halfHeight float32) []point {
	return []point{
		{center.x - halfWidth, center.y - halfHeight}, {center.x + halfWidth, center.y - halfHeight},
		{center.x + halfWidth, center.y + halfHeight}, {center.x - halfWidth, center.y + halfHeight},
	}
}

// capsule is the outline of a limb from a to b with round ends of radius ra, rb.
func capsule(a, b point, ra, rb float32) []point {
	const corners = 8
	along := float32(math.Atan2(float64(b.y-a.y), float64(b.x-a.x)))
	outline := make([]point, 0, 2*corners+2)
	for i := range corners + 1 {
		angle := along + math.Pi*(0.5+float32(i)/corners)
		outline = append(outline, point{a.x + ra*cos(angle), a.y + ra*sin(angle)})
	}
	for i := range corners + 1 {
		angle := along + math.Pi*(-0.5+float32(i)/corners)
		outline = append(outline, point{b.x + rb*cos(angle), b.y + rb*sin(angle)})
	}
	return outline
}

// texture is smooth noise in [0, 1] with features one unit wide, the same for the
// same key.
func texture(key uint32, x, y float32) float32 {
	x0, y0 := floor(x), floor(y)
	fx, fy := x-x0, y-y0
	fx, fy = fx*fx*(3-2*fx), fy*fy*(3-2*fy)
	i, j := int32(x0), int32(y0)
	top := speckle(key, i, j)*(1-fx) + speckle(key, i+1, j)*fx
	bottom := speckle(key, i, j+1)*(1-fx) + speckle(key, i+1, j+1)*fx
	return top*(1-fy) + bottom*fy
}

// speckle is noise in [0, 1) without any relation between neighbours.
func speckle(key uint32, i, j int32) float32 {
	h := key ^ uint32(i)*0x9e3779b1 ^ uint32(j)*0x85ebca77
	h = (h ^ h>>15) * 0x2c1b3c6d
	h = (h ^ h>>12) * 0x297a2d39
	h ^= h >> 15
	return float32(h>>8) / (1 << 24)
}

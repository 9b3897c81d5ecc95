package plots

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// disc is the room a marker takes.
type disc struct {
	center vg.Point
	radius vg.Length
}

// segment is a straight stroke.
type segment struct{ a, b vg.Point }

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// touch reports whether a and b overlap or share an edge.
func touch(a, b vg.Rectangle) bool {
	return a.Min.X <= b.Max.X && b.Min.X <= a.Max.X && a.Min.Y <= b.Max.Y && b.Min.Y <= a.Max.Y
}

// around is the smallest rectangle that has all of a and b.
func around(a, b vg.Rectangle) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: min(a.Min.X, b.Min.X), Y: min(a.Min.Y, b.Min.Y)},
		Max: vg.Point{X: max(a.Max.X, b.Max.X), Y: max(a.Max.Y, b.Max.Y)},
	}
}

func within(inner, outer vg.Rectangle) bool {
	return inner.Min.X >= outer.Min.X && inner.Max.X <= outer.Max.X &&
		inner.Min.Y >= outer.Min.Y && inner.Max.Y <= outer.Max.Y
}

// nearest is the point of r that is closest to p.
func nearest(r vg.Rectangle, p vg.Point) vg.Point {
	return vg.Point{X: min(max(p.X, r.Min.X), r.Max.X), Y: min(max(p.Y, r.Min.Y), r.Max.Y)}
}

func (d disc) covers(r vg.Rectangle) bool { return distance(nearest(r, d.center), d.center) < d.radius }

func distance(a, b vg.Point) vg.Length {
	return vg.Length(math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)))
}

// box is the smallest rectangle that has all of s.
func (s segment) box() vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: min(s.a.X, s.b.X), Y: min(s.a.Y, s.b.Y)},
		Max: vg.Point{X: max(s.a.X, s.b.X), Y: max(s.a.Y, s.b.Y)},
	}
}

// distanceTo is how far s passes from p.
func (s segment) distanceTo(p vg.Point) vg.Length {
	d := s.b.Sub(s.a)
	length2 := d.Dot(d)
	if length2 == 0 {
		return distance(s.a, p)
	}
	t := min(max(p.Sub(s.a).Dot(d)/length2, 0), 1)
	return distance(s.a.Add(d.Scale(t)), p)
}

// crosses reports whether two strokes meet.
func (s segment) crosses(t segment) bool {
	return touch(s.box(), t.box()) && side(s, t.a)*side(s, t.b) <= 0 && side(t, s.a)*side(t, s.b) <= 0
}

// side is positive left of s and negative right of it.
func side(s segment, p vg.Point) float64 {
	d, e := s.b.Sub(s.a), p.Sub(s.a)
	return float64(d.X*e.Y - d.Y*e.X)
}

// enters reports whether s has a point in r.
func (s segment) enters(r vg.Rectangle) bool {
	if max(s.a.X, s.b.X) <= r.Min.X || min(s.a.X, s.b.X) >= r.Max.X ||
		max(s.a.Y, s.b.Y) <= r.Min.Y || min(s.a.Y, s.b.Y) >= r.Max.Y {
		return false
	}
	if inside(s.a, r) || inside(s.b, r) {
		return true
	}
	diagonal := segment{r.Min, r.Max}
	other := segment{vg.Point{X: r.Min.X, Y: r.Max.Y}, vg.Point{X: r.Max.X, Y: r.Min.Y}}
	return s.crosses(diagonal) || s.crosses(other)
}

func inside(p vg.Point, r vg.Rectangle) bool {
	return p.X > r.Min.X && p.X < r.Max.X && p.Y > r.Min.Y && p.Y < r.Max.Y
}

package statistics

import "math"

// Scale says which values a figure can have, and on which scale its interval is made.
type Scale int

const (
	// Share is a figure in [0, 1]. Its interval is made of arcsin √x, whose variance hardly depends on x where single
	// queries are hits and misses (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.6).
	Share Scale = iota
	// Difference is one of two shares, in [-1, 1]; its interval is made of it as it is.
	Difference
)

// transform is the figure on its scale, and how fast that grows with the figure; infinitely at the ends of Share.
func (s Scale) transform(x float64) (value, slope float64) {
	if s == Difference {
		return x, 1
	}
	x = min(max(x, 0), 1) // rounding may leave it beyond
	return math.Asin(math.Sqrt(x)), 1 / (2 * math.Sqrt(x*(1-x)))
}

// restore is the inverse of transform, within the figure's range.
func (s Scale) restore(value float64) float64 {
	if s == Difference {
		return min(max(value, -1), 1)
	}
	root := math.Sin(min(max(value, 0), math.Pi/2))
	return root * root
}

// least is the lowest value that the figure can have; the highest is 1.
func (s Scale) least() float64 {
	if s == Difference {
		return -1
	}
	return 0
}

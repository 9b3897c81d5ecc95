package train

import (
	"fmt"
	"math"
	"strconv"
)

// Triplet is the batch-hard triplet loss on features (Hermans et al. 2017, "In Defense of the Triplet Loss for Person
// Re-Identification", §2), the mean over the images that have a positive, another image of the same label, and a
// negative, one of another label. With d₊ the Euclidean distance to the farthest positive and d₋ that to the nearest
// negative, it is log(1 + exp(d₊ − d₋)) if Soft, else max(0, d₊ − d₋ + Margin). The zero value is no loss at all.
type Triplet struct {
	Soft   bool
	Margin float64
}

// The names of values of [Triplet] without a margin.
const (
	noTriplet   = "none"
	softTriplet = "soft"
)

// nearestSquare is the square of a distance below which it has no gradient, as the root has none at 0.
const nearestSquare = 1e-12

// String is the margin, soft or none.
func (l Triplet) String() string {
	switch {
	case l.Soft:
		return softTriplet
	case l.Margin == 0:
		return noTriplet
	}
	return strconv.FormatFloat(l.Margin, 'g', -1, 64)
}

// MarshalText is [Triplet.String].
func (l Triplet) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is the inverse of [Triplet.String]; a margin is positive.
func (l *Triplet) UnmarshalText(text []byte) error {
	switch string(text) {
	case noTriplet:
		*l = Triplet{}
		return nil
	case softTriplet:
		*l = Triplet{Soft: true}
		return nil
	}
	margin, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(margin > 0) || math.IsInf(margin, 0) {
		return fmt.Errorf("a triplet loss is %s, %s or a margin as 0.3, not %q", softTriplet, noTriplet, text)
	}
	*l = Triplet{Margin: margin}
	return nil
}

// Gradient returns the loss of features [n, width] with labels [n], and fills dfeatures with its derivative.
func (l Triplet) Gradient(n, width int, features []float32, labels []int32, dfeatures []float32) float64 {
	clear(dfeatures[:n*width])
	anchors, loss := 0.0, 0.0
	for i := range n {
		if isAnchor(i, labels[:n]) {
			anchors++
		}
	}
	row := func(of []float32, i int) []float32 { return of[i*width:][:width] }
	for i := range n {
		if !isAnchor(i, labels[:n]) {
			continue
		}
		positive, negative := hardest(i, n, width, features, labels)
		own := row(features, i)
		farthest, nearest := between(own, row(features, positive)), between(own, row(features, negative))
		value, slope := l.of(farthest - nearest)
		loss += value / anchors
		slope /= anchors
		pull(own, row(features, positive), row(dfeatures, i), row(dfeatures, positive), slope/farthest, farthest)
		pull(own, row(features, negative), row(dfeatures, i), row(dfeatures, negative), -slope/nearest, nearest)
	}
	return loss
}

// of is the loss of one image whose distances differ by d, and its derivative.
func (l Triplet) of(d float64) (value, slope float64) {
	if l.Soft {
		return max(d, 0) + math.Log1p(math.Exp(-math.Abs(d))), 1 / (1 + math.Exp(-d))
	}
	if d+l.Margin <= 0 {
		return 0, 0
	}
	return d + l.Margin, 1
}

// isAnchor reports whether image i has a positive and a negative.
func isAnchor(i int, labels []int32) bool {
	alike := 0
	for _, label := range labels {
		if label == labels[i] {
			alike++
		}
	}
	return alike > 1 && alike < len(labels)
}

// hardest are the farthest positive and the nearest negative of image i, the first of equals.
func hardest(i, n, width int, features []float32, labels []int32) (positive, negative int) {
	farthest, nearest := -1.0, math.Inf(1)
	for j := range n {
		if j == i {
			continue
		}
		switch d := between(features[i*width:][:width], features[j*width:][:width]); {
		case labels[j] == labels[i] && d > farthest:
			positive, farthest = j, d
		case labels[j] != labels[i] && d < nearest:
			negative, nearest = j, d
		}
	}
	return positive, negative
}

// between is the Euclidean distance, and not below the root of nearestSquare.
func between(a, b []float32) float64 {
	sum := 0.0
	for c := range a {
		d := float64(a[c]) - float64(b[c])
		sum += d * d
	}
	return math.Sqrt(max(sum, nearestSquare))
}

// pull adds slope·(a−b) to the gradient of a, and takes it from that of b.
func pull(a, b, da, db []float32, slope, distance float64) {
	if distance*distance <= nearestSquare {
		return
	}
	for c := range a {
		g := float32(slope * (float64(a[c]) - float64(b[c])))
		da[c] += g
		db[c] -= g
	}
}

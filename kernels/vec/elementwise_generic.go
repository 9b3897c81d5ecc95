package vec

import "github.com/reidbench/reidbench/kernels/act"

// addClampGeneric is y[i] = min(max(a[i]+b[i], lo), hi).
func addClampGeneric(y, a, b []float32, lo, hi float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = act.Clamp(a[i]+b[i], lo, hi)
	}
}

// mulGeneric is y[i] = a[i] * b[i].
func mulGeneric(y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] * b[i]
	}
}

// scaleGeneric is y[i] = s * x[i].
func scaleGeneric(y, x []float32, s float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] = s * x[i]
	}
}

// addScaledGeneric is y[i] = a[i] + s*x[i].
func addScaledGeneric(y, a, x []float32, s float32) {
	a, x = a[:len(y)], x[:len(y)]
	for i := range y {
		y[i] = a[i] + s*x[i]
	}
}

// addRowsFloat64Generic is dst[j] += src[r*row + j], row after row.
func addRowsFloat64Generic(dst []float64, src []float32, row, rows int) {
	for r := range rows {
		for j := range dst {
			dst[j] += float64(src[r*row+j])
		}
	}
}

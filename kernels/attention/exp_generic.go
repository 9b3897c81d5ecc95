package attention

import "math"

// expRowGeneric is y[i] = exp(scale*x[i] - shift), and returns the sum.
func expRowGeneric(y, x []float32, scale, shift float32) float32 {
	x = x[:len(y)]
	var sum float32
	for i, v := range x {
		y[i] = float32(math.Exp(float64(scale)*float64(v) - float64(shift)))
		sum += y[i]
	}
	return sum
}

// maxRowGeneric returns the largest value, -Inf if there is none.
func maxRowGeneric(x []float32) float32 {
	largest := float32(math.Inf(-1))
	for _, v := range x {
		largest = max(largest, v)
	}
	return largest
}

// softmaxSlopeRowGeneric is y[i] = p[i] * (y[i]-delta) * scale.
func softmaxSlopeRowGeneric(y, p []float32, delta, scale float32) {
	for i := range y {
		y[i] = p[i] * ((y[i] - delta) * scale)
	}
}

package attention

import (
	"math"
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// expRow computes y[i] = exp(scale*x[i] - shift) and returns the sum. y may be x.
func expRow(y, x []float32, scale, shift float32) float32 {
	if len(y) == 0 {
		return 0
	}
	x = x[:len(y)]
	mem.RaceRead(x)
	mem.RaceWrite(y)
	switch isa.Active() {
	case isa.AVX512:
		return expRowAVX512(unsafe.SliceData(y), unsafe.SliceData(x), len(y), scale, shift)
	case isa.AVX2:
		return expRowAVX2(unsafe.SliceData(y), unsafe.SliceData(x), len(y), scale, shift)
	}
	return expRowGeneric(y, x, scale, shift)
}

func expRowGeneric(y, x []float32, scale, shift float32) float32 {
	var sum float32
	for i, v := range x {
		y[i] = float32(math.Exp(float64(scale)*float64(v) - float64(shift)))
		sum += y[i]
	}
	return sum
}

// maxRow returns the largest value, -Inf if there is none. A NaN may be returned or passed over.
func maxRow(x []float32) float32 {
	mem.RaceRead(x)
	switch isa.Active() {
	case isa.AVX512:
		return maxRowAVX512(unsafe.SliceData(x), len(x))
	case isa.AVX2:
		return maxRowAVX2(unsafe.SliceData(x), len(x))
	}
	return maxRowGeneric(x)
}

func maxRowGeneric(x []float32) float32 {
	largest := float32(math.Inf(-1))
	for _, v := range x {
		largest = max(largest, v)
	}
	return largest
}

// softmaxSlopeRow turns the gradient of a row of probabilities into that of the scores: y[i] = p[i] * (y[i]-delta) * scale.
func softmaxSlopeRow(y, p []float32, delta, scale float32) {
	p = p[:len(y)]
	mem.RaceRead(p)
	mem.RaceWrite(y)
	switch isa.Active() {
	case isa.AVX512:
		softmaxSlopeRowAVX512(unsafe.SliceData(y), unsafe.SliceData(p), len(y), delta, scale)
	case isa.AVX2:
		softmaxSlopeRowAVX2(unsafe.SliceData(y), unsafe.SliceData(p), len(y), delta, scale)
	default:
		softmaxSlopeRowGeneric(y, p, delta, scale)
	}
}

func softmaxSlopeRowGeneric(y, p []float32, delta, scale float32) {
	for i := range y {
		y[i] = p[i] * ((y[i] - delta) * scale)
	}
}

package attention

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By instruction set; nil for the portable loop.
var (
	expRowKernels = [...]func(y, x *float32, n int, scale, shift float32) float32{
		isa.AVX2: expRowAVX2, isa.AVX512: expRowAVX512,
	}
	maxRowKernels          = [...]func(x *float32, n int) float32{isa.AVX2: maxRowAVX2, isa.AVX512: maxRowAVX512}
	softmaxSlopeRowKernels = [...]func(y, p *float32, n int, delta, scale float32){
		isa.AVX2: softmaxSlopeRowAVX2, isa.AVX512: softmaxSlopeRowAVX512,
	}
)

// expRow is expRowGeneric on the active instruction set. y may be x.
func expRow(y, x []float32, scale, shift float32) float32 {
	kernel := expRowKernels[isa.Active()]
	if kernel == nil {
		return expRowGeneric(y, x, scale, shift)
	}
	if len(y) == 0 {
		return 0
	}
	n := len(y)
	return kernel(mem.Writes(y, n), mem.Reads(x, n), n, scale, shift)
}

// maxRow is maxRowGeneric on the active instruction set. It may return a NaN or pass it over.
func maxRow(x []float32) float32 {
	kernel := maxRowKernels[isa.Active()]
	if kernel == nil {
		return maxRowGeneric(x)
	}
	return kernel(mem.Reads(x, len(x)), len(x))
}

// softmaxSlopeRow is softmaxSlopeRowGeneric on the active instruction set.
func softmaxSlopeRow(y, p []float32, delta, scale float32) {
	kernel := softmaxSlopeRowKernels[isa.Active()]
	if kernel == nil {
		softmaxSlopeRowGeneric(y, p, delta, scale)
		return
	}
	n := len(y)
	kernel(mem.Writes(y, n), mem.Reads(p, n), n, delta, scale)
}

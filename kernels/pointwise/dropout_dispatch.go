package pointwise

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By instruction set; nil for the portable loop.
var dropKernels = [...]func(y, x *float32, n int, state uint64, threshold uint32, keep float32){
	isa.AVX2: dropAVX2, isa.AVX512: dropAVX512,
}

// drop is dropGeneric on the active instruction set.
func drop(y, x []float32, state uint64, threshold uint32, keep float32) {
	y = y[:len(x)]
	kernel := dropKernels[isa.Active()]
	if kernel == nil {
		dropGeneric(y, x, state, threshold, keep)
		return
	}
	n := len(x)
	kernel(mem.Writes(y, n), mem.Reads(x, n), n, state, threshold, keep)
}

package norm

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// The assembly of the sums of a clamp's gradient through a gate.
type gatedClampGradSumsKernel func(
	grad, sumG, sumGX, dy, x, gate, shift, mean, scale, beta *float32, rows, c int, lo, hi float32,
)

// By instruction set; nil for the portable loop.
var batchNormGatedClampGradSumsKernels = [...]gatedClampGradSumsKernel{
	isa.AVX2: batchNormGatedClampGradSumsAVX2, isa.AVX512: batchNormGatedClampGradSumsAVX512,
}

// batchNormGatedGradSums is batchNormGatedGradSumsGeneric on the active instruction set, for clamps and where
// hasNormCurve.
func batchNormGatedGradSums(kind act.Kind, g, sumG, sumGX, dy, x, gate, shift, mean, scale, beta []float32, rows int) {
	clamp := batchNormGatedClampGradSumsKernels[isa.Active()]
	if clamp == nil {
		batchNormGatedGradSumsGeneric(kind, g, sumG, sumGX, dy, x, gate, shift, mean, scale, beta, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, dy, x = g[:rows*c], dy[:rows*c], x[:rows*c]
	sumG, sumGX, gate, shift, scale, beta = sumG[:c], sumGX[:c], gate[:c], shift[:c], scale[:c], beta[:c]
	mem.RaceRead(dy)
	mem.RaceRead(x)
	mem.RaceRead(gate)
	mem.RaceRead(shift)
	mem.RaceRead(mean)
	mem.RaceRead(scale)
	mem.RaceRead(beta)
	mem.RaceWrite(g)
	mem.RaceWrite(sumG)
	mem.RaceWrite(sumGX)
	if lo, hi, ok := kind.Bounds(); ok {
		clamp(unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy),
			unsafe.SliceData(x), unsafe.SliceData(gate), unsafe.SliceData(shift), unsafe.SliceData(mean),
			unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
		return
	}
	normCurves[kind].gated[isa.Active()](unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX),
		unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gate), unsafe.SliceData(shift),
		unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

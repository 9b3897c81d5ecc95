package norm

import (
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
	n := rows * c
	if lo, hi, ok := kind.Bounds(); ok {
		clamp(mem.Writes(g, n), mem.Writes(sumG, c), mem.Writes(sumGX, c), mem.Reads(dy, n), mem.Reads(x, n),
			mem.Reads(gate, c), mem.Reads(shift, c), mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(beta, c), rows,
			c, lo, hi)
		return
	}
	normCurves[kind].gated[isa.Active()](mem.Writes(g, n), mem.Writes(sumG, c), mem.Writes(sumGX, c), mem.Reads(dy, n),
		mem.Reads(x, n), mem.Reads(gate, c), mem.Reads(shift, c), mem.Reads(mean, c), mem.Reads(scale, c),
		mem.Reads(beta, c), rows, c)
}

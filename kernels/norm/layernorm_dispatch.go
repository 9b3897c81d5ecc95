package norm

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By instruction set; nil for the portable loop.
var (
	layerNormRowsKernels = [...]func(y, x, gamma, beta, mean, invstd *float32, rows, c int, eps float32){
		isa.AVX2: layerNormRowsAVX2, isa.AVX512: layerNormRowsAVX512,
	}
	layerNormGradRowsKernels = [...]func(dx, dgamma, dbeta, dy, x, mean, invstd, gamma *float32, rows, c int){
		isa.AVX2: layerNormGradRowsAVX2, isa.AVX512: layerNormGradRowsAVX512,
	}
	layerNormGradAddRowsKernels = [...]func(dx, dgamma, dbeta, dy, x, mean, invstd, gamma, add *float32, rows, c int){
		isa.AVX2: layerNormGradAddRowsAVX2, isa.AVX512: layerNormGradAddRowsAVX512,
	}
)

// layerNormRows is layerNormRowsGeneric on the active instruction set.
func layerNormRows(y, x, gamma, beta, mean, invstd []float32, eps float32) {
	kernel := layerNormRowsKernels[isa.Active()]
	if kernel == nil {
		layerNormRowsGeneric(y, x, gamma, beta, mean, invstd, eps)
		return
	}
	rows, c := len(mean), len(gamma)
	if rows*c == 0 {
		return
	}
	n := rows * c
	kernel(mem.Writes(y, n), mem.Reads(x, n), mem.Reads(gamma, c), mem.Reads(beta, c), mem.Writes(mean, rows),
		mem.Writes(invstd, rows), rows, c, eps)
}

// layerNormGradRows is layerNormGradRowsGeneric on the active instruction set.
func layerNormGradRows(dx, dgamma, dbeta, dy, x, mean, invstd, gamma, add []float32) {
	kernel := layerNormGradRowsKernels[isa.Active()]
	if kernel == nil {
		layerNormGradRowsGeneric(dx, dgamma, dbeta, dy, x, mean, invstd, gamma, add)
		return
	}
	rows, c := len(mean), len(gamma)
	if rows*c == 0 {
		return
	}
	n := rows * c
	if add == nil {
		kernel(mem.Writes(dx, n), mem.Writes(dgamma, c), mem.Writes(dbeta, c), mem.Reads(dy, n), mem.Reads(x, n),
			mem.Reads(mean, rows), mem.Reads(invstd, rows), mem.Reads(gamma, c), rows, c)
		return
	}
	layerNormGradAddRowsKernels[isa.Active()](mem.Writes(dx, n), mem.Writes(dgamma, c), mem.Writes(dbeta, c),
		mem.Reads(dy, n), mem.Reads(x, n), mem.Reads(mean, rows), mem.Reads(invstd, rows), mem.Reads(gamma, c),
		mem.Reads(add, n), rows, c)
}

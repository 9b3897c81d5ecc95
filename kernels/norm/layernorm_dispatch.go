package norm

import (
	"unsafe"

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
	y, x, beta, invstd = y[:rows*c], x[:rows*c], beta[:c], invstd[:rows]
	mem.RaceRead(x)
	mem.RaceRead(gamma)
	mem.RaceRead(beta)
	mem.RaceWrite(y)
	mem.RaceWrite(mean)
	mem.RaceWrite(invstd)
	kernel(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(gamma), unsafe.SliceData(beta),
		unsafe.SliceData(mean), unsafe.SliceData(invstd), rows, c, eps)
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
	dx, dy, x = dx[:rows*c], dy[:rows*c], x[:rows*c]
	dgamma, dbeta, invstd = dgamma[:c], dbeta[:c], invstd[:rows]
	mem.RaceRead(dy)
	mem.RaceRead(x)
	mem.RaceRead(mean)
	mem.RaceRead(invstd)
	mem.RaceRead(gamma)
	mem.RaceWrite(dx)
	mem.RaceWrite(dgamma)
	mem.RaceWrite(dbeta)
	if add == nil {
		kernel(unsafe.SliceData(dx), unsafe.SliceData(dgamma), unsafe.SliceData(dbeta),
			unsafe.SliceData(dy), unsafe.SliceData(x),
			unsafe.SliceData(mean), unsafe.SliceData(invstd), unsafe.SliceData(gamma), rows, c)
		return
	}
	add = add[:rows*c]
	mem.RaceRead(add)
	layerNormGradAddRowsKernels[isa.Active()](unsafe.SliceData(dx), unsafe.SliceData(dgamma), unsafe.SliceData(dbeta),
		unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(invstd),
		unsafe.SliceData(gamma), unsafe.SliceData(add), rows, c)
}

package kernels

import "unsafe"

// By instruction set; nil for the portable loop.
var (
	layerNormRowsKernels = [...]func(y, x, gamma, beta, mean, rstd *float32, rows, c int, eps float32){
		AVX2: layerNormRowsAVX2, AVX512: layerNormRowsAVX512,
	}
	layerNormGradRowsKernels = [...]func(dx, dgamma, dbeta, dy, x, mean, rstd, gamma *float32, rows, c int){
		AVX2: layerNormGradRowsAVX2, AVX512: layerNormGradRowsAVX512,
	}
	layerNormGradAddRowsKernels = [...]func(dx, dgamma, dbeta, dy, x, mean, rstd, gamma, add *float32, rows, c int){
		AVX2: layerNormGradAddRowsAVX2, AVX512: layerNormGradAddRowsAVX512,
	}
)

// layerNormRows is layerNormRowsGeneric on the active instruction set.
func layerNormRows(y, x, gamma, beta, mean, rstd []float32, eps float32) {
	kernel := layerNormRowsKernels[active]
	if kernel == nil {
		layerNormRowsGeneric(y, x, gamma, beta, mean, rstd, eps)
		return
	}
	rows, c := len(mean), len(gamma)
	if rows*c == 0 {
		return
	}
	y, x, beta, rstd = y[:rows*c], x[:rows*c], beta[:c], rstd[:rows]
	raceRead(x)
	raceRead(gamma)
	raceRead(beta)
	raceWrite(y)
	raceWrite(mean)
	raceWrite(rstd)
	kernel(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(gamma), unsafe.SliceData(beta),
		unsafe.SliceData(mean), unsafe.SliceData(rstd), rows, c, eps)
}

// layerNormGradRows is layerNormGradRowsGeneric on the active instruction set.
func layerNormGradRows(dx, dgamma, dbeta, dy, x, mean, rstd, gamma, add []float32) {
	kernel := layerNormGradRowsKernels[active]
	if kernel == nil {
		layerNormGradRowsGeneric(dx, dgamma, dbeta, dy, x, mean, rstd, gamma, add)
		return
	}
	rows, c := len(mean), len(gamma)
	if rows*c == 0 {
		return
	}
	dx, dy, x = dx[:rows*c], dy[:rows*c], x[:rows*c]
	dgamma, dbeta, rstd = dgamma[:c], dbeta[:c], rstd[:rows]
	raceRead(dy)
	raceRead(x)
	raceRead(mean)
	raceRead(rstd)
	raceRead(gamma)
	raceWrite(dx)
	raceWrite(dgamma)
	raceWrite(dbeta)
	if add == nil {
		kernel(unsafe.SliceData(dx), unsafe.SliceData(dgamma), unsafe.SliceData(dbeta),
			unsafe.SliceData(dy), unsafe.SliceData(x),
			unsafe.SliceData(mean), unsafe.SliceData(rstd), unsafe.SliceData(gamma), rows, c)
		return
	}
	add = add[:rows*c]
	raceRead(add)
	layerNormGradAddRowsKernels[active](unsafe.SliceData(dx), unsafe.SliceData(dgamma), unsafe.SliceData(dbeta),
		unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(rstd), unsafe.SliceData(gamma),
		unsafe.SliceData(add), rows, c)
}

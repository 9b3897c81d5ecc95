package norm

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By instruction set; nil for the portable loop.
var batchNormGradSumsKernels = [...]func(sumG, sumGX, grad, x, mean *float32, rows, c, gap int){
	isa.AVX2: batchNormGradSumsAVX2, isa.AVX512: batchNormGradSumsAVX512,
}

// batchNormGradSums is batchNormGradSumsGeneric on the active instruction set.
func batchNormGradSums(sumG, sumGX, g, x, mean []float32, rows, row int) {
	kernel := batchNormGradSumsKernels[isa.Active()]
	if kernel == nil {
		batchNormGradSumsGeneric(sumG, sumGX, g, x, mean, rows, row)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, x = g[:extent(rows, c, row)], x[:rows*c]
	sumG, sumGX = sumG[:c], sumGX[:c]
	mem.RaceRead(g)
	mem.RaceRead(x)
	mem.RaceRead(mean)
	mem.RaceWrite(sumG)
	mem.RaceWrite(sumGX)
	kernel(unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(g), unsafe.SliceData(x),
		unsafe.SliceData(mean), rows, c, gapBytes(c, row))
}

// By whether dx is stored past the caches, and by instruction set; nil for the portable loop.
var (
	batchNormGradRowsKernels = [2][3]func(dx, grad, x, mean, scale, slope, offset *float32, rows, c, dxGap, gap int){
		{isa.AVX2: batchNormGradRowsAVX2, isa.AVX512: batchNormGradRowsAVX512},
		{isa.AVX2: batchNormStreamGradRowsAVX2, isa.AVX512: batchNormStreamGradRowsAVX512},
	}
	batchNormAddGradRowsKernels = [2][3]func(
		dx, grad, x, add, mean, scale, slope, offset *float32, rows, c, dxGap, gap int,
	){
		{isa.AVX2: batchNormAddGradRowsAVX2, isa.AVX512: batchNormAddGradRowsAVX512},
		{isa.AVX2: batchNormAddStreamGradRowsAVX2, isa.AVX512: batchNormAddStreamGradRowsAVX512},
	}
)

// batchNormGradRows is batchNormGradRowsGeneric on the active instruction set. With stream, dx is stored past the
// caches; see [mem.Streams].
func batchNormGradRows(dx, g, x, add, mean, scale, slope, offset []float32, rows, dxRow, row int, stream bool) {
	past := mem.StreamIndex(stream)
	kernel := batchNormGradRowsKernels[past][isa.Active()]
	if kernel == nil {
		batchNormGradRowsGeneric(dx, g, x, add, mean, scale, slope, offset, rows, dxRow, row)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	dx, g, x = dx[:extent(rows, c, dxRow)], g[:extent(rows, c, row)], x[:rows*c]
	scale, slope, offset = scale[:c], slope[:c], offset[:c]
	mem.RaceRead(g)
	mem.RaceRead(x)
	mem.RaceRead(mean)
	mem.RaceRead(scale)
	mem.RaceRead(slope)
	mem.RaceRead(offset)
	mem.RaceWrite(dx)
	if add == nil {
		kernel(unsafe.SliceData(dx), unsafe.SliceData(g), unsafe.SliceData(x), unsafe.SliceData(mean),
			unsafe.SliceData(scale), unsafe.SliceData(slope), unsafe.SliceData(offset),
			rows, c, gapBytes(c, dxRow), gapBytes(c, row))
		return
	}
	add = add[:rows*c]
	mem.RaceRead(add)
	batchNormAddGradRowsKernels[past][isa.Active()](unsafe.SliceData(dx), unsafe.SliceData(g), unsafe.SliceData(x),
		unsafe.SliceData(add), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(slope),
		unsafe.SliceData(offset), rows, c, gapBytes(c, dxRow), gapBytes(c, row))
}

// The assembly of the sums of a clamp's gradient. The second kind also keeps the gradient; the third keeps it and adds
// a residual.
type (
	clampGradSumsKernel     func(sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c, gap int, lo, hi float32)
	keepClampGradSumsKernel func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c, gap int, lo, hi float32)

	addKeepClampGradSumsKernel func(
		grad, sumG, sumGX, dy, x, add, mean, scale, beta *float32, rows, c, gap int, lo, hi float32,
	)
)

// By whether the gradient is stored past the caches where it is kept, and by instruction set; nil for the portable
// loop.
var (
	batchNormClampGradSumsKernels = [...]clampGradSumsKernel{
		isa.AVX2: batchNormClampGradSumsAVX2, isa.AVX512: batchNormClampGradSumsAVX512,
	}
	batchNormKeepClampGradSumsKernels = [2][3]keepClampGradSumsKernel{
		{isa.AVX2: batchNormKeepClampGradSumsAVX2, isa.AVX512: batchNormKeepClampGradSumsAVX512},
		{isa.AVX2: batchNormKeepStreamClampGradSumsAVX2, isa.AVX512: batchNormKeepStreamClampGradSumsAVX512},
	}
	batchNormAddKeepClampGradSumsKernels = [2][3]addKeepClampGradSumsKernel{
		{isa.AVX2: batchNormAddKeepClampGradSumsAVX2, isa.AVX512: batchNormAddKeepClampGradSumsAVX512},
		{isa.AVX2: batchNormAddKeepStreamClampGradSumsAVX2, isa.AVX512: batchNormAddKeepStreamClampGradSumsAVX512},
	}
)

// batchNormClampGradSums is batchNormClampGradSumsGeneric on the active instruction set. With stream, g is stored past
// the caches; see [mem.Streams]. Where there is an add, there must be a g.
func batchNormClampGradSums(
	g, sumG, sumGX, dy, x, add, mean, scale, beta []float32, rows, row int, lo, hi float32, stream bool,
) {
	sum := batchNormClampGradSumsKernels[isa.Active()]
	if sum == nil {
		batchNormClampGradSumsGeneric(g, sumG, sumGX, dy, x, add, mean, scale, beta, rows, row, lo, hi)
		return
	}
	c, past := len(mean), mem.StreamIndex(stream)
	if rows*c == 0 {
		return
	}
	dy, x = dy[:extent(rows, c, row)], x[:rows*c]
	sumG, sumGX, scale, beta = sumG[:c], sumGX[:c], scale[:c], beta[:c]
	mem.RaceRead(dy)
	mem.RaceRead(x)
	mem.RaceRead(mean)
	mem.RaceRead(scale)
	mem.RaceRead(beta)
	mem.RaceWrite(sumG)
	mem.RaceWrite(sumGX)
	if g == nil {
		sum(unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x),
			unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapBytes(c, row), lo, hi)
		return
	}
	g = g[:extent(rows, c, row)]
	mem.RaceWrite(g)
	if add == nil {
		batchNormKeepClampGradSumsKernels[past][isa.Active()](unsafe.SliceData(g), unsafe.SliceData(sumG),
			unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean),
			unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapBytes(c, row), lo, hi)
		return
	}
	add = add[:rows*c]
	mem.RaceRead(add)
	batchNormAddKeepClampGradSumsKernels[past][isa.Active()](unsafe.SliceData(g), unsafe.SliceData(sumG),
		unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(add),
		unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapBytes(c, row), lo, hi)
}

// batchNormCurveGradSums is batchNormCurveGradSumsGeneric on the active instruction set, stored as
// batchNormClampGradSums stores.
func batchNormCurveGradSums(kind act.Kind, g, sumG, sumGX, dy, x, mean, scale, beta []float32, rows int, stream bool) {
	kernel := normCurves[kind].gradSums[mem.StreamIndex(stream)][isa.Active()]
	if kernel == nil {
		batchNormCurveGradSumsGeneric(kind, g, sumG, sumGX, dy, x, mean, scale, beta, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, dy, x = g[:rows*c], dy[:rows*c], x[:rows*c]
	sumG, sumGX, scale, beta = sumG[:c], sumGX[:c], scale[:c], beta[:c]
	mem.RaceRead(dy)
	mem.RaceRead(x)
	mem.RaceRead(mean)
	mem.RaceRead(scale)
	mem.RaceRead(beta)
	mem.RaceWrite(g)
	mem.RaceWrite(sumG)
	mem.RaceWrite(sumGX)
	kernel(unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy),
		unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

// By instruction set; nil for the portable loop.
var batchNormClampGradRowsKernels = [...]func(
	dx, dy, x, mean, scale, beta, slope, offset *float32, rows, c int, lo, hi float32,
){
	isa.AVX2: batchNormClampGradRowsAVX2, isa.AVX512: batchNormClampGradRowsAVX512,
}

// batchNormClampGradRows is batchNormClampGradRowsGeneric on the active instruction set.
func batchNormClampGradRows(dx, dy, x, mean, scale, beta, slope, offset []float32, rows int, lo, hi float32) {
	kernel := batchNormClampGradRowsKernels[isa.Active()]
	if kernel == nil {
		batchNormClampGradRowsGeneric(dx, dy, x, mean, scale, beta, slope, offset, rows, lo, hi)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	dx, dy, x = dx[:rows*c], dy[:rows*c], x[:rows*c]
	scale, beta, slope, offset = scale[:c], beta[:c], slope[:c], offset[:c]
	mem.RaceRead(dy)
	mem.RaceRead(x)
	mem.RaceRead(mean)
	mem.RaceRead(scale)
	mem.RaceRead(beta)
	mem.RaceRead(slope)
	mem.RaceRead(offset)
	mem.RaceWrite(dx)
	kernel(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean),
		unsafe.SliceData(scale), unsafe.SliceData(beta), unsafe.SliceData(slope), unsafe.SliceData(offset),
		rows, c, lo, hi)
}

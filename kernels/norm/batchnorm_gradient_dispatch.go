package norm

import (
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
	kernel(mem.Writes(sumG, c), mem.Writes(sumGX, c), mem.Reads(g, extent(rows, c, row)), mem.Reads(x, rows*c),
		mem.Reads(mean, c), rows, c, gapBytes(c, row))
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
	n, dxGap, gap := rows*c, gapBytes(c, dxRow), gapBytes(c, row)
	to, from := mem.Writes(dx, extent(rows, c, dxRow)), mem.Reads(g, extent(rows, c, row))
	if add == nil {
		kernel(to, from, mem.Reads(x, n), mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(slope, c),
			mem.Reads(offset, c), rows, c, dxGap, gap)
		return
	}
	batchNormAddGradRowsKernels[past][isa.Active()](to, from, mem.Reads(x, n), mem.Reads(add, n),
		mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(slope, c), mem.Reads(offset, c), rows, c, dxGap, gap)
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
	n, span, gap := rows*c, extent(rows, c, row), gapBytes(c, row)
	switch {
	case g == nil:
		sum(mem.Writes(sumG, c), mem.Writes(sumGX, c), mem.Reads(dy, span), mem.Reads(x, n),
			mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(beta, c), rows, c, gap, lo, hi)
	case add == nil:
		batchNormKeepClampGradSumsKernels[past][isa.Active()](mem.Writes(g, span), mem.Writes(sumG, c),
			mem.Writes(sumGX, c), mem.Reads(dy, span), mem.Reads(x, n), mem.Reads(mean, c), mem.Reads(scale, c),
			mem.Reads(beta, c), rows, c, gap, lo, hi)
	default:
		batchNormAddKeepClampGradSumsKernels[past][isa.Active()](mem.Writes(g, span), mem.Writes(sumG, c),
			mem.Writes(sumGX, c), mem.Reads(dy, span), mem.Reads(x, n), mem.Reads(add, n), mem.Reads(mean, c),
			mem.Reads(scale, c), mem.Reads(beta, c), rows, c, gap, lo, hi)
	}
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
	n := rows * c
	kernel(mem.Writes(g, n), mem.Writes(sumG, c), mem.Writes(sumGX, c), mem.Reads(dy, n), mem.Reads(x, n),
		mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(beta, c), rows, c)
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
	n := rows * c
	kernel(mem.Writes(dx, n), mem.Reads(dy, n), mem.Reads(x, n), mem.Reads(mean, c), mem.Reads(scale, c),
		mem.Reads(beta, c), mem.Reads(slope, c), mem.Reads(offset, c), rows, c, lo, hi)
}

package kernels

import "unsafe"

// By instruction set; nil for the portable loop.
var batchNormGradSumsKernels = [...]func(sumG, sumGX, grad, x, mean *float32, rows, c, gap int){
	AVX2: batchNormGradSumsAVX2, AVX512: batchNormGradSumsAVX512,
}

// batchNormGradSums is batchNormGradSumsGeneric on the active instruction set.
func batchNormGradSums(sumG, sumGX, g, x, mean []float32, rows, row int) {
	kernel := batchNormGradSumsKernels[active]
	if kernel == nil {
		batchNormGradSumsGeneric(sumG, sumGX, g, x, mean, rows, row)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, x = g[:extentOf(rows, c, row)], x[:rows*c]
	sumG, sumGX = sumG[:c], sumGX[:c]
	raceRead(g)
	raceRead(x)
	raceRead(mean)
	raceWrite(sumG)
	raceWrite(sumGX)
	kernel(unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(g), unsafe.SliceData(x),
		unsafe.SliceData(mean),
		rows, c, gapOf(c, row))
}

// By whether dx is stored past the caches, and by instruction set; nil for the portable loop.
var (
	batchNormGradRowsKernels = [2][3]func(dx, grad, x, mean, scale, slope, offset *float32, rows, c, dxGap, gap int){
		{AVX2: batchNormGradRowsAVX2, AVX512: batchNormGradRowsAVX512},
		{AVX2: batchNormStreamGradRowsAVX2, AVX512: batchNormStreamGradRowsAVX512},
	}
	batchNormAddGradRowsKernels = [2][3]func(dx, grad, x, add, mean, scale, slope, offset *float32, rows, c, dxGap,
		gap int){
		{AVX2: batchNormAddGradRowsAVX2, AVX512: batchNormAddGradRowsAVX512},
		{AVX2: batchNormAddStreamGradRowsAVX2, AVX512: batchNormAddStreamGradRowsAVX512},
	}
)

// batchNormGradRows is batchNormGradRowsGeneric on the active instruction set. With stream, for a dx of [streamable]
// rows, it is stored past the caches.
func batchNormGradRows(dx, g, x, add, mean, scale, slope, offset []float32, rows, dxRow, row int, stream bool) {
	past := streamIndex(stream)
	kernel := batchNormGradRowsKernels[past][active]
	if kernel == nil {
		batchNormGradRowsGeneric(dx, g, x, add, mean, scale, slope, offset, rows, dxRow, row)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	dx, g, x = dx[:extentOf(rows, c, dxRow)], g[:extentOf(rows, c, row)], x[:rows*c]
	scale, slope, offset = scale[:c], slope[:c], offset[:c]
	raceRead(g)
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(slope)
	raceRead(offset)
	raceWrite(dx)
	if add == nil {
		kernel(unsafe.SliceData(dx), unsafe.SliceData(g), unsafe.SliceData(x), unsafe.SliceData(mean),
			unsafe.SliceData(scale), unsafe.SliceData(slope), unsafe.SliceData(offset), rows, c, gapOf(c,
				dxRow), gapOf(c, row))
		return
	}
	add = add[:rows*c]
	raceRead(add)
	batchNormAddGradRowsKernels[past][active](unsafe.SliceData(dx), unsafe.SliceData(g), unsafe.SliceData(x),
		unsafe.SliceData(add),
		unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(slope), unsafe.SliceData(offset),
		rows, c, gapOf(c, dxRow), gapOf(c, row))
}

// The assembly of the sums of a clamp's gradient. The second kind also keeps the gradient, the third adds a residual,
// too.
type (
	clampGradSumsKernel     func(sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c, gap int, lo, hi float32)
	keepClampGradSumsKernel func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c, gap int, lo,
		hi float32)
	addKeepClampGradSumsKernel func(grad, sumG, sumGX, dy, x, add, mean, scale, beta *float32, rows, c, gap int, lo,
		hi float32)
)

// By whether the gradient is stored past the caches where it is kept, and by instruction set; nil for the portable
// loop.
var (
	batchNormClampGradSumsKernels = [...]clampGradSumsKernel{
		AVX2: batchNormClampGradSumsAVX2, AVX512: batchNormClampGradSumsAVX512,
	}
	batchNormKeepClampGradSumsKernels = [2][3]keepClampGradSumsKernel{
		{AVX2: batchNormKeepClampGradSumsAVX2, AVX512: batchNormKeepClampGradSumsAVX512},
		{AVX2: batchNormKeepStreamClampGradSumsAVX2, AVX512: batchNormKeepStreamClampGradSumsAVX512},
	}
	batchNormAddKeepClampGradSumsKernels = [2][3]addKeepClampGradSumsKernel{
		{AVX2: batchNormAddKeepClampGradSumsAVX2, AVX512: batchNormAddKeepClampGradSumsAVX512},
		{AVX2: batchNormAddKeepStreamClampGradSumsAVX2, AVX512: batchNormAddKeepStreamClampGradSumsAVX512},
	}
)

// batchNormClampGradSums is batchNormClampGradSumsGeneric on the active instruction set. With stream, for a g of
// [streamable] rows, it is stored past the caches. Where there is an add, there must be a g.
func batchNormClampGradSums(
	g, sumG, sumGX, dy, x, add, mean, scale, beta []float32, rows, row int, lo, hi float32, stream bool,
) {
	sum := batchNormClampGradSumsKernels[active]
	if sum == nil {
		batchNormClampGradSumsGeneric(g, sumG, sumGX, dy, x, add, mean, scale, beta, rows, row, lo, hi)
		return
	}
	c, past := len(mean), streamIndex(stream)
	if rows*c == 0 {
		return
	}
	dy, x = dy[:extentOf(rows, c, row)], x[:rows*c]
	sumG, sumGX, scale, beta = sumG[:c], sumGX[:c], scale[:c], beta[:c]
	raceRead(dy)
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(sumG)
	raceWrite(sumGX)
	if g == nil {
		sum(unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x),
			unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapOf(c, row), lo, hi)
		return
	}
	g = g[:extentOf(rows, c, row)]
	raceWrite(g)
	if add == nil {
		batchNormKeepClampGradSumsKernels[past][active](unsafe.SliceData(g), unsafe.SliceData(sumG),
			unsafe.SliceData(sumGX),
			unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale),
			unsafe.SliceData(beta), rows, c, gapOf(c, row), lo, hi)
		return
	}
	add = add[:rows*c]
	raceRead(add)
	batchNormAddKeepClampGradSumsKernels[past][active](unsafe.SliceData(g), unsafe.SliceData(sumG),
		unsafe.SliceData(sumGX),
		unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(add),
		unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapOf(c, row), lo, hi)
}

// batchNormCurveGradSums is batchNormCurveGradSumsGeneric on the active instruction set, stored as
// batchNormClampGradSums stores.
func batchNormCurveGradSums(act Act, g, sumG, sumGX, dy, x, mean, scale, beta []float32, rows int, stream bool) {
	kernel := normCurves[act].gradSums[streamIndex(stream)][active]
	if kernel == nil {
		batchNormCurveGradSumsGeneric(act, g, sumG, sumGX, dy, x, mean, scale, beta, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, dy, x = g[:rows*c], dy[:rows*c], x[:rows*c]
	sumG, sumGX, scale, beta = sumG[:c], sumGX[:c], scale[:c], beta[:c]
	raceRead(dy)
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(g)
	raceWrite(sumG)
	raceWrite(sumGX)
	kernel(unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy),
		unsafe.SliceData(x),
		unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

// By instruction set; nil for the portable loop.
var batchNormClampGradRowsKernels = [...]func(dx, dy, x, mean, scale, beta, slope, offset *float32, rows, c int, lo,
	hi float32){
	AVX2: batchNormClampGradRowsAVX2, AVX512: batchNormClampGradRowsAVX512,
}

// batchNormClampGradRows is batchNormClampGradRowsGeneric on the active instruction set.
func batchNormClampGradRows(dx, dy, x, mean, scale, beta, slope, offset []float32, rows int, lo, hi float32) {
	kernel := batchNormClampGradRowsKernels[active]
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
	raceRead(dy)
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceRead(slope)
	raceRead(offset)
	raceWrite(dx)
	kernel(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean),
		unsafe.SliceData(scale),
		unsafe.SliceData(beta), unsafe.SliceData(slope), unsafe.SliceData(offset), rows, c, lo, hi)
}

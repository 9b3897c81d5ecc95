package kernels

import "unsafe"

var batchNormSumsKernels = [...]func(sum, square, x, shift *float32, rows, c int){AVX2: batchNormSumsAVX2, AVX512: batchNormSumsAVX512}

// batchNormSums is batchNormSumsGeneric on the active instruction set.
func batchNormSums(sum, square, x, shift []float32, rows int) {
	kernel := batchNormSumsKernels[active]
	if kernel == nil {
		batchNormSumsGeneric(sum, square, x, shift, rows)
		return
	}
	c := len(shift)
	if rows*c == 0 {
		return
	}
	x = x[:rows*c]
	sum, square = sum[:c], square[:c]
	raceRead(x)
	raceRead(shift)
	raceWrite(sum)
	raceWrite(square)
	kernel(unsafe.SliceData(sum), unsafe.SliceData(square), unsafe.SliceData(x), unsafe.SliceData(shift), rows, c)
}

var batchNormGradSumsKernels = [...]func(sumG, sumGX, grad, x, mean *float32, rows, c int){AVX2: batchNormGradSumsAVX2, AVX512: batchNormGradSumsAVX512}

// batchNormGradSums is batchNormGradSumsGeneric on the active instruction set.
func batchNormGradSums(sumG, sumGX, g, x, mean []float32, rows int) {
	kernel := batchNormGradSumsKernels[active]
	if kernel == nil {
		batchNormGradSumsGeneric(sumG, sumGX, g, x, mean, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, x = g[:rows*c], x[:rows*c]
	sumG, sumGX = sumG[:c], sumGX[:c]
	raceRead(g)
	raceRead(x)
	raceRead(mean)
	raceWrite(sumG)
	raceWrite(sumGX)
	kernel(unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(g), unsafe.SliceData(x), unsafe.SliceData(mean), rows, c)
}

var batchNormGradRowsKernels = [...]func(dx, grad, x, mean, scale, slope, offset *float32, rows, c int){AVX2: batchNormGradRowsAVX2, AVX512: batchNormGradRowsAVX512}

// batchNormGradRows is batchNormGradRowsGeneric on the active instruction set.
func batchNormGradRows(dx, g, x, mean, scale, slope, offset []float32, rows int) {
	kernel := batchNormGradRowsKernels[active]
	if kernel == nil {
		batchNormGradRowsGeneric(dx, g, x, mean, scale, slope, offset, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	dx, g, x = dx[:rows*c], g[:rows*c], x[:rows*c]
	scale, slope, offset = scale[:c], slope[:c], offset[:c]
	raceRead(g)
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(slope)
	raceRead(offset)
	raceWrite(dx)
	kernel(unsafe.SliceData(dx), unsafe.SliceData(g), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(slope), unsafe.SliceData(offset), rows, c)
}

// By whether y is stored past the caches, and the instruction set.
var (
	batchNormRowsKernels = [2][3]func(y, x, mean, scale, beta *float32, rows, c int, lo, hi float32){
		{AVX2: batchNormRowsAVX2, AVX512: batchNormRowsAVX512},
		{AVX2: batchNormStreamRowsAVX2, AVX512: batchNormStreamRowsAVX512},
	}
	batchNormAddRowsKernels = [2][3]func(y, x, add, mean, scale, beta *float32, rows, c int, lo, hi float32){
		{AVX2: batchNormAddRowsAVX2, AVX512: batchNormAddRowsAVX512},
		{AVX2: batchNormAddStreamRowsAVX2, AVX512: batchNormAddStreamRowsAVX512},
	}
)

// batchNormRows is batchNormRowsGeneric on the active instruction set. With stream, for a y of [streamable] rows, it is
// stored past the caches.
func batchNormRows(y, x, add, mean, scale, beta []float32, rows int, lo, hi float32, stream bool) {
	if active == Generic {
		batchNormRowsGeneric(y, x, add, mean, scale, beta, rows, lo, hi)
		return
	}
	past := 0
	if stream {
		past = 1
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	y, x = y[:rows*c], x[:rows*c]
	scale, beta = scale[:c], beta[:c]
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(y)
	if add == nil {
		batchNormRowsKernels[past][active](unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
		return
	}
	add = add[:rows*c]
	raceRead(add)
	batchNormAddRowsKernels[past][active](unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(add), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
}

var batchNormAddClampGradSumsKernels = [...]func(grad, sumG, sumGX, dy, x, add, mean, scale, beta *float32, rows, c int, lo, hi float32){
	AVX2: batchNormAddClampGradSumsAVX2, AVX512: batchNormAddClampGradSumsAVX512,
}

// batchNormAddClampGradSums is batchNormAddClampGradSumsGeneric on the active instruction set.
func batchNormAddClampGradSums(g, sumG, sumGX, dy, x, add, mean, scale, beta []float32, rows int, lo, hi float32) {
	kernel := batchNormAddClampGradSumsKernels[active]
	if kernel == nil {
		batchNormAddClampGradSumsGeneric(g, sumG, sumGX, dy, x, add, mean, scale, beta, rows, lo, hi)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, dy, x, add = g[:rows*c], dy[:rows*c], x[:rows*c], add[:rows*c]
	sumG, sumGX, scale, beta = sumG[:c], sumGX[:c], scale[:c], beta[:c]
	raceRead(dy)
	raceRead(x)
	raceRead(add)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(g)
	raceWrite(sumG)
	raceWrite(sumGX)
	kernel(unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(add), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
}

var batchNormClampGradSumsKernels = [...]func(sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int, lo, hi float32){
	AVX2: batchNormClampGradSumsAVX2, AVX512: batchNormClampGradSumsAVX512,
}

// batchNormClampGradSums is batchNormClampGradSumsGeneric on the active instruction set.
func batchNormClampGradSums(sumG, sumGX, dy, x, mean, scale, beta []float32, rows int, lo, hi float32) {
	kernel := batchNormClampGradSumsKernels[active]
	if kernel == nil {
		batchNormClampGradSumsGeneric(sumG, sumGX, dy, x, mean, scale, beta, rows, lo, hi)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	dy, x = dy[:rows*c], x[:rows*c]
	sumG, sumGX, scale, beta = sumG[:c], sumGX[:c], scale[:c], beta[:c]
	raceRead(dy)
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(sumG)
	raceWrite(sumGX)
	kernel(unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
}

var batchNormClampGradRowsKernels = [...]func(dx, dy, x, mean, scale, beta, slope, offset *float32, rows, c int, lo, hi float32){
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
	kernel(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), unsafe.SliceData(slope), unsafe.SliceData(offset), rows, c, lo, hi)
}

package kernels

import "unsafe"

// By instruction set; nil for the portable loop.
var batchNormSumsKernels = [...]func(sum, square, x, shift *float32, rows, c int){
	AVX2: batchNormSumsAVX2, AVX512: batchNormSumsAVX512,
}

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

// By whether y is stored past the caches, and by instruction set; nil for the portable loop.
var (
	batchNormRowsKernels = [2][3]func(y, x, mean, scale, beta *float32, rows, c, yGap int, lo, hi float32){
		{AVX2: batchNormRowsAVX2, AVX512: batchNormRowsAVX512},
		{AVX2: batchNormStreamRowsAVX2, AVX512: batchNormStreamRowsAVX512},
	}
	batchNormAddRowsKernels = [2][3]func(y, x, add, mean, scale, beta *float32, rows, c, yGap int, lo, hi float32){
		{AVX2: batchNormAddRowsAVX2, AVX512: batchNormAddRowsAVX512},
		{AVX2: batchNormAddStreamRowsAVX2, AVX512: batchNormAddStreamRowsAVX512},
	}
	batchNormSumRowsKernels = [2][3]func(y, sum, x, mean, scale, beta *float32, rows, c int, lo, hi float32){
		{AVX2: batchNormSumRowsAVX2, AVX512: batchNormSumRowsAVX512},
		{AVX2: batchNormStreamSumRowsAVX2, AVX512: batchNormStreamSumRowsAVX512},
	}
)

// batchNormRows is batchNormRowsGeneric on the active instruction set. With stream, for a y of [streamable] rows, it is
// stored past the caches.
func batchNormRows(y, x, add, mean, scale, beta []float32, rows, yRow int, lo, hi float32, stream bool) {
	past := streamIndex(stream)
	kernel := batchNormRowsKernels[past][active]
	if kernel == nil {
		batchNormRowsGeneric(y, x, add, mean, scale, beta, rows, yRow, lo, hi)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	y, x = y[:extentOf(rows, c, yRow)], x[:rows*c]
	scale, beta = scale[:c], beta[:c]
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(y)
	if add == nil {
		kernel(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale),
			unsafe.SliceData(beta),
			rows, c, gapOf(c, yRow), lo, hi)
		return
	}
	add = add[:rows*c]
	raceRead(add)
	batchNormAddRowsKernels[past][active](unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(add),
		unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapOf(c, yRow), lo, hi)
}

// The assembly of batch norm's passes with an activation that is not a clamp.
type (
	curveRowsKernel     func(y, x, mean, scale, beta *float32, rows, c int)
	curveSumRowsKernel  func(y, sum, x, mean, scale, beta *float32, rows, c int)
	curveGradSumsKernel func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int)
	curveGatedKernel    func(grad, sumG, sumGX, dy, x, gate, shift, mean, scale, beta *float32, rows, c int)
)

// normCurve holds them by whether results are stored past the caches, and by instruction set; nil for the portable
// loop.
type normCurve struct {
	rows     [2][3]curveRowsKernel
	sumRows  [2][3]curveSumRowsKernel
	gradSums [2][3]curveGradSumsKernel
	gated    [3]curveGatedKernel
}

// normCurves are by activation; there are none for those that are computed after the batch norm.
var normCurves = [ActTanh + 1]normCurve{
	ActSiLU: {
		rows: [2][3]curveRowsKernel{
			{AVX2: batchNormSiluRowsAVX2, AVX512: batchNormSiluRowsAVX512},
			{AVX2: batchNormSiluStreamRowsAVX2, AVX512: batchNormSiluStreamRowsAVX512},
		},
		sumRows: [2][3]curveSumRowsKernel{
			{AVX2: batchNormSiluSumRowsAVX2, AVX512: batchNormSiluSumRowsAVX512},
			{AVX2: batchNormSiluStreamSumRowsAVX2, AVX512: batchNormSiluStreamSumRowsAVX512},
		},
		gradSums: [2][3]curveGradSumsKernel{
			{AVX2: batchNormSiluGradSumsAVX2, AVX512: batchNormSiluGradSumsAVX512},
			{AVX2: batchNormSiluStreamGradSumsAVX2, AVX512: batchNormSiluStreamGradSumsAVX512},
		},
		gated: [3]curveGatedKernel{AVX2: batchNormGatedSiluGradSumsAVX2, AVX512: batchNormGatedSiluGradSumsAVX512},
	},
	ActHardSwish: {
		rows: [2][3]curveRowsKernel{
			{AVX2: batchNormHardSwishRowsAVX2, AVX512: batchNormHardSwishRowsAVX512},
			{AVX2: batchNormHardSwishStreamRowsAVX2, AVX512: batchNormHardSwishStreamRowsAVX512},
		},
		sumRows: [2][3]curveSumRowsKernel{
			{AVX2: batchNormHardSwishSumRowsAVX2, AVX512: batchNormHardSwishSumRowsAVX512},
			{AVX2: batchNormHardSwishStreamSumRowsAVX2, AVX512: batchNormHardSwishStreamSumRowsAVX512},
		},
		gradSums: [2][3]curveGradSumsKernel{
			{AVX2: batchNormHardSwishGradSumsAVX2, AVX512: batchNormHardSwishGradSumsAVX512},
			{AVX2: batchNormHardSwishStreamGradSumsAVX2, AVX512: batchNormHardSwishStreamGradSumsAVX512},
		},
		gated: [3]curveGatedKernel{AVX2: batchNormGatedHardSwishGradSumsAVX2,
			AVX512: batchNormGatedHardSwishGradSumsAVX512},
	},
}

// hasNormCurve reports whether batchNormCurveRows and batchNormCurveGradSums serve an activation.
func hasNormCurve(act Act) bool { return normCurves[act].rows[0][AVX2] != nil }

// batchNormCurveRows is batchNormCurveRowsGeneric on the active instruction set, stored as batchNormRows stores.
func batchNormCurveRows(act Act, y, x, mean, scale, beta []float32, rows int, stream bool) {
	kernel := normCurves[act].rows[streamIndex(stream)][active]
	if kernel == nil {
		batchNormCurveRowsGeneric(act, y, x, mean, scale, beta, rows)
		return
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
	kernel(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale),
		unsafe.SliceData(beta), rows, c)
}

// batchNormSumRows is batchNormSumRowsGeneric on the active instruction set, for clamps and where hasNormCurve, stored
// as batchNormRows stores.
func batchNormSumRows(act Act, y, sum, x, mean, scale, beta []float32, rows int, stream bool) {
	past := streamIndex(stream)
	clamp := batchNormSumRowsKernels[past][active]
	if clamp == nil {
		batchNormSumRowsGeneric(act, y, sum, x, mean, scale, beta, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	y, x = y[:rows*c], x[:rows*c]
	sum, scale, beta = sum[:c], scale[:c], beta[:c]
	raceRead(x)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(y)
	raceWrite(sum)
	if lo, hi, ok := act.clampBounds(); ok {
		clamp(unsafe.SliceData(y), unsafe.SliceData(sum), unsafe.SliceData(x), unsafe.SliceData(mean),
			unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
		return
	}
	normCurves[act].sumRows[past][active](unsafe.SliceData(y), unsafe.SliceData(sum), unsafe.SliceData(x),
		unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

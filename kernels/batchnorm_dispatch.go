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

// By whether y is stored past the caches, and the instruction set.
var (
	batchNormRowsKernels = [2][3]func(y, x, mean, scale, beta *float32, rows, c, yGap int, lo, hi float32){
		{AVX2: batchNormRowsAVX2, AVX512: batchNormRowsAVX512},
		{AVX2: batchNormStreamRowsAVX2, AVX512: batchNormStreamRowsAVX512},
	}
	batchNormAddRowsKernels = [2][3]func(y, x, add, mean, scale, beta *float32, rows, c, yGap int, lo, hi float32){
		{AVX2: batchNormAddRowsAVX2, AVX512: batchNormAddRowsAVX512},
		{AVX2: batchNormAddStreamRowsAVX2, AVX512: batchNormAddStreamRowsAVX512},
	}
)

// batchNormRows is batchNormRowsGeneric on the active instruction set. With stream, for a y of [streamable] rows, it is
// stored past the caches.
func batchNormRows(y, x, add, mean, scale, beta []float32, rows, yRow int, lo, hi float32, stream bool) {
	if active == Generic {
		batchNormRowsGeneric(y, x, add, mean, scale, beta, rows, yRow, lo, hi)
		return
	}
	past := pastCaches(stream)
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
		batchNormRowsKernels[past][active](unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapOf(c, yRow), lo, hi)
		return
	}
	add = add[:rows*c]
	raceRead(add)
	batchNormAddRowsKernels[past][active](unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(add), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, gapOf(c, yRow), lo, hi)
}

// normCurve is the assembly of batch norm's passes with an activation that is not a clamp, by whether results are stored
// past the caches.
type normCurve struct {
	rows     [2]func(y, x, mean, scale, beta *float32, rows, c int)
	sumRows  [2]func(y, sum, x, mean, scale, beta *float32, rows, c int)
	gradSums [2]func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int)
	gated    func(grad, sumG, sumGX, dy, x, gate, shift, mean, scale, beta *float32, rows, c int)
}

// normCurves are the activations that have such passes.
var normCurves = [...][ActTanh + 1]*normCurve{
	AVX2: {
		ActSiLU: {
			[2]func(y, x, mean, scale, beta *float32, rows, c int){batchNormSiluRowsAVX2, batchNormSiluStreamRowsAVX2},
			[2]func(y, sum, x, mean, scale, beta *float32, rows, c int){batchNormSiluSumRowsAVX2, batchNormSiluStreamSumRowsAVX2},
			[2]func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int){batchNormSiluGradSumsAVX2, batchNormSiluStreamGradSumsAVX2},
			batchNormGatedSiluGradSumsAVX2,
		},
		ActHardSwish: {
			[2]func(y, x, mean, scale, beta *float32, rows, c int){batchNormHardSwishRowsAVX2, batchNormHardSwishStreamRowsAVX2},
			[2]func(y, sum, x, mean, scale, beta *float32, rows, c int){batchNormHardSwishSumRowsAVX2, batchNormHardSwishStreamSumRowsAVX2},
			[2]func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int){batchNormHardSwishGradSumsAVX2, batchNormHardSwishStreamGradSumsAVX2},
			batchNormGatedHardSwishGradSumsAVX2,
		},
	},
	AVX512: {
		ActSiLU: {
			[2]func(y, x, mean, scale, beta *float32, rows, c int){batchNormSiluRowsAVX512, batchNormSiluStreamRowsAVX512},
			[2]func(y, sum, x, mean, scale, beta *float32, rows, c int){batchNormSiluSumRowsAVX512, batchNormSiluStreamSumRowsAVX512},
			[2]func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int){batchNormSiluGradSumsAVX512, batchNormSiluStreamGradSumsAVX512},
			batchNormGatedSiluGradSumsAVX512,
		},
		ActHardSwish: {
			[2]func(y, x, mean, scale, beta *float32, rows, c int){batchNormHardSwishRowsAVX512, batchNormHardSwishStreamRowsAVX512},
			[2]func(y, sum, x, mean, scale, beta *float32, rows, c int){batchNormHardSwishSumRowsAVX512, batchNormHardSwishStreamSumRowsAVX512},
			[2]func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int){batchNormHardSwishGradSumsAVX512, batchNormHardSwishStreamGradSumsAVX512},
			batchNormGatedHardSwishGradSumsAVX512,
		},
	},
}

// hasNormCurve tells whether batchNormCurveRows and batchNormCurveGradSums serve an activation.
func hasNormCurve(act Act) bool { return normCurves[AVX2][act] != nil }

// batchNormCurveRows is batchNormCurveRowsGeneric on the active instruction set, stored as batchNormRows stores.
func batchNormCurveRows(act Act, y, x, mean, scale, beta []float32, rows int, stream bool) {
	if active == Generic {
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
	normCurves[active][act].rows[pastCaches(stream)](unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

package kernels

import "unsafe"

// By whether y is stored past the caches, and the instruction set.
var batchNormSumRowsKernels = [2][3]func(y, sum, x, mean, scale, beta *float32, rows, c int, lo, hi float32){
	{AVX2: batchNormSumRowsAVX2, AVX512: batchNormSumRowsAVX512},
	{AVX2: batchNormStreamSumRowsAVX2, AVX512: batchNormStreamSumRowsAVX512},
}

// batchNormSumRows is batchNormSumRowsGeneric on the active instruction set, for clamps and where hasNormCurve, stored as
// batchNormRows stores.
func batchNormSumRows(act Act, y, sum, x, mean, scale, beta []float32, rows int, stream bool) {
	if active == Generic {
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
		batchNormSumRowsKernels[pastCaches(stream)][active](unsafe.SliceData(y), unsafe.SliceData(sum), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
		return
	}
	normCurves[active][act].sumRows[pastCaches(stream)](unsafe.SliceData(y), unsafe.SliceData(sum), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

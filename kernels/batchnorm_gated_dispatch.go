package kernels

import "unsafe"

var batchNormGatedClampGradSumsKernels = [...]func(grad, sumG, sumGX, dy, x, gate, shift, mean, scale, beta *float32, rows, c int, lo, hi float32){
	AVX2: batchNormGatedClampGradSumsAVX2, AVX512: batchNormGatedClampGradSumsAVX512,
}

// batchNormGatedGradSums is batchNormGatedGradSumsGeneric on the active instruction set, for clamps and where hasNormCurve.
func batchNormGatedGradSums(act Act, g, sumG, sumGX, dy, x, gate, shift, mean, scale, beta []float32, rows int) {
	if active == Generic {
		batchNormGatedGradSumsGeneric(act, g, sumG, sumGX, dy, x, gate, shift, mean, scale, beta, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	g, dy, x = g[:rows*c], dy[:rows*c], x[:rows*c]
	sumG, sumGX, gate, shift, scale, beta = sumG[:c], sumGX[:c], gate[:c], shift[:c], scale[:c], beta[:c]
	raceRead(dy)
	raceRead(x)
	raceRead(gate)
	raceRead(shift)
	raceRead(mean)
	raceRead(scale)
	raceRead(beta)
	raceWrite(g)
	raceWrite(sumG)
	raceWrite(sumGX)
	if lo, hi, ok := act.clampBounds(); ok {
		batchNormGatedClampGradSumsKernels[active](unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gate), unsafe.SliceData(shift), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c, lo, hi)
		return
	}
	normCurves[active][act].gated(unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gate), unsafe.SliceData(shift), unsafe.SliceData(mean), unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

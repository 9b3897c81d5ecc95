package kernels

import "unsafe"

// The assembly of the sums of a clamp's gradient through a gate.
type gatedClampGradSumsKernel func(grad, sumG, sumGX, dy, x, gate, shift, mean, scale, beta *float32, rows, c int, lo,
	hi float32)

// By instruction set; nil for the portable loop.
var batchNormGatedClampGradSumsKernels = [...]gatedClampGradSumsKernel{
	AVX2: batchNormGatedClampGradSumsAVX2, AVX512: batchNormGatedClampGradSumsAVX512,
}

// batchNormGatedGradSums is batchNormGatedGradSumsGeneric on the active instruction set, for clamps and where
// hasNormCurve.
func batchNormGatedGradSums(act Act, g, sumG, sumGX, dy, x, gate, shift, mean, scale, beta []float32, rows int) {
	clamp := batchNormGatedClampGradSumsKernels[active]
	if clamp == nil {
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
		clamp(unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX), unsafe.SliceData(dy),
			unsafe.SliceData(x),
			unsafe.SliceData(gate), unsafe.SliceData(shift), unsafe.SliceData(mean), unsafe.SliceData(scale),
			unsafe.SliceData(beta), rows, c, lo, hi)
		return
	}
	normCurves[act].gated[active](unsafe.SliceData(g), unsafe.SliceData(sumG), unsafe.SliceData(sumGX),
		unsafe.SliceData(dy),
		unsafe.SliceData(x), unsafe.SliceData(gate), unsafe.SliceData(shift), unsafe.SliceData(mean),
		unsafe.SliceData(scale), unsafe.SliceData(beta), rows, c)
}

package kernels

// batchNormSums is batchNormSumsGeneric on the active instruction set.
func batchNormSums(sum, square, x, shift []float32, rows int) {
	batchNormSumsGeneric(sum, square, x, shift, rows)
}

// batchNormRows is batchNormRowsGeneric on the active instruction set.
func batchNormRows(y, x, add, mean, invstd, gamma, beta []float32, rows int, lo, hi float32) {
	batchNormRowsGeneric(y, x, add, mean, invstd, gamma, beta, rows, lo, hi)
}

// batchNormClampSlope is batchNormClampSlopeGeneric on the active instruction set.
func batchNormClampSlope(g, dy, x, add, mean, invstd, gamma, beta []float32, rows int, lo, hi float32) {
	batchNormClampSlopeGeneric(g, dy, x, add, mean, invstd, gamma, beta, rows, lo, hi)
}

// batchNormGradSums is batchNormGradSumsGeneric on the active instruction set.
func batchNormGradSums(sumG, sumGX, g, x, mean []float32, rows int) {
	batchNormGradSumsGeneric(sumG, sumGX, g, x, mean, rows)
}

// batchNormGradRows is batchNormGradRowsGeneric on the active instruction set.
func batchNormGradRows(dx, g, x, mean, scale, slope, offset []float32, rows int) {
	batchNormGradRowsGeneric(dx, g, x, mean, scale, slope, offset, rows)
}

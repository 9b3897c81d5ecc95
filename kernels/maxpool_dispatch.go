package kernels

// maxWindow is maxWindowGeneric on the active instruction set.
func maxWindow(y, x []float32, height, width, rowStride int) {
	maxWindowGeneric(y, x, height, width, rowStride)
}

// maxWindowArg is maxWindowArgGeneric on the active instruction set.
func maxWindowArg(y []float32, arg []uint8, x []float32, height, width, rowStride, first, rowStep int) {
	maxWindowArgGeneric(y, arg, x, height, width, rowStride, first, rowStep)
}

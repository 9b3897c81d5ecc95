package kernels

import "unsafe"

var (
	maxWindowKernels    = [...]func(y, x *float32, height, width, rowStride, c int){AVX2: maxWindowAVX2, AVX512: maxWindowAVX512}
	maxWindowArgKernels = [...]func(y *float32, arg *uint8, x *float32, height, width, rowStride, first, rowStep, c int){
		AVX2: maxWindowArgAVX2, AVX512: maxWindowArgAVX512,
	}
)

// maxWindow is maxWindowGeneric on the active instruction set.
func maxWindow(y, x []float32, height, width, rowStride int) {
	if active == Generic || len(y)*height*width == 0 {
		maxWindowGeneric(y, x, height, width, rowStride)
		return
	}
	x = x[:(height-1)*rowStride+width*len(y)]
	raceRead(x)
	raceWrite(y)
	maxWindowKernels[active](unsafe.SliceData(y), unsafe.SliceData(x), height, width, 4*rowStride, len(y))
}

// maxWindowArg is maxWindowArgGeneric on the active instruction set.
func maxWindowArg(y []float32, arg []uint8, x []float32, height, width, rowStride, first, rowStep int) {
	if active == Generic || len(y)*height*width == 0 {
		maxWindowArgGeneric(y, arg, x, height, width, rowStride, first, rowStep)
		return
	}
	arg, x = arg[:len(y)], x[:(height-1)*rowStride+width*len(y)]
	raceRead(x)
	raceWrite(y)
	maxWindowArgKernels[active](unsafe.SliceData(y), unsafe.SliceData(arg), unsafe.SliceData(x), height, width, 4*rowStride,
		first, rowStep, len(y))
}

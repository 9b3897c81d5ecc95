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

var maxGradientKernels = [...]struct {
	lanes  int
	spread func(dx, dy *float32, arg *uint8, height, width, rowStride, colStride, first, rowStep, vectors int)
}{AVX2: {8, maxGradientAVX2}, AVX512: {16, maxGradientAVX512}}

// maxGradient is maxGradientGeneric for all channels on the active instruction set.
func maxGradient(dx, dy []float32, arg []uint8, height, width, rowStride, first, rowStep int) {
	channels, c := len(dy), 0
	arg = arg[:channels]
	if k := maxGradientKernels[active]; k.spread != nil && channels >= k.lanes && height*width > 0 {
		dx = dx[:(height-1)*rowStride+width*channels]
		raceRead(dy)
		raceWrite(dx)
		vectors := channels / k.lanes
		c = vectors * k.lanes
		k.spread(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(arg), height, width, 4*rowStride, 4*channels, first, rowStep, vectors)
	}
	if c < channels {
		maxGradientGeneric(dx[c:], dy[c:], arg[c:], height, width, rowStride, channels, first, rowStep)
	}
}

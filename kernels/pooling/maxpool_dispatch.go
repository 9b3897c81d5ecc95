package pooling

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By instruction set; nil for the portable loop.
var (
	maxWindowKernels = [...]func(y, x *float32, height, width, rowStride, c int){
		isa.AVX2: maxWindowAVX2, isa.AVX512: maxWindowAVX512,
	}
	maxWindowArgKernels = [...]func(
		y *float32, arg *uint8, x *float32, height, width, rowStride, first, rowStep, c int,
	){
		isa.AVX2: maxWindowArgAVX2, isa.AVX512: maxWindowArgAVX512,
	}
)

// maxWindow is maxWindowGeneric on the active instruction set.
func maxWindow(y, x []float32, height, width, rowStride int) {
	kernel := maxWindowKernels[isa.Active()]
	if kernel == nil || len(y)*height*width == 0 {
		maxWindowGeneric(y, x, height, width, rowStride)
		return
	}
	c := len(y)
	kernel(mem.Writes(y, c), mem.Reads(x, (height-1)*rowStride+width*c), height, width, 4*rowStride, c)
}

// maxWindowArg is maxWindowArgGeneric on the active instruction set.
func maxWindowArg(y []float32, arg []uint8, x []float32, height, width, rowStride, first, rowStep int) {
	kernel := maxWindowArgKernels[isa.Active()]
	if kernel == nil || len(y)*height*width == 0 {
		maxWindowArgGeneric(y, arg, x, height, width, rowStride, first, rowStep)
		return
	}
	c := len(y)
	kernel(mem.Writes(y, c), unsafe.SliceData(arg[:c]), mem.Reads(x, (height-1)*rowStride+width*c), height, width,
		4*rowStride, first, rowStep, c)
}

var maxGradientKernels = [...]struct {
	lanes  int // channels in a vector
	spread func(dx, dy *float32, arg *uint8, height, width, rowStride, colStride, first, rowStep, vectors int)
}{isa.AVX2: {8, maxGradientAVX2}, isa.AVX512: {16, maxGradientAVX512}}

// maxGradient is maxGradientGeneric for all channels on the active instruction set.
func maxGradient(dx, dy []float32, arg []uint8, height, width, rowStride, first, rowStep int) {
	channels, c := len(dy), 0
	arg = arg[:channels]
	if k := maxGradientKernels[isa.Active()]; k.spread != nil && channels >= k.lanes && height*width > 0 {
		vectors := channels / k.lanes
		c = vectors * k.lanes
		k.spread(mem.Writes(dx, (height-1)*rowStride+width*channels), mem.Reads(dy, channels), unsafe.SliceData(arg),
			height, width, 4*rowStride, 4*channels, first, rowStep, vectors)
	}
	if c < channels {
		maxGradientGeneric(dx[c:], dy[c:], arg[c:], height, width, rowStride, channels, first, rowStep)
	}
}

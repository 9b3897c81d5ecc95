package mem

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
)

// streamFloats is the size from which on a result is stored past the caches: none would hold it until it is read, and a
// store through them reads each line first.
var streamFloats = 1 << 21

// StreamFrom has results of at least the given size stored past the caches until restore is called. It is for tests: no
// kernel may run meanwhile on another goroutine.
func StreamFrom(floats int) (restore func()) {
	before := streamFloats
	streamFloats = floats
	return func() { streamFloats = before }
}

// PastCaches reports whether kernels may store a result of the given size past the caches.
func PastCaches(floats int) bool { return isa.Active() != isa.Generic && floats >= streamFloats }

// Streams reports whether the rows of y, of c values each, may be stored past the caches, and are aligned for it: they
// consist of whole cache lines.
func Streams(y []float32, rows, c int) bool {
	return PastCaches(rows*c) && c%Line == 0 && Aligned(y)
}

// StreamIndex returns where a table has the kernels that store past the caches, 1, or those that store through them, 0.
func StreamIndex(stream bool) int {
	if stream {
		return 1
	}
	return 0
}

// By instruction set; nil for the portable copy.
var streamCopyKernels = [...]func(dst, src *float32, rounds int){
	isa.AVX2: streamCopyAVX2, isa.AVX512: streamCopyAVX512,
}

// StreamCopy is copy(dst, src) past the caches, for a dst that begins at a cache line and is as long as src at least.
func StreamCopy(dst, src []float32) {
	dst = dst[:len(src)]
	rounds := len(src) / streamRound
	kernel := streamCopyKernels[isa.Active()]
	if kernel == nil || rounds == 0 {
		copy(dst, src)
		return
	}
	kernel(unsafe.SliceData(dst), unsafe.SliceData(src), rounds)
	copy(dst[rounds*streamRound:], src[rounds*streamRound:])
}

// Fence orders stores past the caches before what this thread stores after it, so that a thread which sees the latter
// sees the former. It must follow them; where the active instruction set has no such stores, it does nothing.
func Fence() {
	if isa.Active() != isa.Generic {
		storeFence()
	}
}

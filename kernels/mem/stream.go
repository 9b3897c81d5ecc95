package mem

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
)

// streamFloats is the size from which on a result is stored past the caches: none would hold it until it is read, and a
// store through them reads each line first.
var streamFloats = 1 << 21

// StreamFrom has results of that many floats stored past the caches until restore is called. It is for tests: no kernel may run
// meanwhile on another goroutine.
func StreamFrom(floats int) (restore func()) {
	before := streamFloats
	streamFloats = floats
	return func() { streamFloats = before }
}

// PastCaches reports whether kernels may store a result of that many floats past the caches.
func PastCaches(floats int) bool { return isa.Active() != isa.Generic && floats >= streamFloats }

// Streams reports whether rows of c values are worth storing past the caches, and consist of whole lines.
func Streams(y []float32, rows, c int) bool {
	return PastCaches(rows*c) && c%Line == 0 && Aligned(y)
}

// Aligned reports whether a slice begins at a cache line.
func Aligned(s []float32) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(s)))%(4*Line) == 0
}

// StreamIndex is the index of the kernels that store past the caches, or of those that do not.
func StreamIndex(stream bool) int {
	if stream {
		return 1
	}
	return 0
}

// ExtentOf returns the floats from the first to the last of some rows of c values that begin row floats apart.
func ExtentOf(rows, c, row int) int { return (rows-1)*row + c }

// GapOf returns the bytes between such rows.
func GapOf(c, row int) int { return 4 * (row - c) }

// StreamCopy copies src past the caches to dst, which begins at a cache line.
func StreamCopy(dst, src []float32) {
	whole := len(src) / streamRound
	switch {
	case whole == 0:
	case isa.Active() == isa.AVX512:
		streamCopyAVX512(unsafe.SliceData(dst), unsafe.SliceData(src), whole)
	case isa.Active() == isa.AVX2:
		streamCopyAVX2(unsafe.SliceData(dst), unsafe.SliceData(src), whole)
	default:
		whole = 0
	}
	copy(dst[whole*streamRound:], src[whole*streamRound:])
}

// Fence orders stores past the caches before whatever another thread reads after this. It must follow them, on an instruction set
// that has such stores.
func Fence() { storeFence() }

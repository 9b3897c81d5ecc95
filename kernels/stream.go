package kernels

import "unsafe"

// streamFloats is the size from which on a result is stored past the caches: none would hold it until it is read, and a
// store through them reads each line first.
var streamFloats = 1 << 21

// streamFrom has results of that many floats stored past the caches until restore is called. It is for tests: no kernel may run
// meanwhile on another goroutine.
func streamFrom(floats int) (restore func()) {
	before := streamFloats
	streamFloats = floats
	return func() { streamFloats = before }
}

// PastCaches reports whether kernels may store a result of that many floats past the caches.
func PastCaches(floats int) bool { return active != Generic && floats >= streamFloats }

// streamable reports whether rows of c values are worth storing past the caches, and consist of whole lines.
func streamable(y []float32, rows, c int) bool {
	return PastCaches(rows*c) && c%cacheLine == 0 && aligned(y)
}

// aligned reports whether a slice begins at a cache line.
func aligned(s []float32) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(s)))%(4*cacheLine) == 0
}

// streamIndex is the index of the kernels that store past the caches, or of those that do not.
func streamIndex(stream bool) int {
	if stream {
		return 1
	}
	return 0
}

// extentOf returns the floats from the first to the last of some rows of c values that begin row floats apart.
func extentOf(rows, c, row int) int { return (rows-1)*row + c }

// gapOf returns the bytes between such rows.
func gapOf(c, row int) int { return 4 * (row - c) }

// streamCopy copies src past the caches to dst, which begins at a cache line.
func streamCopy(dst, src []float32) {
	whole := len(src) / streamRound
	switch {
	case whole == 0:
	case active == AVX512:
		streamCopyAVX512(unsafe.SliceData(dst), unsafe.SliceData(src), whole)
	case active == AVX2:
		streamCopyAVX2(unsafe.SliceData(dst), unsafe.SliceData(src), whole)
	default:
		whole = 0
	}
	copy(dst[whole*streamRound:], src[whole*streamRound:])
}

// fence orders stores past the caches before whatever another thread reads after this. It must follow them, on an instruction set
// that has such stores.
func fence() { storeFence() }

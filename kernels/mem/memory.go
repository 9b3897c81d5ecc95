package mem

import "unsafe"

// Allocate returns n zeros that begin at a cache line, on huge pages where the system has them: kernels walk through
// memory in many streams, and with pages of 4 KiB the processor's table of translations would be too small for them.
func Allocate(n int) []float32 {
	if n == 0 {
		return nil
	}
	slab := Align(make([]float32, n+Line))[:n:n]
	wantHugePages(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(slab))), 4*n))
	return slab
}

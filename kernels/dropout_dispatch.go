package kernels

import "unsafe"

var dropKernels = [...]func(y, x *float32, n int, state uint64, threshold uint32, keep float32){AVX2: dropAVX2,
	AVX512: dropAVX512}

// drop is dropGeneric on the active instruction set.
func drop(y, x []float32, state uint64, threshold uint32, keep float32) {
	y = y[:len(x)]
	kernel := dropKernels[active]
	if kernel == nil {
		dropGeneric(y, x, state, threshold, keep)
		return
	}
	raceRead(x)
	raceWrite(y)
	kernel(unsafe.SliceData(y), unsafe.SliceData(x), len(x), state, threshold, keep)
}

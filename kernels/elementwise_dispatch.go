package kernels

import "unsafe"

// By whether y is stored past the caches, and by instruction set; nil for the portable loop.
var addClampKernels = [2][3]func(y, a, b *float32, n int, lo, hi float32){
	{AVX2: addClampAVX2, AVX512: addClampAVX512},
	{AVX2: addStreamClampAVX2, AVX512: addStreamClampAVX512},
}

// addClamp is addClampGeneric on the active instruction set. With stream, for a y of [streamable] values, it is stored
// past the caches.
func addClamp(y, a, b []float32, lo, hi float32, stream bool) {
	kernel := addClampKernels[streamIndex(stream)][active]
	if kernel == nil {
		addClampGeneric(y, a, b, lo, hi)
		return
	}
	a, b = a[:len(y)], b[:len(y)]
	raceRead(a)
	raceRead(b)
	raceWrite(y)
	kernel(unsafe.SliceData(y), unsafe.SliceData(a), unsafe.SliceData(b), len(y), lo, hi)
}

var mulKernels = [...]func(y, a, b *float32, n int){AVX2: mulAVX2, AVX512: mulAVX512}

// mul is mulGeneric on the active instruction set.
func mul(y, a, b []float32) {
	kernel := mulKernels[active]
	if kernel == nil {
		mulGeneric(y, a, b)
		return
	}
	a, b = a[:len(y)], b[:len(y)]
	raceRead(a)
	raceRead(b)
	raceWrite(y)
	kernel(unsafe.SliceData(y), unsafe.SliceData(a), unsafe.SliceData(b), len(y))
}

var scaleKernels = [...]func(y, x *float32, n int, s float32){AVX2: scaleAVX2, AVX512: scaleAVX512}

// scale is scaleGeneric on the active instruction set.
func scale(y, x []float32, s float32) {
	kernel := scaleKernels[active]
	if kernel == nil {
		scaleGeneric(y, x, s)
		return
	}
	x = x[:len(y)]
	raceRead(x)
	raceWrite(y)
	kernel(unsafe.SliceData(y), unsafe.SliceData(x), len(y), s)
}

var addScaledKernels = [...]func(y, a, x *float32, n int, s float32){AVX2: addScaledAVX2, AVX512: addScaledAVX512}

// addScaled is addScaledGeneric on the active instruction set.
func addScaled(y, a, x []float32, s float32) {
	kernel := addScaledKernels[active]
	if kernel == nil {
		addScaledGeneric(y, a, x, s)
		return
	}
	a, x = a[:len(y)], x[:len(y)]
	raceRead(a)
	raceRead(x)
	raceWrite(y)
	kernel(unsafe.SliceData(y), unsafe.SliceData(a), unsafe.SliceData(x), len(y), s)
}

var sumChannelsKernels = [...]func(sum, x *float32, rows, c int){AVX2: sumChannelsAVX2, AVX512: sumChannelsAVX512}

// sumChannels is sumChannelsGeneric on the active instruction set.
func sumChannels(sum, x []float32, rows int) {
	kernel := sumChannelsKernels[active]
	if kernel == nil {
		sumChannelsGeneric(sum, x, rows)
		return
	}
	c := len(sum)
	if rows*c == 0 {
		return
	}
	x = x[:rows*c]
	raceRead(x)
	raceWrite(sum)
	kernel(unsafe.SliceData(sum), unsafe.SliceData(x), rows, c)
}

var addFloat64Kernels = [...]struct {
	lanes int // float64 values in a vector
	add   func(dst *float64, src *float32, vectors int)
}{AVX2: {4, addFloat64AVX2}, AVX512: {8, addFloat64AVX512}}

// addFloat64 is addFloat64Generic on the active instruction set.
func addFloat64(dst []float64, src []float32) {
	dst = dst[:len(src)]
	raceRead(src)
	if k := addFloat64Kernels[active]; k.add != nil && len(src) >= k.lanes {
		vectors := len(src) / k.lanes
		k.add(unsafe.SliceData(dst), unsafe.SliceData(src), vectors)
		dst, src = dst[vectors*k.lanes:], src[vectors*k.lanes:]
	}
	addFloat64Generic(dst, src)
}

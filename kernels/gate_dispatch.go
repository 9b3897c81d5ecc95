package kernels

import "unsafe"

// By whether results are stored past the caches, and by instruction set; nil for the portable loop.
var scaleRowsKernels = [2][3]func(y, x, gate *float32, rows, c int){
	{AVX2: scaleRowsAVX2, AVX512: scaleRowsAVX512},
	{AVX2: scaleStreamRowsAVX2, AVX512: scaleStreamRowsAVX512},
}

// scaleRows is scaleRowsGeneric on the active instruction set. With stream, for a y of [streamable] rows, it is stored
// past the caches.
func scaleRows(y, x, g []float32, rows int, stream bool) {
	kernel := scaleRowsKernels[streamIndex(stream)][active]
	if kernel == nil {
		scaleRowsGeneric(y, x, g, rows)
		return
	}
	c := len(g)
	if rows*c == 0 {
		return
	}
	y, x = y[:rows*c], x[:rows*c]
	raceRead(x)
	raceRead(g)
	raceWrite(y)
	kernel(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(g), rows, c)
}

var scaleShiftRowsKernels = [...]func(y, x, gate, shift *float32, rows, c int){AVX2: scaleShiftRowsAVX2,
	AVX512: scaleShiftRowsAVX512}

// scaleShiftRows is scaleShiftRowsGeneric on the active instruction set.
func scaleShiftRows(y, x, g, shift []float32, rows int) {
	kernel := scaleShiftRowsKernels[active]
	if kernel == nil {
		scaleShiftRowsGeneric(y, x, g, shift, rows)
		return
	}
	c := len(g)
	if rows*c == 0 {
		return
	}
	y, x, shift = y[:rows*c], x[:rows*c], shift[:c]
	raceRead(x)
	raceRead(g)
	raceRead(shift)
	raceWrite(y)
	kernel(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(g), unsafe.SliceData(shift), rows, c)
}

var gateSumsKernels = [...]func(dg, dy, x *float32, rows, c int){AVX2: gateSumsAVX2, AVX512: gateSumsAVX512}

// gateSums is gateSumsGeneric on the active instruction set.
func gateSums(dg, dy, x []float32, rows int) {
	kernel := gateSumsKernels[active]
	if kernel == nil {
		gateSumsGeneric(dg, dy, x, rows)
		return
	}
	c := len(dg)
	if rows*c == 0 {
		return
	}
	dy, x = dy[:rows*c], x[:rows*c]
	raceRead(dy)
	raceRead(x)
	raceWrite(dg)
	kernel(unsafe.SliceData(dg), unsafe.SliceData(dy), unsafe.SliceData(x), rows, c)
}

var gateRowsKernels = [...]func(dx, dg, dy, x, gate *float32, rows, c int){AVX2: gateRowsAVX2, AVX512: gateRowsAVX512}

// gateRows is gateRowsGeneric on the active instruction set.
func gateRows(dx, dg, dy, x, g []float32, rows int) {
	kernel := gateRowsKernels[active]
	if kernel == nil {
		gateRowsGeneric(dx, dg, dy, x, g, rows)
		return
	}
	c := len(g)
	if rows*c == 0 {
		return
	}
	dx, dy, x = dx[:rows*c], dy[:rows*c], x[:rows*c]
	dg = dg[:c]
	raceRead(dy)
	raceRead(x)
	raceRead(g)
	raceWrite(dx)
	raceWrite(dg)
	kernel(unsafe.SliceData(dx), unsafe.SliceData(dg), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(g),
		rows, c)
}

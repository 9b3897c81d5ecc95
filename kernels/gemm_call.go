package kernels

import "unsafe"

// tileCall is a tile as assembly reads it: addresses, and strides in bytes. aStretch leads from the end of a stretch of the depth
// to the next one. A kernel computes a list of them for band after band of rows: the steps are added to the addresses each time.
// Whoever fills it in keeps alive what they point to.
type tileCall struct {
	depth, stretches                           int
	a                                          uintptr
	aRow, aStep, aStretch                      int
	b                                          uintptr
	bStep                                      int
	ahead                                      uintptr
	aheadStep                                  int
	c                                          uintptr
	cRow                                       int
	from                                       uintptr
	fromRow                                    int
	add                                        uintptr
	addRow                                     int
	bias, shift, sums                          uintptr
	sumsRow                                    int
	rows, cols, flags                          int
	aBand, aheadBand, cBand, fromBand, addBand int
}

func address(s []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(s))) }

// set fills in the call of a tile.
func (c *tileCall) set(t *tile) {
	const size = 4
	flags := t.flags
	if !t.streams() {
		flags &^= flagStream
	}
	*c = tileCall{
		depth: t.depth, stretches: t.stretches,
		a: address(t.left.data), aRow: t.left.row * size, aStep: t.left.step * size,
		aStretch: (t.left.stretch - t.depth*t.left.step) * size,
		b:        address(t.b.data), bStep: t.b.row * size,
		ahead: address(t.ahead.at), aheadStep: t.ahead.perStep * size,
		c: address(t.c.data), cRow: t.c.row * size,
		from: address(t.from.data), fromRow: t.from.row * size,
		add: address(t.add.data), addRow: t.add.row * size,
		bias: address(t.bias), shift: address(t.sums.shift), sums: address(t.sums.sums), sumsRow: t.sums.row * size,
		rows: t.rows, cols: t.cols, flags: flags,
		aBand: t.left.band * size, aheadBand: t.ahead.perBand * size,
		cBand: t.bandSteps.c * size, fromBand: t.bandSteps.from * size, addBand: t.bandSteps.add * size,
	}
}

// tileKernel is an assembly kernel by number, so that calls of it are direct: a list on the stack can then stay there.
type tileKernel int

const (
	kernel6x8AVX512 tileKernel = iota
	kernel6x16AVX512
	kernel6x24AVX512
	kernel6x32AVX512
	kernel9x8AVX512
	kernel9x16AVX512
	kernel9x24AVX512
	kernel9x32AVX512
	kernel12x8AVX512
	kernel12x16AVX512
	kernel12x24AVX512
	kernel12x32AVX512
	kernel3x8AVX2
	kernel3x16AVX2
	kernel6x8AVX2
	kernel6x16AVX2
	kernel6x16BF16
	kernel6x32BF16
	kernel12x16BF16
	kernel12x32BF16
)

// run has the kernel compute a list of tiles, band by band.
func (k tileKernel) run(calls []tileCall, bands int) {
	list, count := (*int)(unsafe.Pointer(unsafe.SliceData(calls))), len(calls)
	switch k {
	case kernel6x8AVX512:
		tile6x8AVX512(list, count, bands)
	case kernel6x16AVX512:
		tile6x16AVX512(list, count, bands)
	case kernel6x24AVX512:
		tile6x24AVX512(list, count, bands)
	case kernel6x32AVX512:
		tile6x32AVX512(list, count, bands)
	case kernel9x8AVX512:
		tile9x8AVX512(list, count, bands)
	case kernel9x16AVX512:
		tile9x16AVX512(list, count, bands)
	case kernel9x24AVX512:
		tile9x24AVX512(list, count, bands)
	case kernel9x32AVX512:
		tile9x32AVX512(list, count, bands)
	case kernel12x8AVX512:
		tile12x8AVX512(list, count, bands)
	case kernel12x16AVX512:
		tile12x16AVX512(list, count, bands)
	case kernel12x24AVX512:
		tile12x24AVX512(list, count, bands)
	case kernel12x32AVX512:
		tile12x32AVX512(list, count, bands)
	case kernel3x8AVX2:
		tile3x8AVX2(list, count, bands)
	case kernel3x16AVX2:
		tile3x16AVX2(list, count, bands)
	case kernel6x8AVX2:
		tile6x8AVX2(list, count, bands)
	case kernel6x16AVX2:
		tile6x16AVX2(list, count, bands)
	case kernel6x16BF16:
		tile6x16BF16(list, count, bands)
	case kernel6x32BF16:
		tile6x32BF16(list, count, bands)
	case kernel12x16BF16:
		tile12x16BF16(list, count, bands)
	case kernel12x32BF16:
		tile12x32BF16(list, count, bands)
	}
}

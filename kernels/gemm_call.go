package kernels

import "unsafe"

// tileCall is a tile as assembly reads it: addresses, and strides in bytes. aMore leads from the end of a stretch of the depth
// to the next one. A kernel computes a list of them for band after band of rows: the steps are added to the addresses each time.
// Whoever fills it in keeps alive what they point to.
type tileCall struct {
	depth, more                               int
	a                                         uintptr
	aRow, aDepth, aMore                       int
	b                                         uintptr
	bDepth                                    int
	soon                                      uintptr
	soonDepth                                 int
	c                                         uintptr
	cRow                                      int
	from                                      uintptr
	fromRow                                   int
	add                                       uintptr
	addRow                                    int
	bias, shift, sums                         uintptr
	sumsRow                                   int
	rows, cols, flags                         int
	aBand, soonBand, cBand, fromBand, addBand int
}

func address(s []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(s))) }

// set fills in the call of a tile.
func (c *tileCall) set(t *tile) {
	const size = 4
	*c = tileCall{
		depth: t.depth, more: t.more,
		a: address(t.a), aRow: t.aRow * size, aDepth: t.aDepth * size, aMore: (t.aMore - t.depth*t.aDepth) * size,
		b: address(t.b), bDepth: t.bDepth * size,
		soon: address(t.soon), soonDepth: t.soonDepth * size,
		c: address(t.c), cRow: t.cRow * size,
		from: address(t.from), fromRow: t.fromRow * size,
		add: address(t.add), addRow: t.addRow * size,
		bias: address(t.bias), shift: address(t.shift), sums: address(t.sums), sumsRow: t.sumsRow * size,
		rows: t.rows, cols: t.cols, flags: t.flags,
		aBand: t.aBand * size, soonBand: t.soonBand * size,
		cBand: t.rows * t.cRow * size, fromBand: t.rows * t.fromRow * size, addBand: t.rows * t.addRow * size,
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

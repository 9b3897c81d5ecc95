package kernels

import "unsafe"

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

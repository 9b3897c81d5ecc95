package gemm

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
		a: address(t.left.Data), aRow: t.left.Row * size, aStep: t.left.step * size,
		aStretch: (t.left.stretch - t.depth*t.left.step) * size,
		b:        address(t.b.Data), bStep: t.b.Row * size,
		ahead: address(t.ahead.at), aheadStep: t.ahead.perStep * size,
		c: address(t.c.Data), cRow: t.c.Row * size,
		from: address(t.from.Data), fromRow: t.from.Row * size,
		add: address(t.add.Data), addRow: t.add.Row * size,
		bias: address(t.bias), shift: address(t.sums.Shift), sums: address(t.sums.Sums), sumsRow: t.sums.Row * size,
		rows: t.Rows, cols: t.Cols, flags: flags,
		aBand: t.left.band * size, aheadBand: t.ahead.perBand * size,
		cBand: t.bandSteps.c * size, fromBand: t.bandSteps.from * size, addBand: t.bandSteps.add * size,
	}
}

package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// epilogue emits what follows the product, pass by pass so that every row's work is a handful of instructions. The
// suffix keeps the labels of two epilogues apart.
func (t *tile) epilogue(suffix string) {
	t.pass("accumulate"+suffix, flagAccumulate, true, func() func(int) { return t.addRows("from", "fromRow") })
	t.pass("bias"+suffix, flagBias, false, func() func(int) {
		bias := t.value("bias")
		values := make([]reg.VecVirtual, t.vectors)
		for v := range values {
			values[v] = t.load(Mem{Base: bias, Disp: v * t.lanes * 4}, v)
		}
		return func(r int) {
			for v, acc := range t.acc[r] {
				VADDPS(values[v], acc, acc)
			}
		}
	})
	t.pass("add"+suffix, flagAdd, true, func() func(int) { return t.addRows("add", "addRow") })
	t.pass("relu"+suffix, flagReLU, false, func() func(int) {
		zero := t.vector()
		VXORPS(zero, zero, zero)
		return func(r int) {
			for v, acc := range t.acc[r] {
				VMAXPS(acc, t.narrowed(zero, v), acc) // this order lets a NaN through
			}
		}
	})
	t.pass("cap"+suffix, flagCap, false, func() func(int) {
		bits, six := GP32(), t.vector()
		MOVL(U32(math.Float32bits(6)), bits)
		VMOVD(bits, six.AsX())
		VBROADCASTSS(six.AsX(), six)
		return func(r int) {
			for v, acc := range t.acc[r] {
				VMINPS(acc, t.narrowed(six, v), acc) // as above
			}
		}
	})
	for v := range t.vectors {
		t.sumColumns(v, fmt.Sprint("sums", v, suffix))
	}
	if t.maskedColumns {
		t.makeVectorMasks() // the sums take the registers of those before
	}
	c := t.value("c")
	cRow := t.value("cRow")
	if t.streams() {
		TESTQ(U32(flagStream), t.flags)
		JZ(LabelRef("cached"))
		for r := range t.rows {
			for v, acc := range t.acc[r] {
				VMOVNTPS(acc, Mem{Base: c, Disp: v * t.lanes * 4})
			}
			if r < t.rows-1 {
				ADDQ(cRow, c)
			}
		}
		JMP(LabelRef("next"))
		Label("cached")
	}
	for r := range t.rows {
		if r > 0 {
			CMPQ(t.limit, U8(uint8(r)))
			JLE(LabelRef("stored" + suffix))
		}
		for v, acc := range t.acc[r] {
			t.store(acc, Mem{Base: c, Disp: v * t.lanes * 4}, v)
		}
		ADDQ(cRow, c)
	}
	Label("stored" + suffix)
}

// sumColumns adds a vector of columns, less their shift, to the first row of sums, and the squares to the second. Whole
// vectors of shift and sums exist, so that no mask takes a register.
func (t *tile) sumColumns(v int, name string) {
	TESTQ(U32(flagSums), t.flags)
	JZ(LabelRef("no" + name))
	shift, sums, row := t.value("shift"), t.value("sums"), t.value("sumsRow")
	offset := v * t.lanes * 4
	atSum, atSquares := Mem{Base: sums, Disp: offset}, Mem{Base: sums, Index: row, Scale: 1, Disp: offset}
	sum, squares, d := t.register(v), t.register(v), t.register(v)
	VMOVUPS(atSum, sum)
	VMOVUPS(atSquares, squares)
	for r := range t.rows {
		if r > 0 {
			CMPQ(t.limit, U8(uint8(r)))
			JLE(LabelRef("summed" + name))
		}
		VSUBPS(Mem{Base: shift, Disp: offset}, t.acc[r][v], d)
		VADDPS(d, sum, sum)
		VFMADD231PS(d, d, squares)
	}
	Label("summed" + name)
	VMOVUPS(sum, atSum)
	VMOVUPS(squares, atSquares)
	Label("no" + name)
}

// streams reports whether the kernel can store past the caches: whole lines only, so that there is one in the widest
// tile.
func (t *tile) streams() bool {
	return t.rows == wideTiles.rows[0] && t.cols == wideTiles.cols[0] && t.lanes == wide.lanes
}

// pass emits code for every row that runs only if the flag is set; begin emits what comes before the rows. Rows that
// touch memory have to stop at the limit.
func (t *tile) pass(name string, flag uint32, limited bool, begin func() func(row int)) {
	TESTQ(U32(flag), t.flags)
	JZ(LabelRef("no" + name))
	row := begin()
	for r := range t.rows {
		if r > 0 && limited {
			CMPQ(t.limit, U8(uint8(r)))
			JLE(LabelRef("no" + name))
		}
		row(r)
	}
	Label("no" + name)
}

// addRows adds a row of the matrix to each row of accumulators.
func (t *tile) addRows(base, step string) func(int) {
	at := t.value(base)
	row := t.value(step)
	return func(r int) {
		for v, acc := range t.acc[r] {
			VADDPS(t.load(Mem{Base: at, Disp: v * t.lanes * 4}, v), acc, acc)
		}
		ADDQ(row, at)
	}
}

// makeOpMasks sets one mask register per vector to the columns that exist.
func (t *tile) makeOpMasks() {
	bits := GP64()
	MOVQ(t.width, reg.RCX)
	MOVQ(U32(1), bits)
	SHLQ(reg.CL, bits)
	DECQ(bits)
	t.masks = nil
	for range t.vectors {
		mask := K()
		KMOVW(bits.As32(), mask)
		SHRQ(U8(uint8(t.lanes)), bits)
		t.masks = append(t.masks, mask)
	}
}

// makeVectorMasks loads one vector of ones and zeros per vector of columns.
func (t *tile) makeVectorMasks() {
	table := GP64()
	LEAQ(t.tailMask, table)
	first := GP64()
	MOVQ(U32(uint32(t.cols)), first)
	SUBQ(t.width, first)
	t.masks = nil
	for v := range t.vectors {
		mask := t.vector()
		// The table's ones end at 2·lanes, whatever the width of the tile.
		VMOVUPS(Mem{Base: table, Index: first, Scale: 4, Disp: 4 * ((2-t.vectors)*t.lanes + v*t.lanes)}, mask)
		t.masks = append(t.masks, mask)
	}
}

func tailMaskTable() Mem {
	table := GLOBL("tailMask", RODATA|NOPTR)
	for i := range 32 {
		value := U32(0)
		if i < 16 {
			value = ^value
		}
		DATA(4*i, value)
	}
	return table
}

func (t *tile) load(from Mem, v int) reg.VecVirtual {
	to := t.register(v)
	switch {
	case t.name == "AVX512":
		VMOVUPS_Z(from, t.masks[v], to)
	case t.maskedColumns:
		VMASKMOVPS(from, t.masks[v], to)
	default:
		VMOVUPS(from, to)
	}
	return to
}

func (t *tile) store(from reg.VecVirtual, to Mem, v int) {
	switch {
	case t.name == "AVX512":
		VMOVUPS(from, t.masks[v], to)
	case t.maskedColumns:
		VMASKMOVPS(from, t.masks[v], to)
	default:
		VMOVUPS(from, to)
	}
}

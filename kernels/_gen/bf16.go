package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("bf16", "gemm", bf16) }

// bf16 emits the register tiles of products of bf16 pairs, and what rounds floats to pairs.
func bf16() {
	pairTiles.each(func(rows, cols int) {
		t := newTile(wide, rows, cols)
		t.suffix, t.multiplyAdd = pairTiles.suffix, dotPairs.accumulate
		t.emit()
	})
	pairColumns()
	pairRows()
}

// maskOf returns a mask of as many ones as bits says, from the lowest on.
func maskOf(bits reg.GPVirtual) reg.OpmaskVirtual {
	ones, mask := GP64(), K()
	MOVQ(bits, reg.RCX)
	MOVQ(U32(1), ones)
	SHLQ(reg.CL, ones)
	DECQ(ones)
	KMOVD(ones.As32(), mask)
	return mask
}

// pairColumns rounds 32 columns at a time: two vectors of floats make one vector of pairs.
func pairColumns() {
	TEXT("pairColumnsBF16", NOSPLIT, "func(dst *float32, dstRow int, src *float32, srcRow, rows, cols int)")
	Doc("pairColumnsBF16 rounds neighbouring columns to pairs, see PairColumns; strides are in bytes.")
	dst, dstRow := Load(Param("dst"), GP64()), Load(Param("dstRow"), GP64())
	src, srcRow := Load(Param("src"), GP64()), Load(Param("srcRow"), GP64())
	rows, cols := Load(Param("rows"), GP64()), Load(Param("cols"), GP64())
	rest, even := GP64(), GP64()
	MOVQ(cols, rest)
	ANDQ(U8(31), rest)
	tail, high := maskOf(rest), K()
	KSHIFTRD(U8(16), tail, high)
	MOVQ(rest, even)
	INCQ(even)
	ANDQ(I32(-2), even)
	stored := maskOf(even)
	whole := GP64()
	MOVQ(cols, whole)
	ANDQ(I32(-32), whole)
	offset := GP64()
	a, b := ZMM(), ZMM()

	Label("row")
	XORQ(offset, offset)
	CMPQ(offset, whole)
	JE(LabelRef("tail"))
	Label("vector")
	VMOVUPS(Mem{Base: src, Index: offset, Scale: 4}, a)
	VMOVUPS(Mem{Base: src, Index: offset, Scale: 4, Disp: 64}, b)
	roundPairs.compute(a, b, a)
	VMOVUPS(a, Mem{Base: dst, Index: offset, Scale: 2})
	ADDQ(U8(32), offset)
	CMPQ(offset, whole)
	JLT(LabelRef("vector"))
	Label("tail")
	TESTQ(rest, rest)
	JZ(LabelRef("next"))
	VMOVUPS_Z(Mem{Base: src, Index: offset, Scale: 4}, tail, a)
	VMOVUPS_Z(Mem{Base: src, Index: offset, Scale: 4, Disp: 64}, high, b)
	roundPairs.compute(a, b, a)
	VMOVDQU16(a, stored, Mem{Base: dst, Index: offset, Scale: 2})
	Label("next")
	ADDQ(srcRow, src)
	ADDQ(dstRow, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// pairRows rounds 16 columns of two rows at a time, and brings each column's two together.
func pairRows() {
	order := GLOBL("pairOrder", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(uint32(i|(i+16)<<16)))
	}
	TEXT("pairRowsBF16", NOSPLIT, "func(dst *float32, dstRow int, src *float32, srcRow, pairs, cols, second int)")
	Doc("pairRowsBF16 rounds neighbouring rows to pairs, see PairRows; strides are in bytes. Where second is 0 there",
		"are no second rows, and zeros take their place.")
	dst, dstRow := Load(Param("dst"), GP64()), Load(Param("dstRow"), GP64())
	src, srcRow := Load(Param("src"), GP64()), Load(Param("srcRow"), GP64())
	pairs, cols := Load(Param("pairs"), GP64()), Load(Param("cols"), GP64())
	second := Load(Param("second"), GP64())
	rest := GP64()
	MOVQ(cols, rest)
	ANDQ(U8(15), rest)
	tail := maskOf(rest)
	exists, tailExists := K(), K()
	NEGQ(second) // all ones if there is one
	KMOVD(second.(reg.GP).As32(), exists)
	KANDD(tail, exists, tailExists)
	whole := GP64()
	MOVQ(cols, whole)
	ANDQ(I32(-16), whole)
	offset, below := GP64(), GP64()
	a, b, permutation := ZMM(), ZMM(), ZMM()
	VMOVUPS(order, permutation)

	Label("pair")
	LEAQ(Mem{Base: src, Index: srcRow, Scale: 1}, below)
	XORQ(offset, offset)
	CMPQ(offset, whole)
	JE(LabelRef("tail"))
	Label("vector")
	VMOVUPS(Mem{Base: src, Index: offset, Scale: 4}, a)
	VMOVUPS_Z(Mem{Base: below, Index: offset, Scale: 4}, exists, b)
	roundPairs.compute(a, b, a)
	VPERMW(a, permutation, a)
	VMOVUPS(a, Mem{Base: dst, Index: offset, Scale: 4})
	ADDQ(U8(16), offset)
	CMPQ(offset, whole)
	JLT(LabelRef("vector"))
	Label("tail")
	TESTQ(rest, rest)
	JZ(LabelRef("next"))
	VMOVUPS_Z(Mem{Base: src, Index: offset, Scale: 4}, tail, a)
	VMOVUPS_Z(Mem{Base: below, Index: offset, Scale: 4}, tailExists, b)
	roundPairs.compute(a, b, a)
	VPERMW(a, permutation, a)
	VMOVUPS(a, tail, Mem{Base: dst, Index: offset, Scale: 4})
	Label("next")
	LEAQ(Mem{Base: src, Index: srcRow, Scale: 2}, src)
	ADDQ(dstRow, dst)
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	VZEROUPPER()
	RET()
}

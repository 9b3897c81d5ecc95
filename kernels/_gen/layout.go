package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("layout", "vec", layout) }

// layout emits the kernels that move data into the order the products read it in.
func layout() {
	copyRowsAVX512()
	copyRowsAVX2()
	transpose8()
	addRows(wide)
	addRows(narrow)
}

// copyRowsAVX512 copies rows by whole vectors and a masked tail.
func copyRowsAVX512() {
	TEXT("copyRowsAVX512", NOSPLIT, "func(dst *float32, dstRow int, src *float32, srcRow, rows, cols int)")
	Doc("copyRowsAVX512 copies rows × cols floats; strides are in bytes.")
	dst, dstRow := Load(Param("dst"), GP64()), Load(Param("dstRow"), GP64())
	src, srcRow := Load(Param("src"), GP64()), Load(Param("srcRow"), GP64())
	rows, cols := Load(Param("rows"), GP64()), Load(Param("cols"), GP64())
	MOVQ(cols, reg.RCX)
	ANDQ(U8(15), reg.RCX)
	bits, tail := GP64(), K()
	MOVQ(U32(1), bits)
	SHLQ(reg.CL, bits)
	DECQ(bits)
	KMOVW(bits.As32(), tail)
	whole := GP64()
	MOVQ(cols, whole)
	ANDQ(I32(-16), whole)
	offset := GP64()
	v := ZMM()

	Label("row")
	XORQ(offset, offset)
	CMPQ(offset, whole)
	JE(LabelRef("tail"))
	Label("vector")
	VMOVUPS(Mem{Base: src, Index: offset, Scale: 4}, v)
	VMOVUPS(v, Mem{Base: dst, Index: offset, Scale: 4})
	ADDQ(U8(16), offset)
	CMPQ(offset, whole)
	JLT(LabelRef("vector"))
	Label("tail")
	TESTQ(bits, bits)
	JZ(LabelRef("next"))
	VMOVUPS_Z(Mem{Base: src, Index: offset, Scale: 4}, tail, v)
	VMOVUPS(v, tail, Mem{Base: dst, Index: offset, Scale: 4})
	Label("next")
	ADDQ(srcRow, src)
	ADDQ(dstRow, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// copyRowsAVX2 copies rows by whole vectors, and a tail by a half, a quarter and an eighth of one.
func copyRowsAVX2() {
	TEXT("copyRowsAVX2", NOSPLIT, "func(dst *float32, dstRow int, src *float32, srcRow, rows, cols int)")
	Doc("copyRowsAVX2 copies rows × cols floats; strides are in bytes.")
	dst, dstRow := Load(Param("dst"), GP64()), Load(Param("dstRow"), GP64())
	src, srcRow := Load(Param("src"), GP64()), Load(Param("srcRow"), GP64())
	rows, cols := Load(Param("rows"), GP64()), Load(Param("cols"), GP64())
	whole := GP64()
	MOVQ(cols, whole)
	ANDQ(I32(-8), whole)
	offset := GP64()
	v, two, single := YMM(), GP64(), GP32()

	Label("row")
	XORQ(offset, offset)
	CMPQ(offset, whole)
	JE(LabelRef("tail"))
	Label("vector")
	VMOVUPS(Mem{Base: src, Index: offset, Scale: 4}, v)
	VMOVUPS(v, Mem{Base: dst, Index: offset, Scale: 4})
	ADDQ(U8(8), offset)
	CMPQ(offset, whole)
	JLT(LabelRef("vector"))
	Label("tail")
	TESTQ(U32(4), cols)
	JZ(LabelRef("two"))
	VMOVUPS(Mem{Base: src, Index: offset, Scale: 4}, v.AsX())
	VMOVUPS(v.AsX(), Mem{Base: dst, Index: offset, Scale: 4})
	ADDQ(U8(4), offset)
	Label("two")
	TESTQ(U32(2), cols)
	JZ(LabelRef("single"))
	MOVQ(Mem{Base: src, Index: offset, Scale: 4}, two)
	MOVQ(two, Mem{Base: dst, Index: offset, Scale: 4})
	ADDQ(U8(2), offset)
	Label("single")
	TESTQ(U32(1), cols)
	JZ(LabelRef("next"))
	MOVL(Mem{Base: src, Index: offset, Scale: 4}, single)
	MOVL(single, Mem{Base: dst, Index: offset, Scale: 4})
	Label("next")
	ADDQ(srcRow, src)
	ADDQ(dstRow, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// transpose8 turns eight rows into columns of eight, 8×8 elements at a time.
func transpose8() {
	TEXT("transpose8AVX2", NOSPLIT, "func(dst *float32, dstRow int, src *float32, srcRow, blocks int)")
	Doc("transpose8AVX2 writes element k of eight source rows to row k of dst, for k < 8·blocks; strides are in bytes.")
	dst, dstRow := Load(Param("dst"), GP64()), Load(Param("dstRow"), GP64())
	src, srcRow := Load(Param("src"), GP64()), Load(Param("srcRow"), GP64())
	blocks := Load(Param("blocks"), GP64())
	src4, srcRow3 := GP64(), GP64()
	LEAQ(Mem{Base: srcRow, Index: srcRow, Scale: 2}, srcRow3)
	LEAQ(Mem{Base: src, Index: srcRow, Scale: 4}, src4)
	row := func(base reg.Register, i, disp int) Mem {
		m := Mem{Base: base, Disp: disp}
		switch i {
		case 1, 2:
			m.Index, m.Scale = srcRow, uint8(i)
		case 3:
			m.Index, m.Scale = srcRow3, 1
		}
		return m
	}
	Label("block")
	for _, disp := range []int{0, 16} { // columns 0 to 3, then 4 to 7
		var in, mixed, out [4]reg.VecVirtual
		for i := range in { // source rows i and i+4 side by side
			low := XMM()
			VMOVUPS(row(src, i, disp), low)
			in[i] = YMM()
			VINSERTF128(U8(1), row(src4, i, disp), low.AsY(), in[i])
			mixed[i], out[i] = YMM(), YMM()
		}
		VUNPCKLPS(in[1], in[0], mixed[0])
		VUNPCKHPS(in[1], in[0], mixed[1])
		VUNPCKLPS(in[3], in[2], mixed[2])
		VUNPCKHPS(in[3], in[2], mixed[3])
		for i := range out {
			order := U8(0x44)
			if i%2 == 1 {
				order = 0xEE
			}
			VSHUFPS(order, mixed[2+i/2], mixed[i/2], out[i])
			VMOVUPS(out[i], Mem{Base: dst})
			ADDQ(dstRow, dst)
		}
	}
	ADDQ(U8(32), src)
	ADDQ(U8(32), src4)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// addRows adds rows up, four vectors of columns at a time, then one.
func addRows(set vectorSet) {
	name := "addRows" + set.name
	TEXT(name, NOSPLIT, "func(dst *float32, src *float32, srcRow, rows, vectors int)")
	Doc(name + " adds rows of src to dst, whole vectors of columns only; srcRow is in bytes.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	srcRow, rows := Load(Param("srcRow"), GP64()), Load(Param("rows"), GP64())
	vectors := Load(Param("vectors"), GP64())
	for _, width := range []int{4, 1} {
		again, row, done := fmt.Sprintf("columns%d", width), fmt.Sprintf("row%d", width), fmt.Sprintf("done%d", width)
		Label(again)
		CMPQ(vectors, U8(uint8(width)))
		JLT(LabelRef(done))
		acc := make([]reg.VecVirtual, width)
		for v := range acc {
			acc[v] = set.vector()
			VMOVUPS(Mem{Base: dst, Disp: 4 * v * set.lanes}, acc[v])
		}
		from, left := GP64(), GP64()
		MOVQ(src, from)
		MOVQ(rows, left)
		Label(row)
		for v := range acc {
			VADDPS(Mem{Base: from, Disp: 4 * v * set.lanes}, acc[v], acc[v])
		}
		ADDQ(srcRow, from)
		DECQ(left)
		JNZ(LabelRef(row))
		for v := range acc {
			VMOVUPS(acc[v], Mem{Base: dst, Disp: 4 * v * set.lanes})
		}
		ADDQ(U32(uint32(4*width*set.lanes)), src)
		ADDQ(U32(uint32(4*width*set.lanes)), dst)
		SUBQ(U8(uint8(width)), vectors)
		JMP(LabelRef(again))
		Label(done)
	}
	VZEROUPPER()
	RET()
}

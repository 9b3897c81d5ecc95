package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("peak", peak) }

// peak emits the loops that measure what bounds all others: the FMA rate, with enough independent chains to hide the
// latency of every unit, and the memory bandwidth.
func peak() {
	fmaChains("fmaChainsAVX512", ZMM, 24)
	fmaChains("fmaChainsAVX2", YMM, 12)
	streamCopy(wide)
	streamCopy(narrow)
}

// fmaChains emits a function that runs a number of independent multiply-add chains, each rounds long.
func fmaChains(name string, vector func() reg.VecVirtual, chains int) {
	TEXT(name, NOSPLIT, "func(rounds int)")
	Doc(name + " runs independent fused multiply-add chains of the given length in registers.")
	rounds := Load(Param("rounds"), GP64())
	x, y := vector(), vector()
	acc := make([]reg.VecVirtual, chains)
	VXORPS(x, x, x)
	VXORPS(y, y, y)
	for i := range acc {
		acc[i] = vector()
		VXORPS(acc[i], acc[i], acc[i])
	}
	Label("loop")
	for i := range acc {
		VFMADD231PS(x, y, acc[i])
	}
	DECQ(rounds)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// streamBytes is how much a round of streamCopy copies, as in stream.go.
const streamBytes = 256

// streamCopy emits a copy whose results go past the caches.
func streamCopy(set vectorSet) {
	name := "streamCopy" + set.name
	TEXT(name, NOSPLIT, "func(dst, src *float32, rounds int)")
	Doc(name + " copies 256 bytes a round past the caches; dst must be aligned to vectors.")
	dst, src, rounds := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("rounds"), GP64())
	Label("loop")
	for at := 0; at < streamBytes; at += 4 * set.lanes {
		v := set.vector()
		VMOVUPS(Mem{Base: src, Disp: at}, v)
		VMOVNTPS(v, Mem{Base: dst, Disp: at})
	}
	ADDQ(U32(streamBytes), src)
	ADDQ(U32(streamBytes), dst)
	DECQ(rounds)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

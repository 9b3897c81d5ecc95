package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("peak", "measure", peak) }

// peak emits the loops that measure the FMA rate, with enough independent chains to hide the latency of every unit.
func peak() {
	fmaChains("fmaChainsAVX512", ZMM, 24)
	fmaChains("fmaChainsAVX2", YMM, 12)
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

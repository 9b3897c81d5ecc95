package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func init() { register("pause", "parallel", pause) }

// pause emits the loop of a thread that waits for another one without getting in its way.
func pause() {
	TEXT("pause", NOSPLIT, "func(n int)")
	Doc("pause does nothing for n times some tens of clock cycles, n > 0.")
	left := Load(Param("n"), GP64())
	Label("loop")
	PAUSE()
	DECQ(left)
	JNZ(LabelRef("loop"))
	RET()
}

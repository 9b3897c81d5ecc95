package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func init() {
	register("stream", "mem", stream)
	shared["stream"] = func() string {
		const comment = "// streamRound is how many floats a round of StreamCopy copies."
		return fmt.Sprintf("%s\nconst streamRound = %d\n", comment, streamBytes/4)
	}
}

// stream emits what stores past the caches.
func stream() {
	streamCopy(wide)
	streamCopy(narrow)
	storeFence()
}

// streamBytes is how much a round of StreamCopy copies.
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

// storeFence orders stores past the caches, which are otherwise not.
func storeFence() {
	TEXT("storeFence", NOSPLIT, "func()")
	Doc("storeFence returns when stores past the caches can be seen by all threads.")
	SFENCE()
	RET()
}

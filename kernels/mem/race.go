//go:build race

package mem

import (
	"runtime"
	"unsafe"
)

// RaceRead and RaceWrite tell the race detector, which does not see into assembly, what a kernel is about to touch.
func RaceRead(x []float32) {
	if len(x) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
	}
}

func RaceWrite(x []float32) {
	if len(x) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
	}
}

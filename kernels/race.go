//go:build race

package kernels

import (
	"runtime"
	"unsafe"
)

// raceRead and raceWrite tell the race detector, which does not see into assembly, what a kernel is about to touch.
func raceRead(x []float32) {
	if len(x) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
	}
}

func raceWrite(x []float32) {
	if len(x) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
	}
}

//go:build race

package mem

import (
	"runtime"
	"unsafe"
)

// RaceRead tells the race detector, which does not see into assembly, that a kernel is about to read x.
func RaceRead(x []float32) {
	if len(x) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
	}
}

// RaceWrite tells it that a kernel is about to write x.
func RaceWrite(x []float32) {
	if len(x) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x))
	}
}

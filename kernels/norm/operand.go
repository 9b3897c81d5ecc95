package norm

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/mem"
)

// reads returns where assembly reads n values of x, which has as many.
func reads(x []float32, n int) *float32 {
	x = x[:n]
	mem.RaceRead(x)
	return unsafe.SliceData(x)
}

// writes returns where assembly writes n values of x, which has room for them.
func writes(x []float32, n int) *float32 {
	x = x[:n]
	mem.RaceWrite(x)
	return unsafe.SliceData(x)
}

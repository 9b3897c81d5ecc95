package mem

import "unsafe"

// Reads returns where assembly reads n values of x, which has as many, and tells the race detector.
func Reads(x []float32, n int) *float32 {
	x = x[:n]
	RaceRead(x)
	return unsafe.SliceData(x)
}

// Writes returns where assembly writes n values of x, which has room for them, and tells the race detector.
func Writes(x []float32, n int) *float32 {
	x = x[:n]
	RaceWrite(x)
	return unsafe.SliceData(x)
}

package mem

import "unsafe"

// Line is how many float32 values a cache line holds: 64 bytes. Scratch is aligned to it.
const Line = 16

// Align drops the first elements of ws up to the next cache line.
func Align(ws []float32) []float32 {
	address := uintptr(unsafe.Pointer(unsafe.SliceData(ws)))
	skip := int(-address%(4*Line)) / 4
	return ws[min(skip, len(ws)):]
}

// Aligned reports whether a slice begins at a cache line.
func Aligned(s []float32) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(s)))%(4*Line) == 0
}

// PaddedRow returns the distance, in floats, of the rows of a gathered block with depth values each: whole cache lines,
// an odd number of them, so that the rows of a tile fall into different sets of the cache.
func PaddedRow(depth int) int {
	return (CeilDiv(depth, Line) | 1) * Line
}

// Scratch cuts pieces off a workspace, each beginning at a cache line. One that counts has no workspace: its pieces are
// nil, and Size says how much they would take. So the code that takes scratch is the code that counts it.
type Scratch struct {
	Rest   []float32 // what is left of the workspace
	taken  int
	counts bool
}

// NewScratch returns a scratch that cuts pieces off ws.
func NewScratch(ws []float32) Scratch { return Scratch{Rest: Align(ws)} }

// CountingScratch returns a scratch that counts.
func CountingScratch() Scratch { return Scratch{counts: true} }

// Take cuts off the next n floats, rounded up to whole cache lines. It panics if the workspace has fewer.
func (s *Scratch) Take(n int) []float32 {
	n = RoundUp(n, Line)
	if s.taken += n; s.counts {
		return nil
	}
	piece := s.Rest[:n:n]
	s.Rest = s.Rest[n:]
	return piece
}

// Size returns the floats that a workspace has to have for the pieces taken, wherever it begins: a multiple of a cache
// line.
func (s *Scratch) Size() int { return s.taken + Line }

// Float64Size returns how many floats of a workspace TakeFloat64 needs for n values.
func Float64Size(n int) int { return 2*n + 1 }

// TakeFloat64 uses the head of a workspace as n float64 values and returns the rest of it.
func TakeFloat64(ws []float32, n int) (values []float64, rest []float32) {
	head := ws[:Float64Size(n)]
	if uintptr(unsafe.Pointer(unsafe.SliceData(head)))%8 != 0 {
		head = head[1:]
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(head))), n), ws[Float64Size(n):]
}

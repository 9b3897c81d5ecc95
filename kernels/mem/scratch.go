package mem

import "unsafe"

// CeilDiv returns a/b, rounded up.
func CeilDiv(a, b int) int { return (a + b - 1) / b }

// RoundUp returns the smallest multiple of step that is at least n.
func RoundUp(n, step int) int { return CeilDiv(n, step) * step }

// Line is the alignment of scratch memory, in floats.
const Line = 16

// Align drops the first elements of ws up to the next cache line.
func Align(ws []float32) []float32 {
	address := uintptr(unsafe.Pointer(unsafe.SliceData(ws)))
	skip := int(-address%(4*Line)) / 4
	return ws[min(skip, len(ws)):]
}

// Scratch cuts pieces off a workspace, each beginning at a cache line. One that counts has no workspace: its pieces are
// nil, and size says how much they would take. So the code that takes scratch is the code that counts it.
type Scratch struct {
	Rest   []float32
	taken  int
	counts bool
}

func NewScratch(ws []float32) Scratch { return Scratch{Rest: Align(ws)} }

// CountedScratch returns one that counts.
func CountedScratch() Scratch { return Scratch{counts: true} }

func (s *Scratch) Take(n int) []float32 {
	n = RoundUp(n, Line)
	if s.taken += n; s.counts {
		return nil
	}
	piece := s.Rest[:n:n]
	s.Rest = s.Rest[n:]
	return piece
}

// size returns the floats that a workspace has to have for the pieces taken, wherever it begins: a multiple of a cache
// line.
func (s *Scratch) Size() int { return s.taken + Line }

// PaddedRow is the distance of the rows of a gathered block: whole cache lines, an odd number of them, so that the
// rows of a tile fall into different sets of the cache.
func PaddedRow(depth int) int {
	return (CeilDiv(depth, Line) | 1) * Line
}

// Float64Space is what TakeFloat64 needs of a workspace for n values, in floats.
func Float64Space(n int) int { return 2*n + 1 }

// TakeFloat64 uses the head of a workspace as n float64 values and returns the rest of it.
func TakeFloat64(ws []float32, n int) (values []float64, rest []float32) {
	head := ws[:Float64Space(n)]
	if uintptr(unsafe.Pointer(unsafe.SliceData(head)))%8 != 0 {
		head = head[1:]
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(head))), n), ws[Float64Space(n):]
}

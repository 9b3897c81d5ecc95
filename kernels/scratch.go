package kernels

import "unsafe"

// ceilDiv returns a/b, rounded up.
func ceilDiv(a, b int) int { return (a + b - 1) / b }

// roundUp returns the smallest multiple of step that is at least n.
func roundUp(n, step int) int { return ceilDiv(n, step) * step }

// cacheLine is the alignment of scratch memory, in floats.
const cacheLine = 16

// alignScratch drops the first elements of ws up to the next cache line.
func alignScratch(ws []float32) []float32 {
	address := uintptr(unsafe.Pointer(unsafe.SliceData(ws)))
	skip := int(-address%(4*cacheLine)) / 4
	return ws[min(skip, len(ws)):]
}

// scratch cuts pieces off a workspace, each beginning at a cache line. One that counts has no workspace: its pieces are
// nil, and size says how much they would take. So the code that takes scratch is the code that counts it.
type scratch struct {
	rest   []float32
	taken  int
	counts bool
}

func newScratch(ws []float32) scratch { return scratch{rest: alignScratch(ws)} }

// countedScratch returns one that counts.
func countedScratch() scratch { return scratch{counts: true} }

func (s *scratch) take(n int) []float32 {
	n = roundUp(n, cacheLine)
	if s.taken += n; s.counts {
		return nil
	}
	piece := s.rest[:n:n]
	s.rest = s.rest[n:]
	return piece
}

// size returns the floats that a workspace has to have for the pieces taken, wherever it begins: a multiple of a cache
// line.
func (s *scratch) size() int { return s.taken + cacheLine }

// gatheredRow is the distance of the rows of a gathered block: whole cache lines, an odd number of them, so that the
// rows of a tile fall into different sets of the cache.
func gatheredRow(depth int) int {
	return (ceilDiv(depth, cacheLine) | 1) * cacheLine
}

// float64Space is what takeFloat64 needs of a workspace for n values, in floats.
func float64Space(n int) int { return 2*n + 1 }

// takeFloat64 uses the head of a workspace as n float64 values and returns the rest of it.
func takeFloat64(ws []float32, n int) (values []float64, rest []float32) {
	head := ws[:float64Space(n)]
	if uintptr(unsafe.Pointer(unsafe.SliceData(head)))%8 != 0 {
		head = head[1:]
	}
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(head))), n), ws[float64Space(n):]
}

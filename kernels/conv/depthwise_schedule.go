package conv

import "github.com/reidbench/reidbench/kernels/mem"

// depthwiseSchedule is how images are cut: into bands of lines, and those into blocks of channels. The pieces follow
// each other block by block, band by band and image by image; a task has some bands of one image. So what is read after
// a piece is always known, and can be fetched while it is computed.
type depthwiseSchedule struct {
	blocks int // of channels
	h      int // lines of an image
	lines  int // of a band
	bands  int // of a task
	tasks  int // of an image
}

// depthwisePiece is one block of channels of a band: some lines of image n.
type depthwisePiece struct{ n, begin, lines, block int }

// Floats that the panels of a band may have. Larger bands read fewer lines twice.
const (
	nearPanels  = 6 << 10  // of a pass over the images: they fit into the first-level cache
	farPanels   = 24 << 10 // where the kernel itself fetches what comes next
	jointPanels = 10 << 10 // of the joint backward pass
)

// newDepthwiseSchedule makes bands as large as their panels may be; size returns the floats of the panels of some
// lines.
func newDepthwiseSchedule(c, h, limit int, size func(lines int) int) depthwiseSchedule {
	const manyLines = 16
	lines := h
	for lines > 1 && size(lines) > limit {
		lines--
	}
	lines = mem.EqualParts(h, lines) // of nearly the same size
	bands := mem.CeilDiv(min(h, manyLines), lines)
	return depthwiseSchedule{
		blocks: mem.CeilDiv(c, channelBlock), h: h, lines: lines, bands: bands, tasks: mem.CeilDiv(h, lines*bands),
	}
}

// piece returns the first piece of a task, counted over all images.
func (s *depthwiseSchedule) piece(task int) depthwisePiece {
	begin := task % s.tasks * s.bands * s.lines
	return depthwisePiece{n: task / s.tasks, begin: begin, lines: min(s.lines, s.h-begin)}
}

// following returns the piece after one.
func (s *depthwiseSchedule) following(at depthwisePiece) depthwisePiece {
	if at.block++; at.block < s.blocks {
		return at
	}
	if at.block, at.begin = 0, at.begin+s.lines; at.begin >= s.h {
		at.n, at.begin = at.n+1, 0
	}
	at.lines = min(s.lines, s.h-at.begin)
	return at
}

// fetching is what a kernel brings into the second-level cache while it computes: a cache line each of some pixels in
// two places. Panels are filled from there, and memory is busy all the time instead of only while they are.
type fetching struct {
	soon, also []float32 // from the first pixel on
	step       int       // floats from one pixel to the next
	count      int       // pixels in each place
}

// fetch returns a number of pixels that are step floats apart, from src[at] on, as two halves; nothing if
// src ends before.
func fetch(src []float32, at, pixels, step int) fetching {
	half := mem.CeilDiv(pixels, 2)
	if at+2*half*step >= len(src) {
		return fetching{}
	}
	return fetching{src[at:], src[at+half*step:], step, half}
}

// fetchBoth returns the pixels at the same place of two tensors; nothing if one ends before.
func fetchBoth(a, b []float32, at, pixels, step int) fetching {
	if at+pixels*step >= min(len(a), len(b)) {
		return fetching{}
	}
	return fetching{a[at:], b[at:], step, pixels}
}

// part returns one of some equal parts.
func (f fetching) part(index, parts int) fetching {
	size := mem.CeilDiv(f.count, parts)
	first := min(index*size, f.count)
	return fetching{f.soon[first*f.step:], f.also[first*f.step:], f.step, min(size, f.count-first)}
}

// perTile returns how many pixels each tile of a kernel fetches in both places.
func (f *fetching) perTile(pixels, lines int) int {
	const tile = 8 // pixels that the kernels compute at once
	return mem.CeilDiv(f.count, mem.CeilDiv(pixels, tile)*lines)
}

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

// How many floats the panels of a band may have: those of a pass over the images fit into the first-level cache. Larger
// bands read fewer lines twice, and pay where the kernel itself fetches what comes next; those of the joint backward
// pass, a little.
const (
	nearPanels  = 6 << 10
	farPanels   = 24 << 10
	jointPanels = 10 << 10
)

// newDepthwiseSchedule makes bands as large as their panels may be, where size returns the floats of those for some
// lines.
func newDepthwiseSchedule(c, h, limit int, size func(lines int) int) depthwiseSchedule {
	const manyLines = 16
	lines := h
	for lines > 1 && size(lines) > limit {
		lines--
	}
	lines = mem.CeilDiv(h, mem.CeilDiv(h, lines)) // of nearly the same size
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

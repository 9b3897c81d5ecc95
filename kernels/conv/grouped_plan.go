package conv

import "github.com/reidbench/reidbench/kernels/mem"

// groupedPlan is how the work of a call is cut. It depends on the shape, the number of images and the instruction set.
//
// A block is the input that a strip of output lines of one image sees, of as many groups as fit side by side. Blocks
// that use the same weights follow each other for some small images, then come the next groups.
type groupedPlan struct {
	groupedLanes
	shape    *groupedShape
	n        int // images
	sections int // blocks side by side that have all groups
	column   int // positions in a line of the block
	lines    int // output lines of a strip
	strips   int // of an image
	images   int // that follow each other
	blocks   int
	tasks    int
}

// Sizes: a block that the first-level cache holds, if that is some lines at all, enough pixels to pay for the weights,
// and tasks to keep threads busy.
const (
	groupedBlock  = 1 << 13
	groupedPixels = 512
	groupedTasks  = 128
)

// plan cuts the work for n images.
func (s *groupedShape) plan(n int) groupedPlan {
	g := groupedPlan{groupedLanes: s.lanes(), shape: s, n: n}
	g.sections = mem.CeilDiv(s.groups, g.groups)
	g.column = s.window.inputs(mem.RoundUp(s.outW, g.tile.Cols))
	most := g.tile.Rows
	for most < s.outH && s.window.inputs(most+g.tile.Rows)*g.line() <= groupedBlock {
		most += g.tile.Rows
	}
	g.lines = mem.RoundUp(mem.CeilDiv(s.outH, mem.CeilDiv(s.outH, most)), g.tile.Rows)
	g.strips = mem.CeilDiv(s.outH, g.lines)
	g.images = min(max(1, groupedPixels/(s.outH*s.outW)), n)
	g.blocks = mem.CeilDiv(n, g.images) * g.images * g.strips * g.sections
	g.tasks = min(g.blocks, groupedTasks)
	return g
}

// allVectors returns how many vectors all output channels are.
func (g *groupedPlan) allVectors() int { return mem.CeilDiv(g.shape.outPixel(), g.laneShape.lanes) }

// vectorSize returns the length of one vector's weights: [channels, taps, lanes].
func (g *groupedPlan) vectorSize() int { return g.shape.depth() * g.laneShape.lanes }

// line returns the length of a line of the block: [plane, column, lane].
func (g *groupedPlan) line() int { return g.planes * g.column * g.laneShape.lanes }

// blockSize returns the length of a block.
func (g *groupedPlan) blockSize() int { return g.shape.window.inputs(g.lines) * g.line() }

// groupedPlace is a block: an image, the first of its output lines, and the first vector of output channels.
type groupedPlace struct{ n, y, vector int }

// place returns where a block is. The last images may not exist.
func (g *groupedPlan) place(block int) groupedPlace {
	rest := block / g.images
	return groupedPlace{
		n:      rest/(g.sections*g.strips)*g.images + block%g.images,
		y:      rest / g.sections % g.strips * g.lines,
		vector: rest % g.sections * g.vectors,
	}
}

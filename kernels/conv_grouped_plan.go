package kernels

// groupedPlan is how the work of a call is cut. It depends on the shape and the instruction set only.
//
// A block is the input that a strip of output lines of one image sees, of as many groups as fit side by side. Blocks that
// use the same weights follow each other for some small images, then come the next groups.
type groupedPlan struct {
	*laneShape
	index   []int32
	share   int // lanes of the block that belong to one group
	groups  int // whose input lies in the block
	turn    int // vectors of output channels that these groups are
	inner   int // input channels of a group in a plane of the block
	planes  int
	vectors int // of output channels
	turns   int // blocks of groups
	column  int // positions in a line of the block
	lines   int // output lines of a strip
	strips  int
	images  int // that follow each other
	blocks  int
	tasks   int
}

// Sizes: a block that the first-level cache holds, if that is some lines at all, enough pixels to pay for the weights, and
// tasks to keep threads busy.
const (
	groupedBlock  = 1 << 13
	groupedPixels = 512
	groupedTasks  = 128
)

func (p *groupedWindows) plan() groupedPlan {
	g := groupedPlan{}
	g.laneShape, g.index = p.lanes()
	width := g.laneShape.lanes
	g.share = g.laneShape.share(p.cols)
	g.groups = width / g.share
	g.turn = p.cols / g.share
	g.inner = min(p.channels, g.share)
	g.planes = p.channels / g.inner
	g.vectors = ceilDiv(p.groups*p.cols, width)
	g.turns = ceilDiv(p.groups, g.groups)
	g.column = p.window.inputs(roundUp(p.outW, g.tile.cols))
	most := g.tile.rows
	for most < p.outH && p.window.inputs(most+g.tile.rows)*g.line() <= groupedBlock {
		most += g.tile.rows
	}
	g.lines = roundUp(ceilDiv(p.outH, ceilDiv(p.outH, most)), g.tile.rows)
	g.strips = ceilDiv(p.outH, g.lines)
	g.images = min(max(1, groupedPixels/(p.outH*p.outW)), p.n)
	g.blocks = ceilDiv(p.n, g.images) * g.images * g.strips * g.turns
	g.tasks = min(g.blocks, groupedTasks)
	return g
}

// line returns the length of a line of the block.
func (g *groupedPlan) line() int { return g.planes * g.column * g.laneShape.lanes }

// indexOf returns what picks the inputs of the lanes of one vector.
func (g *groupedPlan) indexOf(vector int) []int32 {
	if g.index == nil {
		return nil
	}
	size := g.share * g.laneShape.lanes
	return g.index[vector%g.turn*size:][:size]
}

// groupedPlace is a block: an image, the first of its output lines, and the first vector of output channels.
type groupedPlace struct{ n, y, vector int }

// place returns where a block is. The last images may not exist.
func (g *groupedPlan) place(block int) groupedPlace {
	rest := block / g.images
	return groupedPlace{
		n:      rest/(g.turns*g.strips)*g.images + block%g.images,
		y:      rest / g.turns % g.strips * g.lines,
		vector: rest % g.turns * g.turn,
	}
}

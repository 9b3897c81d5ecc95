package conv

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// groupedShape is a grouped convolution, or its data gradient as a convolution of its own.
type groupedShape struct {
	groups         int
	channels, cols int // input and output channels of a group
	h, w           int // input
	outH, outW     int
	window         groupedWindow
	first          int        // line and column of the input with which the window of output 0 begins
	index          [2][]int32 // for lanes8 and lanes16: see setIndex; nil if all lanes of a vector are of one group
}

// depth returns how many products make an output.
func (s *groupedShape) depth() int { return groupedTaps * groupedTaps * s.channels }

// pixel and outPixel return the floats from one pixel of the input or output to the next.
func (s *groupedShape) pixel() int    { return s.groups * s.channels }
func (s *groupedShape) outPixel() int { return s.groups * s.cols }

// output returns where a pixel of the output begins.
func (s *groupedShape) output(n, y, x int) int { return ((n*s.outH+y)*s.outW + x) * s.outPixel() }

// serves reports whether groups of these input and output channels can be laid out in such vectors. Odd channels would
// have to be copied one by one.
func (s *laneShape) serves(in, out int) bool {
	share := s.share(out)
	return in%2 == 0 && out%2 == 0 && (in < share || in%share == 0)
}

// share returns how many lanes of the block belong to one group with the given output channels: a power of two, such
// that some whole groups, side by side, are some whole vectors of output channels.
func (s *laneShape) share(out int) int {
	share := 1
	for share < s.lanes && out%(2*share) == 0 {
		share *= 2
	}
	return share
}

// groupedLanes says which channels the lanes of the vectors are. For groups of 8 input and 12 output channels and
// vectors of 8 lanes, with a and b the input, A and B the output channels of two neighbouring groups:
//
//	lane                        0   1   2   3   4   5   6   7
//	pixel of the block, plane 0 a0  a1  a2  a3  b0  b1  b2  b3
//	                    plane 1 a4  a5  a6  a7  b4  b5  b6  b7
//	output, vector 0            A0  A1  A2  A3  A4  A5  A6  A7
//	        vector 1            A8  A9  A10 A11 B0  B1  B2  B3
//	        vector 2            B4  B5  B6  B7  B8  B9  B10 B11
//
// So share is 4, groups is 2, inner is 4, planes is 2 and vectors is 3. To add the products with input channel k of a
// plane, vector 1 takes lane k of the block to its lanes 0 to 3 and lane 4+k to its lanes 4 to 7: that is its index.
type groupedLanes struct {
	*laneShape
	index   []int32 // of a block's vectors, one after the other
	share   int     // lanes of the block that belong to one group
	groups  int     // whose input lies in the block
	inner   int     // input channels of a group in a plane of the block
	planes  int
	vectors int // of output channels of these groups
	second  int // how far apart the halves of a block's vector are in the image; 0 if it is of more pieces than halves
}

// lanes returns the widest vectors that serve these groups, and the highest tiles that waste no lines.
func (s *groupedShape) lanes() groupedLanes {
	g := groupedLanes{laneShape: &lanes8, index: s.index[0]}
	if isa.Active() == isa.AVX512 && lanes16.serves(s.channels, s.cols) {
		g.laneShape, g.index = &lanes16, s.index[1]
		if mem.RoundUp(s.outH, lowLanes16.tile.Rows) < mem.RoundUp(s.outH, lanes16.tile.Rows) {
			g.laneShape = &lowLanes16
		}
	}
	width := g.laneShape.lanes
	g.share = g.laneShape.share(s.cols)
	g.groups = width / g.share
	g.inner = min(s.channels, g.share)
	g.planes = s.channels / g.inner
	g.vectors = s.cols / g.share
	switch {
	case s.channels == g.share || s.channels > g.share && g.groups == 1: // neighbours in the block as in the image
		g.second = width / 2
	case s.channels > g.share && g.groups == 2: // a half of each group
		g.second = s.channels
	}
	return g
}

// setIndex sets the index vectors: for every vector of a block, input channel k of a plane and lane l of the vector,
//
//	index[(vector*share + k)*lanes + l] = lane of the block with input channel k of the group that lane l belongs to
func (s *groupedShape) setIndex() {
	for i, shape := range []*laneShape{&lanes8, &lanes16} {
		share := shape.share(s.cols)
		if share == shape.lanes {
			continue
		}
		for vector := range s.cols / share {
			for k := range share {
				for l := range shape.lanes {
					s.index[i] = append(s.index[i], int32((vector*shape.lanes+l)/s.cols*share+k))
				}
			}
		}
	}
}

// indexOf returns what picks the inputs of the lanes of one of the output's vectors, nil if there is nothing to pick.
func (g *groupedLanes) indexOf(vector int) []int32 {
	if g.index == nil {
		return nil
	}
	size := g.share * g.laneShape.lanes
	return g.index[vector%g.vectors*size:][:size]
}

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
	images   int // whose blocks follow each other
	blocks   int
	tasks    int
}

const (
	groupedBlock  = 1 << 13 // floats of a block wanted, for the first-level cache; one band of tiles may have more
	groupedPixels = 512     // outputs wanted from the weights of a block before the next weights are read
	groupedTasks  = 128     // upper bound
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

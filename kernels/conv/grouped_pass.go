package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// groupedPass is a convolution, or its data gradient, as a sum over windows of lanes.
type groupedPass struct {
	shape    groupedShape
	backward bool // the data gradient: weights are those of the convolution

	// The call in flight.
	groupedInput
	weights, dst, add, bias []float32
	relu                    bool
	past                    bool      // whole vectors of results are stored past the caches
	packed                  []float32 // weights by vector of output channels: [vector, channel, tap, lane]
	scratch                 []float32 // of all workers
}

// The stages of a call.
type (
	packGroups    groupedPass
	computeGroups groupedPass
)

// edgeSize returns the floats of a tile.
func (g *groupedPlan) edgeSize() int { return g.tile.Rows * g.tile.Cols * g.laneShape.lanes }

// takePassScratch takes a block and a tile's edge.
func (g *groupedPlan) takePassScratch(space *mem.Scratch) (block, edge []float32) {
	return space.Take(g.blockSize()), space.Take(g.edgeSize())
}

// passWorker returns the floats of scratch that a worker of a pass needs.
func (g *groupedPlan) passWorker() int {
	space := mem.CountingScratch()
	g.takePassScratch(&space)
	return space.Size()
}

// takePacked takes the weights of all vectors of output channels.
func (g *groupedPlan) takePacked(space *mem.Scratch) []float32 {
	return space.Take(g.allVectors() * g.vectorSize())
}

// passSpace returns the floats of scratch that a pass needs.
func (g *groupedPlan) passSpace(threads int) int {
	space := mem.CountingScratch()
	g.takePacked(&space)
	return space.Size() + threads*g.passWorker()
}

// run packs the weights and computes all windows of n images.
func (p *groupedPass) run(pool *parallel.Pool, n int, ws []float32) {
	p.groupedPlan = p.shape.plan(n)
	p.past = p.laneShape.lanes == mem.Line && mem.Streams(p.dst, n*p.shape.outH*p.shape.outW, p.shape.outPixel())
	space := mem.NewScratch(ws)
	p.packed = p.takePacked(&space)
	p.scratch = space.Rest
	pool.Run(p.allVectors(), (*packGroups)(p))
	pool.Run(p.tasks, (*computeGroups)(p))
}

// Do packs the weights of one vector of output channels.
func (j *packGroups) Do(vector, _ int) {
	p := (*groupedPass)(j)
	s, width, depth := &p.shape, p.laneShape.lanes, p.shape.depth()
	const taps = groupedTaps * groupedTaps
	first := vector * width
	lanes := min(width, s.outPixel()-first)
	dst := p.packed[vector*depth*width:][:depth*width]
	gemm.ZeroColumns(dst, width, lanes, depth)
	for tap := range taps {
		dst := dst[tap*width:]
		if !p.backward { // weights are [output, tap, channel]
			vec.TransposeRows(dst, taps*width, p.weights[first*depth+tap*s.channels:], depth, lanes, s.channels)
			continue
		}
		// Weights are [channel, tap, output]. A turned window has the taps of the convolution, others their reverse.
		from := tap
		if !s.window.turned {
			from = taps - 1 - tap
		}
		stride := taps * s.cols
		for l := 0; l < lanes; {
			group, col := (first+l)/s.cols, (first+l)%s.cols
			cols := min(s.cols-col, lanes-l)
			src := p.weights[group*s.channels*stride+from*s.cols+col:]
			vec.CopyRows(dst[l:], taps*width, src, stride, s.channels, cols)
			l += cols
		}
	}
}

// Do computes some blocks.
func (j *computeGroups) Do(task, worker int) {
	p := (*groupedPass)(j)
	s, width := &p.shape, p.laneShape.lanes
	space := mem.NewScratch(p.scratch[worker*p.passWorker():][:p.passWorker()])
	block, edge := p.takePassScratch(&space)
	clear(block)
	t := groupedTile{
		lanes: p.laneShape, window: s.window, xLine: p.line(), xPlane: p.column * width,
		inner: p.inner, planes: p.planes,
	}
	if p.past {
		defer mem.Fence()
	}
	last := p.blocks * (task + 1) / p.tasks
	for i := p.blocks * task / p.tasks; i < last; i++ {
		at, next := p.place(i), p.place(i+1)
		if at.n >= p.n {
			continue
		}
		if i+1 == last {
			next.n = p.n
		}
		p.fill(block, at, mem.RoundUp(min(p.lines, s.outH-at.y), p.tile.Rows))
		end := min(at.vector+p.vectors, p.allVectors())
		t.soon = p.soon(next, (end-at.vector)*mem.CeilDiv(p.lines, p.tile.Rows)*mem.CeilDiv(s.outW, p.tile.Cols))
		for v := at.vector; v < end; v++ {
			t.w = p.packed[v*p.vectorSize():][:p.vectorSize()]
			t.index = p.indexOf(v)
			p.strip(&t, groupedPlace{at.n, at.y, v}, block, edge)
		}
	}
}

// strip computes the lines of a block for one vector of output channels. Tiles that the epilogue changes, or that are
// not wholly inside the output, go to the edge first.
func (p *groupedPass) strip(t *groupedTile, at groupedPlace, block, edge []float32) {
	s, width, rows, cols := &p.shape, p.laneShape.lanes, p.tile.Rows, p.tile.Cols
	first := at.vector * width
	lanes, lines := min(width, s.outPixel()-first), min(p.lines, s.outH-at.y)
	plain := p.bias == nil && p.add == nil && !p.relu
	for r := 0; r < lines; r += rows {
		whole := 0
		if plain && lanes == width && r+rows <= lines {
			whole = s.outW / cols
		}
		line := block[s.window.step(r)*t.xLine:]
		if whole > 0 {
			t.x, t.tiles, t.past = line, whole, p.past
			t.y, t.yRow, t.yCol = p.dst[s.output(at.n, at.y+r, 0)+first:], s.outW*s.outPixel(), s.outPixel()
			t.compute()
		}
		for x := whole * cols; x < s.outW; x += cols {
			t.x, t.tiles, t.past = line[s.window.step(x)*width:], 1, false
			t.y, t.yRow, t.yCol = edge, cols*width, width
			t.compute()
			for i := range min(rows, lines-r) {
				p.store(edge[i*t.yRow:], s.output(at.n, at.y+r+i, x)+first, min(cols, s.outW-x), lanes, plain)
			}
		}
	}
}

// store writes neighbouring pixels of a tile to dst, with what the epilogue adds.
func (p *groupedPass) store(src []float32, at, pixels, lanes int, plain bool) {
	width, pixel := p.laneShape.lanes, p.shape.outPixel()
	if plain {
		vec.CopyRows(p.dst[at:], pixel, src, width, pixels, lanes)
		return
	}
	for x := range pixels {
		dst := p.dst[at+x*pixel:][:lanes]
		for l, v := range src[x*width:][:lanes] {
			if p.bias != nil {
				v += p.bias[at%pixel+l]
			}
			if p.add != nil {
				v += p.add[at+x*pixel+l]
			}
			if p.relu {
				v = max(v, 0)
			}
			dst[l] = v
		}
	}
}

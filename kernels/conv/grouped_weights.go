package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// groupedWeights is the weight gradient of a grouped convolution. Some images, a split, and the vectors of output
// channels that share a block make a task; the splits' sums are added in order.
type groupedWeights struct {
	shape groupedShape

	// The call in flight.
	groupedInput
	dy, dw     []float32
	accumulate bool      // add to dw
	sums       []float32 // [split, vector, channels, taps, lanes]
	scratch    []float32 // of all workers
}

// The stages of a call.
type (
	sumGroups    groupedWeights
	finishGroups groupedWeights
)

// splits returns the number of parts into which the images are cut.
func (g *groupedPlan) splits() int { return min(mem.CeilDiv(wantSums, g.sections), maxSums, g.n) }

// sumSize returns the floats of a split's sums.
func (g *groupedPlan) sumSize() int { return g.allVectors() * g.vectorSize() }

// dyLine returns the length of a line of dy in a block: whole blocks of pixels.
func (g *groupedPlan) dyLine() int {
	return mem.RoundUp(g.shape.outW, g.block.Cols) * g.laneShape.lanes
}

// dySize returns the length of one vector's block of dy.
func (g *groupedPlan) dySize() int { return g.lines * g.dyLine() }

// takeWeightsScratch takes a block of the input, and one of dy for each of the vectors.
func (g *groupedPlan) takeWeightsScratch(space *mem.Scratch) (block, dy []float32) {
	return space.Take(g.blockSize()), space.Take(g.vectors * g.dySize())
}

// weightsWorker returns the floats of scratch that a worker of the weight gradient needs: for blocks, and after all
// sums for one vector's gradient.
func (g *groupedPlan) weightsWorker() int {
	space := mem.CountingScratch()
	g.takeWeightsScratch(&space)
	return max(space.Size(), mem.RoundUp(g.vectorSize(), mem.Line))
}

// takeSums takes the sums of all splits.
func (g *groupedPlan) takeSums(space *mem.Scratch) []float32 {
	return space.Take(g.splits() * g.sumSize())
}

// weightsSpace returns the floats of scratch that the weight gradient needs.
func (g *groupedPlan) weightsSpace(threads int) int {
	space := mem.CountingScratch()
	g.takeSums(&space)
	return space.Size() + threads*g.weightsWorker()
}

// run computes the gradient from n images.
func (p *groupedWeights) run(pool *parallel.Pool, n int, ws []float32) {
	p.groupedPlan = p.shape.plan(n)
	space := mem.NewScratch(ws)
	p.sums = p.takeSums(&space)
	p.scratch = space.Rest
	pool.Run(p.sections*p.splits(), (*sumGroups)(p))
	pool.Run(p.allVectors(), (*finishGroups)(p))
}

// Do adds up one split of the images for the vectors of one section.
func (j *sumGroups) Do(task, worker int) {
	p := (*groupedWeights)(j)
	s, size := &p.shape, p.vectorSize()
	section, split := task%p.sections, task/p.sections
	first := section * p.vectors
	vectors := min(p.vectors, p.allVectors()-first)
	sums := p.sums[split*p.sumSize()+first*size:][:vectors*size]
	clear(sums)
	space := mem.NewScratch(p.scratch[worker*p.weightsWorker():][:p.weightsWorker()])
	block, dy := p.takeWeightsScratch(&space)
	clear(block)
	clear(dy)
	t := groupedGradient{
		lanes: p.laneShape, window: s.window, dyLine: p.dyLine(), xLine: p.line(), inner: p.inner,
		blocks: mem.CeilDiv(s.outW, p.block.Cols),
	}
	end := p.n * (split + 1) / p.splits()
	place := func(strip int) groupedPlace { return groupedPlace{strip / p.strips, strip % p.strips * p.lines, first} }
	for i := p.n * split / p.splits() * p.strips; i < end*p.strips; i++ {
		at, next := place(i), place(i+1)
		if next.n >= end {
			next.n = p.n
		}
		lines := mem.RoundUp(min(p.lines, s.outH-at.y), p.block.Rows)
		t.bands = lines / p.block.Rows
		p.fill(block, at, lines)
		rounds := p.inner * t.bands * t.blocks
		calls := vectors * p.planes
		soonX, soonDy := p.soon(next, calls*rounds), p.soonGradient(next, calls*rounds)
		for v := range vectors {
			at.vector = first + v
			t.dy = dy[v*p.dySize():]
			p.fillGradient(t.dy, at, lines)
			t.index = p.indexOf(v)
			for plane := range p.planes {
				t.x, t.dw = block[plane*p.column*p.laneShape.lanes:], sums[v*size+plane*size/p.planes:]
				t.soonX, t.soonDy = soonX, soonDy
				t.compute()
				soonX, soonDy = soonX.after(rounds), soonDy.after(rounds)
			}
		}
	}
}

// soonGradient is soon for dy.
func (p *groupedWeights) soonGradient(at groupedPlace, rounds int) fetchStream {
	s := &p.shape
	if at.n >= p.n {
		return fetchStream{}
	}
	first := at.vector * p.laneShape.lanes
	channels := min(p.vectors*p.laneShape.lanes, s.outPixel()-first)
	pixels := min(p.lines, s.outH-at.y) * s.outW
	return newFetchStream(p.dy, s.output(at.n, at.y, 0)+first, s.outPixel(), pixels, channels, rounds)
}

// fillGradient copies one vector of some output lines of dy to a block [line, pixel, lane], zeros after the lines that
// exist. What is after the last pixel of a line, and lanes without a channel, have been cleared.
func (p *groupedWeights) fillGradient(block []float32, at groupedPlace, lines int) {
	s, width, line := &p.shape, p.laneShape.lanes, p.dyLine()
	first, count := at.vector*width, min(lines, s.outH-at.y)
	clear(block[count*line : lines*line])
	src := p.dy[s.output(at.n, at.y, 0)+first:]
	if lanes := s.outPixel() - first; lanes < width {
		for r := range count {
			vec.CopyRows(block[r*line:], width, src[r*s.outW*s.outPixel():], s.outPixel(), s.outW, lanes)
		}
		return
	}
	whole := halves{width: width, second: width / 2}
	whole.copy(block, line, src, s.outW*s.outPixel(), s.outPixel(), count, s.outW)
}

// Do adds the splits' sums of one vector to the weights' gradient.
func (j *finishGroups) Do(vector, worker int) {
	p := (*groupedWeights)(j)
	s, width, depth, size := &p.shape, p.laneShape.lanes, p.shape.depth(), p.vectorSize()
	const taps = groupedTaps * groupedTaps
	sum := p.sums[vector*size:][:size]
	if rest := p.splits() - 1; rest > 0 {
		vec.AddRows(sum, p.sums[p.sumSize()+vector*size:], p.sumSize(), rest, size)
	}
	first := vector * width
	lanes := min(width, s.outPixel()-first)
	dw := p.dw[first*depth:][:lanes*depth]
	turned := dw
	if p.accumulate {
		turned = p.scratch[worker*p.weightsWorker():][:lanes*depth]
	}
	for tap := range taps {
		vec.TransposeRows(turned[tap*s.channels:], depth, sum[tap*width:], taps*width, s.channels, lanes)
	}
	if p.accumulate {
		vec.AddRows(dw, turned, 0, 1, len(dw))
	}
}

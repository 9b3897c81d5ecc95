package kernels

// groupedWeights is the weight gradient of a grouped convolution. Some images, a split, and the vectors of output channels
// that share a block make a task; the splits' sums are added in order.
type groupedWeights struct {
	groupedWindows
	dy, dw []float32
	sums   []float32 // [split, vector, channels, taps, lanes]
	keep   bool      // add to dw
}

// splits returns into how many parts the images are cut.
func (p *groupedWeights) splits(g *groupedPlan) int {
	return min(ceilDiv(wantSums, g.turns), maxSums, p.n)
}

func (p *groupedWeights) sumSize() int {
	g := p.plan()
	return p.splits(&g) * g.vectors * p.vectorSize()
}

// dyLine returns the length of a line of dy in a block: whole blocks of pixels.
func (p *groupedWeights) dyLine(g *groupedPlan) int {
	return roundUp(p.outW, g.block.cols) * g.laneShape.lanes
}

// dySize returns the length of one vector's block of dy.
func (p *groupedWeights) dySize(g *groupedPlan) int { return g.lines * p.dyLine(g) }

func (p *groupedWeights) workerSize() int {
	g := p.plan()
	return roundUp(max(p.blockSize(&g)+g.turn*p.dySize(&g), p.vectorSize()), cacheLine)
}

// task adds up one split of the images for the vectors of one turn.
func (p *groupedWeights) task(task int, ws []float32) {
	g := p.plan()
	turn, split, splits := task%g.turns, task/g.turns, p.splits(&g)
	first := turn * g.turn
	vectors := min(g.turn, g.vectors-first)
	size := p.vectorSize()
	sums := p.sums[(split*g.vectors+first)*size:][:vectors*size]
	clear(sums)
	space := newScratch(ws)
	block, dy := space.take(p.blockSize(&g)), space.take(g.turn*p.dySize(&g))
	clear(block)
	clear(dy)
	t := groupedGradient{
		lanes: g.laneShape, window: p.window, dyLine: p.dyLine(&g), xLine: g.line(), inner: g.inner,
		blocks: ceilDiv(p.outW, g.block.cols),
	}
	end := p.n * (split + 1) / splits
	place := func(strip int) groupedPlace { return groupedPlace{strip / g.strips, strip % g.strips * g.lines, first} }
	for i := p.n * split / splits * g.strips; i < end*g.strips; i++ {
		at, next := place(i), place(i+1)
		if next.n >= end {
			next.n = p.n
		}
		lines := roundUp(min(g.lines, p.outH-at.y), g.block.rows)
		t.bands = lines / g.block.rows
		p.fill(block, &g, at, lines)
		rounds := g.inner * t.bands * t.blocks
		calls := vectors * g.planes
		soonX, soonDy := p.soon(&g, next, calls*rounds), p.soonGradient(&g, next, calls*rounds)
		for v := range vectors {
			at.vector = first + v
			t.dy = dy[v*p.dySize(&g):]
			p.fillGradient(t.dy, &g, at, lines)
			t.index = g.indexOf(v)
			for plane := range g.planes {
				t.x, t.dw = block[plane*g.column*g.laneShape.lanes:], sums[v*size+plane*size/g.planes:]
				t.soonX, t.soonDy = soonX, soonDy
				t.compute()
				soonX, soonDy = soonX.behind(rounds), soonDy.behind(rounds)
			}
		}
	}
}

// soonGradient is soon for dy.
func (p *groupedWeights) soonGradient(g *groupedPlan, at groupedPlace, rounds int) fetchStream {
	if at.n >= p.n {
		return fetchStream{}
	}
	first := at.vector * g.laneShape.lanes
	channels := min(g.turn*g.laneShape.lanes, p.dstPixel-first)
	return newFetchStream(p.dy, p.target(at.n, at.y, 0)+first, p.dstPixel, min(g.lines, p.outH-at.y)*p.outW, channels, rounds)
}

// fillGradient copies one vector of so many output lines of dy to a block [line, pixel, lane], zeros behind the lines that
// exist. What lies behind the pixels and channels has been cleared.
func (p *groupedWeights) fillGradient(block []float32, g *groupedPlan, at groupedPlace, lines int) {
	width, line := g.laneShape.lanes, p.dyLine(g)
	first, count := at.vector*width, min(lines, p.outH-at.y)
	clear(block[count*line : lines*line])
	src := p.dy[p.target(at.n, at.y, 0)+first:]
	if lanes := p.dstPixel - first; lanes < width {
		for r := range count {
			copyRows(block[r*line:], width, src[r*p.outW*p.dstPixel:], p.dstPixel, p.outW, lanes)
		}
		return
	}
	whole := halves{width: width, second: width / 2}
	whole.copy(block, line, src, p.outW*p.dstPixel, p.dstPixel, count, p.outW)
}

// finishTask adds the splits' sums of one vector to the weights' gradient.
func (p *groupedWeights) finishTask(vector int, ws []float32) {
	g := p.plan()
	width, depth, size := g.laneShape.lanes, p.depth(), p.vectorSize()
	const taps = groupedTaps * groupedTaps
	sum := p.sums[vector*size:][:size]
	if rest := p.splits(&g) - 1; rest > 0 {
		addRows(sum, p.sums[(g.vectors+vector)*size:], g.vectors*size, rest, size)
	}
	first := vector * width
	lanes := min(width, p.dstPixel-first)
	dw := p.dw[first*depth:][:lanes*depth]
	turned := dw
	if p.keep {
		turned = alignScratch(ws)[:lanes*depth]
	}
	for tap := range taps {
		transposeRows(turned[tap*p.channels:], depth, sum[tap*width:], taps*width, p.channels, lanes)
	}
	if p.keep {
		addRows(dw, turned, 0, 1, len(dw))
	}
}

func (g *grouped) backwardWeights(p *Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	w := &g.gradient
	w.n, w.src, w.dy, w.dw, w.keep = n, x, dy, dw, accumulate
	space := newScratch(ws)
	w.sums = space.take(w.sumSize())
	g.scratch, g.workerSize = space.rest, w.workerSize()+cacheLine
	plan := w.plan()
	p.Run(plan.turns*w.splits(&plan), &g.sum)
	p.Run(plan.vectors, &g.finish)
	g.readThrough(nil)
}

func (j *groupedSum) Do(task, worker int) {
	j.gradient.task(task, j.scratch[worker*j.workerSize:][:j.workerSize])
}

func (j *groupedFinish) Do(task, worker int) {
	j.gradient.finishTask(task, j.scratch[worker*j.workerSize:][:j.workerSize])
}

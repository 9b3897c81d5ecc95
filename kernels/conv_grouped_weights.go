package kernels

// groupedWeights is the weight gradient of a grouped convolution. Some images, a split, and one vector of output channels
// make a task; the splits' sums are added in order.
type groupedWeights struct {
	groupedWindows
	dy, dw []float32
	sums   []float32 // [split, vector, taps·channels, lanes]
	keep   bool      // add to dw
}

// maxGroupedGradient is the number of taps × channels up to which the matrix product is slower.
const maxGroupedGradient = 9 * 20

// groupedWeights tells whether the kernels of small groups sum the weight gradient, where it is not in Winograd's form.
func (c *Conv) groupedWeights() bool {
	return c.grouped != nil && c.weights.depth() <= maxGroupedGradient
}

// splits returns into how many parts the images are cut.
func (p *groupedWeights) splits(g *groupedPlan) int {
	return min(ceilDiv(wantSums, g.vectors), maxSums, p.n)
}

// vectorSize is the length of one vector's sums.
func (p *groupedWeights) vectorSize(g *groupedPlan) int { return p.depth() * g.laneShape.lanes }

func (p *groupedWeights) sumSize() int {
	g := p.plan()
	return p.splits(&g) * g.vectors * p.vectorSize(&g)
}

// dyLine returns the length of a line of dy in a block: whole blocks of pixels.
func (p *groupedWeights) dyLine(g *groupedPlan) int {
	return roundUp(p.outW, g.blocks[g.narrow]) * g.laneShape.lanes
}

func (p *groupedWeights) workerSize() int {
	g := p.plan()
	block := p.blockLines(g.lines)*g.blockLine() + roundUp(g.lines*p.dyLine(&g), cacheLine)
	return roundUp(max(block, p.vectorSize(&g)), cacheLine)
}

// task adds up one split of the images for one vector.
func (p *groupedWeights) task(task int, ws []float32) {
	g := p.plan()
	vector, split, splits := task%g.vectors, task/g.vectors, p.splits(&g)
	width, depth := g.laneShape.lanes, p.depth()
	sum := p.sums[task*p.vectorSize(&g):][:p.vectorSize(&g)]
	clear(sum)
	space := newScratch(ws)
	t := groupedGradient{
		lanes: g.laneShape, narrow: g.narrow, taps: p.kw, stride: p.sw, chunk: g.chunk,
		dwTap: p.channels * width, dyLine: p.dyLine(&g), xLine: p.sh * g.blockLine(), index: g.indexOf(vector),
		blocks: ceilDiv(p.outW, g.blocks[g.narrow]),
	}
	if g.inner%t.chunk != 0 {
		t.chunk /= 2
	}
	block := space.take(p.blockLines(g.lines) * g.blockLine())
	t.dy = space.take(g.lines * t.dyLine)
	for n := p.n * split / splits; n < p.n*(split+1)/splits; n++ {
		for y := 0; y < p.outH; y += g.lines {
			t.lines = min(g.lines, p.outH-y)
			p.fill(block, &g, n, vector, y, t.lines)
			p.fillGradient(t.dy, &g, n, vector, y, t.lines)
			for i := range p.kh {
				for c := 0; c < p.channels; c += t.chunk {
					plane := c / g.inner
					t.first = c % g.inner
					t.x = block[i*g.blockLine()+plane*g.column*width:]
					t.dw = sum[(i*p.kw*p.channels+c)*width : depth*width]
					t.compute()
				}
			}
		}
	}
}

// fillGradient copies one vector of the output lines [y, y+lines) of dy to a block [line, pixel, lane], zeros behind the
// pixels and channels that exist.
func (p *groupedWeights) fillGradient(block []float32, g *groupedPlan, n, vector, y, lines int) {
	width, line := g.laneShape.lanes, p.dyLine(g)
	first := vector * width
	lanes := min(width, p.dstPixel-first)
	for r := range lines {
		dst := block[r*line:][:line]
		copyRows(dst, width, p.dy[p.target(n, y+r, 0)+first:], p.dstPixel, p.outW, lanes)
		zeroColumns(dst, width, lanes, p.outW)
		clear(dst[p.outW*width:])
	}
}

// finishTask adds the splits' sums of one vector to the weights' gradient.
func (p *groupedWeights) finishTask(vector int, ws []float32) {
	g := p.plan()
	width, depth, size := g.laneShape.lanes, p.depth(), p.vectorSize(&g)
	sum := p.sums[vector*size:][:size]
	if rest := p.splits(&g) - 1; rest > 0 {
		addRows(sum, p.sums[(g.vectors+vector)*size:], g.vectors*size, rest, size)
	}
	first := vector * width
	lanes := min(width, p.dstPixel-first)
	dw := p.dw[first*depth:][:lanes*depth]
	if !p.keep {
		transposeRows(dw, depth, sum, width, depth, lanes)
		return
	}
	turned := alignScratch(ws)[:lanes*depth]
	transposeRows(turned, depth, sum, width, depth, lanes)
	addRows(dw, turned, 0, 1, len(dw))
}

func (g *grouped) backwardWeights(p *Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	w := &g.gradient
	w.n, w.src, w.dy, w.dw, w.keep = n, x, dy, dw, accumulate
	space := newScratch(ws)
	w.sums = space.take(w.sumSize())
	g.scratch, g.workerSize = space.rest, w.workerSize()+cacheLine
	plan := w.plan()
	p.Run(plan.vectors*w.splits(&plan), &g.sum)
	p.Run(plan.vectors, &g.finish)
}

func (j *groupedSum) Do(task, worker int) {
	j.gradient.task(task, j.scratch[worker*j.workerSize:][:j.workerSize])
}

func (j *groupedFinish) Do(task, worker int) {
	j.gradient.finishTask(task, j.scratch[worker*j.workerSize:][:j.workerSize])
}

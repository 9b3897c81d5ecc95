package kernels

// pairedWeights is a weight gradient as a product of bf16 pairs: two neighbouring pixels make a pair. The work is cut
// as for floats.
type pairedWeights struct{ *weightProduct }

// blockPairs returns the pairs of a block.
func (p pairedWeights) blockPairs() int { return ceilDiv(min(pixelBlock, p.pixels()), 2) }

// takeScratch takes what a task needs besides its operands: both factors in pairs, and a strip of pixels that are
// rounded.
func (p pairedWeights) takeScratch(space *scratch) (columns, rows, strip []float32) {
	return space.take(p.blockPairs() * p.gatheredRow()), space.take(p.blockPairs() * p.roundedRow()),
		space.take(pairStrip * p.gatheredRow())
}

func (p pairedWeights) workerSize() int {
	space := countedScratch()
	p.takeScratch(&space)
	return space.size()
}

// roundedRow is the distance of the rounded rows, with room for those of the last tile.
func (p pairedWeights) roundedRow() int {
	return gatheredRow(roundUp(min(p.rows, weightRows), tileFor(active).rows))
}

// multiply computes one task.
func (p pairedWeights) multiply(task int, ws []float32) {
	t := p.task(task)
	depth, pixel := p.depth(), p.groups*p.rows
	source := p.gather
	source.first += t.group * p.channels
	space := newScratch(ws)
	columns, rows, strip := p.takeScratch(&space)
	m := product{pairs: true, cols: t.cols}
	m.left, m.right = columnsOf(rows, p.roundedRow()), matrixOf(columns, p.gatheredRow())
	m.accumulate = t.add
	for at := t.begin; at < t.end; at += pixelBlock {
		pixels := min(pixelBlock, t.end-at)
		m.depth = ceilDiv(pixels, 2)
		source.fillPixelPairs(columns, p.gatheredRow(), at, pixels, t.col, t.col+t.cols, strip)
		for o := t.row; o < t.row+t.rows; o += weightRows {
			m.rows = min(weightRows, t.row+t.rows-o)
			m.c = view{t.dst[(t.group*p.rows+o)*depth+t.col:], depth}
			pairRows(rows, p.roundedRow(), p.dy[at*pixel+t.group*p.rows+o:], pixel, pixels, m.rows)
			m.ahead = p.readAfter(&t, at, o)
			m.run()
		}
		m.accumulate = true
	}
}

// fillPixelPairs rounds the columns [k0,k1) of the given rows, pair by pair, to dst.
func (g *gather) fillPixelPairs(dst []float32, dstRow, row, rows, k0, k1 int, space []float32) {
	if g.plain() {
		pairRows(dst, dstRow, g.src[row*g.pixel+g.first+k0:], g.pixel, rows, k1-k0)
		return
	}
	for r := 0; r < rows; r += pairStrip {
		strip := min(pairStrip, rows-r)
		g.fill(space, dstRow, row+r, strip, k0, k1)
		pairRows(dst[r/2*dstRow:], dstRow, space, dstRow, strip, k1-k0)
	}
}

package kernels

// pairedWeights is a weight gradient as a product of bf16 pairs: two neighbouring pixels make a pair. The work is cut as for
// floats.
type pairedWeights struct{ *weightProduct }

// blockPairs returns the pairs of a block.
func (p pairedWeights) blockPairs() int { return ceilDiv(min(pixelBlock, p.pixels()), 2) }

func (p pairedWeights) workerSize() int {
	return p.blockPairs()*(p.gatheredRow()+p.roundedRow()) + pairStrip*p.gatheredRow() + 3*cacheLine
}

// roundedRow is the distance of the rounded rows, with room for those of the last tile.
func (p pairedWeights) roundedRow() int {
	return gatheredRow(roundUp(min(p.rows, weightRows), tileFor(active).rows))
}

// multiply computes one task.
func (p pairedWeights) multiply(task int, ws []float32) {
	shape, t := tileFor(active), p.task(task)
	depth, pixel := p.depth(), p.groups*p.rows
	source := p.gather
	source.first += t.group * p.channels
	m := product{
		pairs: true, cols: t.cols,
		aTile: shape.rows, aRow: 1, aDepth: p.roundedRow(), aPadded: true,
		bPanel: shape.cols, bDepth: p.gatheredRow(), cRow: depth,
	}
	if t.add {
		m.flags = flagAccumulate
	}
	space := newScratch(ws)
	columns := space.take(p.blockPairs() * m.bDepth)
	rows := space.take(p.blockPairs() * m.aDepth)
	m.a, m.b = rows, columns
	for at := t.begin; at < t.end; at += pixelBlock {
		pixels := min(pixelBlock, t.end-at)
		m.depth = ceilDiv(pixels, 2)
		source.fillPixelPairs(columns, m.bDepth, at, pixels, t.col, t.col+t.cols, space.rest)
		for o := t.row; o < t.row+t.rows; o += weightRows {
			m.rows = min(weightRows, t.row+t.rows-o)
			m.c = t.dst[(t.group*p.rows+o)*depth+t.col:]
			pairRows(rows, m.aDepth, p.dy[at*pixel+t.group*p.rows+o:], pixel, pixels, m.rows)
			p.fetchAhead(&m, &t, at, o)
			m.run()
		}
		m.flags = flagAccumulate
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

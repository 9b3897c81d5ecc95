package kernels

// pairedPixels is how many pixels are summed in one block.
const pairedPixels = 2 * pixelBlock

// pairedWeights is a weight gradient as a product of bf16 pairs: two neighbouring pixels make a pair. The work is cut as for
// floats.
type pairedWeights struct{ *weightProduct }

// weightTasks returns how the call in flight multiplies.
func (c *Conv) weightTasks() interface {
	workerSize() int
	multiply(task int, ws []float32)
} {
	if c.paired != nil {
		return c.paired
	}
	return &c.weights
}

// blockPairs returns the pairs of a block.
func (p *pairedWeights) blockPairs() int { return ceilDiv(min(pairedPixels, p.pixels()), 2) }

func (p *pairedWeights) workerSize() int {
	size := p.blockPairs() * (p.gatheredRow() + roundUp(p.rows, tileFor(active).rows))
	return size + pairStrip*p.gatheredRow() + 3*cacheLine
}

// multiply computes one task: a split of the pixels, a group, a block of columns and all rows.
func (p *pairedWeights) multiply(task int, ws []float32) {
	shape := tileFor(active)
	columnBlock, columnBlocks := p.columnBlock(), p.columnBlocks()
	split := task / (columnBlocks * p.groups)
	group := task / columnBlocks % p.groups
	col := task % columnBlocks * columnBlock
	depth, pixel := p.depth(), p.groups*p.rows

	source := p.gather
	source.first += group * p.channels
	dst := p.dw
	if p.splits() > 1 {
		dst = p.sums[split*roundUp(p.size(), cacheLine):]
	}
	m := product{
		pairs: true, rows: p.rows, cols: min(columnBlock, depth-col),
		aRow: 1, aDepth: shape.rows, aPadded: true,
		bPanel: shape.cols, bDepth: p.gatheredRow(),
		c: dst[group*p.rows*depth+col:], cRow: depth,
	}
	if p.keep && p.splits() == 1 {
		m.flags = flagAccumulate
	}
	blocks := ceilDiv(p.pixels(), pixelBlock)
	begin, end := blocks*split/p.splits()*pixelBlock, min(blocks*(split+1)/p.splits()*pixelBlock, p.pixels())
	space := newScratch(ws)
	columns := space.take(p.blockPairs() * m.bDepth)
	bands := space.take(p.blockPairs() * roundUp(p.rows, shape.rows))
	m.a, m.b = bands, columns
	for at := begin; at < end; at += pairedPixels {
		pixels := min(pairedPixels, end-at)
		m.depth = ceilDiv(pixels, 2)
		m.aTile = m.depth * shape.rows
		for o := 0; o < p.rows; o += shape.rows {
			pairRows(bands[o*m.depth:], shape.rows, p.dy[at*pixel+group*p.rows+o:], pixel, pixels, min(shape.rows, p.rows-o))
		}
		source.fillPixelPairs(columns, m.bDepth, at, pixels, col, col+m.cols, space.rest)
		m.run()
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

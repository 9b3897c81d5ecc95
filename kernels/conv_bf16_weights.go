package kernels

// Blocking of weight gradients of pairs. Both operands of a block stay in the second-level cache, a panel in the first.
const (
	pairedPixels = 384 // pixels that are summed in one block, an even number
	pairedStrip  = 32  // pixels that are packed at once, so that lines of memory are read once
)

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
	size := p.blockPairs() * (p.gatheredRow() + roundUp(min(p.rows, weightRows), tileFor(active).rows))
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
		pairs: true, cols: min(columnBlock, depth-col),
		aRow: 1, aDepth: shape.rows, aPadded: true,
		bPanel: shape.cols, bDepth: p.gatheredRow(), cRow: depth,
	}
	if p.keep && p.splits() == 1 {
		m.flags = flagAccumulate
	}
	blocks := ceilDiv(p.pixels(), pixelBlock)
	begin, end := blocks*split/p.splits()*pixelBlock, min(blocks*(split+1)/p.splits()*pixelBlock, p.pixels())
	space := newScratch(ws)
	columns := space.take(p.blockPairs() * m.bDepth)
	bands := space.take(p.blockPairs() * roundUp(min(p.rows, weightRows), shape.rows))
	m.a, m.b = bands, columns
	for at := begin; at < end; at += pairedPixels {
		pixels := min(pairedPixels, end-at)
		m.depth = ceilDiv(pixels, 2)
		m.aTile = m.depth * shape.rows
		source.fillPixelPairs(columns, m.bDepth, at, pixels, col, col+m.cols, space.rest)
		for o := 0; o < p.rows; o += weightRows {
			m.rows = min(weightRows, p.rows-o)
			m.c = dst[(group*p.rows+o)*depth+col:]
			packPairBands(bands, p.dy[at*pixel+group*p.rows+o:], pixel, pixels, m.rows)
			if p.groups == 1 && columnBlocks == 1 && p.rows <= weightRows {
				next := at + pixels
				p.fetch(&m, next, min(next+pairedPixels, end))
			}
			m.run()
		}
		m.flags = flagAccumulate
	}
}

// packPairBands rounds a block of dy to pairs of pixels, in bands as high as a tile: with T rows a tile,
// dst[r/T*pairs*T + k*T + r%T] = pair(dy[2k*pixel + r], dy[(2k+1)*pixel + r]).
func packPairBands(dst, dy []float32, pixel, pixels, rows int) {
	height, band := tileFor(active).rows, ceilDiv(pixels, 2)*tileFor(active).rows
	for k := 0; k < pixels; k += pairedStrip {
		for r := 0; r < rows; r += height {
			pairRows(dst[r/height*band+k/2*height:], height, dy[k*pixel+r:], pixel, min(pairedStrip, pixels-k), min(height, rows-r))
		}
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

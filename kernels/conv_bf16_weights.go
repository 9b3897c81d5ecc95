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

// multiply computes one task.
func (p *pairedWeights) multiply(task int, ws []float32) {
	shape, t := tileFor(active), p.task(task)
	depth, pixel := p.depth(), p.groups*p.rows
	source := p.gather
	source.first += t.group * p.channels
	m := product{
		pairs: true, cols: t.cols,
		aRow: 1, aDepth: shape.rows, aPadded: true,
		bPanel: shape.cols, bDepth: p.gatheredRow(), cRow: depth,
	}
	if t.add {
		m.flags = flagAccumulate
	}
	space := newScratch(ws)
	columns := space.take(p.blockPairs() * m.bDepth)
	bands := space.take(p.blockPairs() * roundUp(min(p.rows, weightRows), shape.rows))
	m.a, m.b = bands, columns
	for at := t.begin; at < t.end; at += pairedPixels {
		pixels := min(pairedPixels, t.end-at)
		m.depth = ceilDiv(pixels, 2)
		m.aTile = m.depth * shape.rows
		source.fillPixelPairs(columns, m.bDepth, at, pixels, t.col, t.col+t.cols, space.rest)
		for o := t.row; o < t.row+t.rows; o += weightRows {
			m.rows = min(weightRows, t.row+t.rows-o)
			m.c = t.dst[(t.group*p.rows+o)*depth+t.col:]
			packPairBands(bands, p.dy[at*pixel+t.group*p.rows+o:], pixel, pixels, m.rows)
			if p.groups == 1 && t.cols == depth && t.rows == p.rows && p.rows <= weightRows {
				next := at + pixels
				p.fetch(&m, next, min(next+pairedPixels, t.end))
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

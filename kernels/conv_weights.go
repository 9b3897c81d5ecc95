package kernels

// Blocking of weight gradients.
const (
	pixelBlock   = 384 // pixels that are summed in one block
	weightRows   = 264 // output channels that are done before the next ones, so that their dy stays in the second-level cache; a multiple of the rows of every tile
	weightCols   = 288 // upper bound of the columns of a task
	wantSums     = 24  // tasks wanted; the pixels are split where there are fewer
	maxSums      = 16  // splits of the pixels, each with its own partial sums
	sumChunk     = 1 << 13
	blocksPerSum = 4 // blocks of pixels a split has at least
)

// weightProduct is the weight gradient as a product: dw [OutC, taps·channels] = dyᵀ · gathered pixels. The pixels are cut
// into splits whose sums go to their own slots and are added in order.
type weightProduct struct {
	gather
	n      int
	groups int
	rows   int // output channels of a group
	dy     []float32
	dw     []float32
	sums   []float32 // one slot of len(dw) per split, if there is more than one
	keep   bool      // add to dw
}

func (p *weightProduct) pixels() int { return p.n * p.outH * p.outW }

// columnBlock returns the columns of a task, whole panels.
func (p *weightProduct) columnBlock() int {
	cols := p.depth()
	return roundUp(ceilDiv(cols, ceilDiv(cols, weightCols)), tileFor(active).cols)
}

func (p *weightProduct) columnBlocks() int { return ceilDiv(p.depth(), p.columnBlock()) }

// splits returns into how many parts the pixels are cut.
func (p *weightProduct) splits() int {
	blocks := ceilDiv(p.pixels(), pixelBlock)
	wanted := ceilDiv(wantSums, p.columnBlocks()*p.groups)
	return max(1, min(wanted, maxSums, blocks/blocksPerSum))
}

func (p *weightProduct) size() int { return p.groups * p.rows * p.depth() }

func (p *weightProduct) sumSize() int {
	if s := p.splits(); s > 1 {
		return s * roundUp(p.size(), cacheLine)
	}
	return 0
}

func (p *weightProduct) tasks() int { return p.splits() * p.groups * p.columnBlocks() }

// gatheredRow is the distance of gathered pixels, an odd number of cache lines.
func (p *weightProduct) gatheredRow() int { return gatheredRow(p.columnBlock()) }

func (p *weightProduct) workerSize() int {
	block := min(pixelBlock, p.pixels())
	return block*p.gatheredRow() + ceilDiv(min(p.rows, weightRows), tileFor(active).rows)*bandSize(block) + edgeSize(block) + 4*cacheLine
}

// multiply computes one task: a split of the pixels, a group, a block of columns and all rows.
func (p *weightProduct) multiply(task int, ws []float32) {
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
	m := product{cols: min(columnBlock, depth-col), aRow: 1, bPanel: shape.cols, cRow: depth}
	if p.keep && p.splits() == 1 {
		m.flags = flagAccumulate
	}
	if !p.keep && p.pixels() <= pixelBlock && p.size() >= streamFloats && active != Generic {
		m.flags = flagStream
		defer storeFence()
	}
	blocks := ceilDiv(p.pixels(), pixelBlock)
	begin, end := blocks*split/p.splits()*pixelBlock, min(blocks*(split+1)/p.splits()*pixelBlock, p.pixels())
	space := newScratch(ws)
	size := min(pixelBlock, p.pixels())
	m.edge = space.take(edgeSize(size))
	columns, bands := space.take(size*p.gatheredRow()), space.take(ceilDiv(min(p.rows, weightRows), shape.rows)*bandSize(size))
	for at := begin; at < end; at += pixelBlock {
		m.depth = min(pixelBlock, end-at)
		if p.directColumns() {
			m.b, m.bDepth = source.src[at*source.pixel+source.first+col:], source.pixel
		} else {
			m.b, m.bDepth = columns, p.gatheredRow()
			source.fill(columns, m.bDepth, at, m.depth, col, col+m.cols)
		}
		for o := 0; o < p.rows; o += weightRows {
			m.rows = min(weightRows, p.rows-o)
			m.c = dst[(group*p.rows+o)*depth+col:]
			dy := p.dy[at*pixel+group*p.rows+o:]
			if p.directRows() {
				m.a, m.aTile, m.aDepth = dy, shape.rows, pixel
			} else {
				m.a, m.aTile, m.aDepth, m.aPadded = bands, bandSize(m.depth), shape.rows, true
				packBands(bands, dy, pixel, m.depth, m.rows)
			}
			switch next := at + m.depth; {
			case p.groups > 1:
			case columnBlocks == 1 && p.rows <= weightRows:
				p.fetch(&m, next, min(next+pixelBlock, end))
			case o+m.rows < p.rows:
				m.strips = [2]rowStrips{p.rowStrips(at, o+m.rows)}
			case next < end:
				m.strips = [2]rowStrips{p.rowStrips(next, 0), p.columnStrips(next, col, m.cols)}
			}
			m.run()
		}
		m.flags = flagAccumulate
	}
}

// fetch lets a product fetch the pixels [from,to), of which all rows and columns will be needed.
func (p *weightProduct) fetch(m *product, from, to int) {
	m.soonTiles = m.tiles()
	m.soon[0] = p.dy[from*p.rows : to*p.rows]
	if p.plain() {
		m.soon[1] = p.src[from*p.pixel : to*p.pixel]
	}
}

// rowStrips returns the rows of dyᵀ that are needed from row o on, beginning with pixel at.
func (p *weightProduct) rowStrips(at, o int) rowStrips {
	return newRowStrips(p.dy[at*p.rows+o:], p.rows, min(weightRows, p.rows-o))
}

// columnStrips returns the columns of a task, beginning with pixel at.
func (p *weightProduct) columnStrips(at, col, cols int) rowStrips {
	if !p.plain() {
		return rowStrips{}
	}
	return newRowStrips(p.src[at*p.pixel+col:], p.pixel, cols)
}

// bandSize is the distance of the bands of packed rows, an odd number of cache lines.
func bandSize(depth int) int { return (ceilDiv(depth*tileFor(active).rows, cacheLine) | 1) * cacheLine }

// packBands packs the columns of a block of dy into bands as high as a tile: with T rows a tile,
// dst[r/T*bandSize(depth) + k*T + r%T] = dy[k*pixel + r]. It reads in the order of memory.
func packBands(dst, dy []float32, pixel, depth, rows int) {
	height, size := tileFor(active).rows, bandSize(depth)
	whole := rows / height
	for k := range depth {
		copyRows(dst[k*height:], size, dy[k*pixel:], height, whole, height)
	}
	if rest := rows - whole*height; rest > 0 {
		copyRows(dst[whole*size:], height, dy[whole*height:], pixel, depth, rest)
	}
}

// directRows tells whether tiles read the rows of dyᵀ where they are.
func (p *weightProduct) directRows() bool { return p.groups*p.rows%512 != 0 }

// directColumns tells whether tiles read their columns where they are.
func (p *weightProduct) directColumns() bool {
	return p.gather.direct() && p.channels%narrowest(active) == 0
}

// addTasks returns the number of tasks that add the splits' sums.
func (p *weightProduct) addTasks() int {
	if p.splits() == 1 {
		return 0
	}
	return ceilDiv(p.size(), sumChunk)
}

func (p *weightProduct) addTask(task int) {
	lo, hi := task*sumChunk, min((task+1)*sumChunk, p.size())
	if !p.keep {
		clear(p.dw[lo:hi])
	}
	addRows(p.dw[lo:hi], p.sums[lo:], roundUp(p.size(), cacheLine), p.splits(), hi-lo)
}

// channelSum is the gradient of a bias: db[c] = Σ dy[r,c], in float32 over a block of rows, in float64 over the blocks.
type channelSum struct {
	rows, channels int
	dy             []float32
	sums           []float32 // [partials, channels]
}

func (p *channelSum) tasks() int { return partials(p.rows) }

func (p *channelSum) size() int { return p.tasks() * roundUp(p.channels, cacheLine) }

// Do adds up one part of the rows.
func (p *channelSum) Do(task, _ int) {
	begin := task * partialRows(p.rows)
	rows := min(partialRows(p.rows), p.rows-begin)
	sum := p.sums[task*roundUp(p.channels, cacheLine):][:p.channels]
	clear(sum)
	addRows(sum, p.dy[begin*p.channels:], p.channels, rows, p.channels)
}

// finish adds the blocks' sums, to db itself if keep is set.
func (p *channelSum) finish(db []float32, keep bool) {
	for c := range p.channels {
		sum := 0.0
		for task := range p.tasks() {
			sum += float64(p.sums[task*roundUp(p.channels, cacheLine)+c])
		}
		if keep {
			sum += float64(db[c])
		}
		db[c] = float32(sum)
	}
}

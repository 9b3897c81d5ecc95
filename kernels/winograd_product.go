package kernels

// Blocking of Winograd products. The transformed tiles of a task and a block of their products stay in the second-level
// cache, or nearly so, while the filters pass by.
const (
	winogradFloats  = 1 << 17 // wanted in the transformed tiles of a task, and in their products
	winogradColumns = 64      // output channels that are multiplied before they are transformed back
	filterChunk     = 64      // input channels of which the filters are transformed at once
	minTileBlock    = 24      // tiles in a task, a multiple of the rows of every register tile
	maxTileBlock    = 96
)

// tileGrid cuts the positions of a convolution into the tiles of a form.
type tileGrid struct {
	*gather
	*winogradForm
	down, across int // tiles of an image
}

func newTileGrid(g *gather, form *winogradForm) tileGrid {
	return tileGrid{g, form, ceilDiv(g.outH, form.tileH), ceilDiv(g.outW, form.tileW)}
}

// perImage returns the number of tiles of an image.
func (g *tileGrid) perImage() int { return g.down * g.across }

// corner returns the image of a tile and its first position.
func (g *tileGrid) corner(tile int) (n, y, x int) {
	return tile / g.perImage(), tile / g.across % g.down * g.tileH, tile % g.across * g.tileW
}

// inputTile returns the pixels under a tile, beginning with the given channel.
func (g *tileGrid) inputTile(tile, channel int) tileSource {
	n, y, x := g.corner(tile)
	y, x = y+g.top, x+g.left
	image := n * g.h * g.w * g.pixel
	return tileSource{
		data: g.src[image:], first: (y*g.w+x)*g.pixel + g.first + channel, row: g.w * g.pixel, col: g.pixel,
		rows: existing(y, g.h), cols: existing(x, g.w),
	}
}

// existing returns the bits of the pixels from first on that lie in [0,size).
func existing(first, size int) uint {
	before, behind := min(max(-first, 0), maxLine), min(max(size-first, 0), maxLine)
	return 1<<behind - 1<<before
}

// winogradProduct is an implicit product of neighbouring taps, computed in Winograd's form.
type winogradProduct struct {
	*implicitProduct
	grid     tileGrid
	minTiles int
	filters  []float32 // transformed, in panels: [panel][position][channel][column]

	pass productPass // of which it is the only part
}

func newWinogradProduct(p *implicitProduct, form *winogradForm, minTiles int) *winogradProduct {
	w := &winogradProduct{implicitProduct: p, grid: newTileGrid(&p.gather, form), minTiles: minTiles}
	w.pass.add(p, w)
	return w
}

// of returns the product for n images, to ask for sizes.
func (p *winogradProduct) of(n int) blockedProduct {
	images, direct := *p, *p.implicitProduct
	direct.n = n
	images.implicitProduct = &direct
	return &images
}

func (p *winogradProduct) tiles() int { return p.n * p.grid.perImage() }

// tileBlock returns how many tiles make a task.
func (p *winogradProduct) tileBlock() int {
	rows := winogradFloats / p.grid.positions / gatheredRow(p.channels)
	return min(max(rows/minTileBlock*minTileBlock, minTileBlock), maxTileBlock)
}

func (p *winogradProduct) tileBlocks() int { return ceilDiv(p.tiles(), p.tileBlock()) }

// columnBlock returns how many columns make a task, whole panels.
func (p *winogradProduct) columnBlock() int {
	parts := ceilDiv(wantTasks/2, p.tileBlocks()*p.groups)
	return roundUp(ceilDiv(p.cols, parts), tileFor(active).cols)
}

func (p *winogradProduct) tasks() int {
	return p.tileBlocks() * p.groups * ceilDiv(p.cols, p.columnBlock())
}

func (p *winogradProduct) packedSize() int {
	return p.groups * p.grid.positions * p.channelSteps() * p.paddedCols()
}

// channelSteps returns the depth of the products: channels, or pairs of them.
func (p *winogradProduct) channelSteps() int {
	if p.pairs {
		return ceilDiv(p.channels, 2)
	}
	return p.channels
}

func (p *winogradProduct) setPacked(filters []float32) { p.filters = filters }

func (p *winogradProduct) panels() int { return p.paddedCols() / tileFor(active).cols }

func (p *winogradProduct) filterChunks() int { return ceilDiv(p.channels, filterChunk) }

func (p *winogradProduct) packTasks() int { return p.groups * p.panels() * p.filterChunks() }

// packTask transforms the filters of one panel of columns and one chunk of channels.
func (p *winogradProduct) packTask(task int, ws []float32) {
	width, chunks := tileFor(active).cols, p.filterChunks()
	panel, channel := task/chunks, task%chunks*filterChunk
	channels := min(filterChunk, p.channels-channel)
	space, size := newScratch(ws), channels*width
	taps := space.take(p.kh * p.kw * size)
	for tap := range p.kh * p.kw {
		k := tap*p.channels + channel
		p.pack(taps[tap*size:], panel/p.panels(), panel%p.panels()*width, k, k+channels)
	}
	src := tileSource{data: taps, row: p.kw * size, col: size, rows: allLines, cols: allLines}
	position := p.channelSteps() * width
	dst := p.filters[panel*p.grid.positions*position:]
	if !p.pairs {
		p.grid.filter.spreadTile(dst[channel*width:], position, src, size)
		return
	}
	filters := space.take(p.grid.positions * size)
	p.grid.filter.spreadTile(filters, size, src, size)
	for i := range p.grid.positions {
		pairRows(dst[i*position+channel/2*width:], width, filters[i*size:], width, channels, width)
	}
}

// tileStep returns the distance between positions of a block of tiles whose rows are so far apart: not a power of two.
func tileStep(tiles, row int) int { return tiles*row + cacheLine }

func (p *winogradProduct) productColumns() int { return min(winogradColumns, p.columnBlock()) }

func (p *winogradProduct) workerSize() int {
	inputs := p.grid.positions * tileStep(p.tileBlock(), gatheredRow(p.channels))
	products := p.grid.positions * tileStep(p.tileBlock(), gatheredRow(p.productColumns()))
	taps := p.kh * p.kw
	if p.pairs {
		taps += p.grid.positions
	}
	filters := taps * min(filterChunk, p.channels) * tileFor(active).cols
	return max(inputs+products, roundUp(filters, cacheLine)) + 2*cacheLine
}

// multiply computes one task: a block of tiles and of columns of one group.
func (p *winogradProduct) multiply(task int, ws []float32) {
	columnBlock := p.columnBlock()
	columnBlocks := ceilDiv(p.cols, columnBlock)
	tile := task / (columnBlocks * p.groups) * p.tileBlock()
	group := task / columnBlocks % p.groups
	begin := task % columnBlocks * columnBlock
	end := min(begin+columnBlock, p.cols)
	tiles := min(p.tileBlock(), p.tiles()-tile)

	inputRow, productRow := gatheredRow(p.channels), gatheredRow(p.productColumns())
	inputStep, productStep := tileStep(p.tileBlock(), inputRow), tileStep(p.tileBlock(), productRow)
	space := newScratch(ws)
	inputs, products := space.take(p.grid.positions*inputStep), space.take(p.grid.positions*productStep)
	for t := range tiles {
		p.grid.input.spreadTile(inputs[t*inputRow:], inputStep, p.grid.inputTile(tile+t, group*p.channels), p.channels)
		if p.pairs {
			pairColumns(inputs[t*inputRow:], inputStep, inputs[t*inputRow:], inputStep, p.grid.positions, p.channels)
		}
	}
	for col := begin; col < end; col += winogradColumns {
		cols := min(winogradColumns, end-col)
		for position := range p.grid.positions {
			p.multiplyPosition(products[position*productStep:], productRow, inputs[position*inputStep:], inputRow, tiles, group, position, col, cols)
		}
		for t := range tiles {
			p.grid.output.collectTile(p.target(tile+t, group*p.cols+col), products[t*productRow:], productStep, cols)
		}
	}
}

// multiplyPosition multiplies the inputs of one position by its filters.
func (p *winogradProduct) multiplyPosition(c []float32, cRow int, a []float32, aRow, tiles, group, position, col, cols int) {
	width := tileFor(active).cols
	steps := p.channelSteps()
	panel := p.grid.positions * steps * width
	filters := p.filters[(group*p.panels()+col/width)*panel+position*steps*width:]
	m := product{rows: tiles, cols: cols, pairs: p.pairs, c: view{c, cRow}}
	for k, depth := 0, equalBlocks(steps, depthBlock); k < steps; k += depth {
		m.depth = min(depth, steps-k)
		m.left, m.right = rowsOf(a[k:], aRow), panelsOf(filters[k*width:], panel)
		m.run()
		m.accumulate = true
	}
}

// target returns where a tile of outputs goes, beginning with the given channel.
func (p *winogradProduct) target(tile, channel int) tileTarget {
	n, y, x := p.grid.corner(tile)
	at := ((n*p.outH+y)*p.outW+x)*p.dstPixel + channel
	t := tileTarget{
		data: p.dst[at:], row: p.outW * p.dstPixel, col: p.dstPixel,
		rows: min(p.grid.tileH, p.outH-y), cols: min(p.grid.tileW, p.outW-x),
	}
	if p.bias != nil {
		t.bias, t.flags = p.bias[channel:], flagBias
	}
	if p.add != nil {
		t.add, t.flags = p.add[at:], t.flags|flagAdd
	}
	if p.relu {
		t.flags |= flagReLU
	}
	return t
}

// equalBlocks returns the size of the blocks into which n is cut if none may be larger than limit; the last may be
// smaller.
func equalBlocks(n, limit int) int { return ceilDiv(n, ceilDiv(n, limit)) }

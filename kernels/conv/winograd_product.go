package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
)

// Blocking of Winograd products. The transformed tiles of a task and a block of their products stay in the second-level
// cache, or nearly so, while the filters pass by.
const (
	winogradFloats  = 1 << 17 // wanted in the transformed tiles of a task, and in their products
	winogradColumns = 64      // output channels that are multiplied before they are transformed back
	filterChunk     = 64      // input channels whose filters are transformed at once
	minTileBlock    = 24      // tiles in a task, a multiple of the rows of every register tile
	maxTileBlock    = 96
)

// winogradProduct multiplies the operands of an implicit product of neighbouring taps in Winograd's form.
type winogradProduct struct {
	operands *implicitProduct
	grid     tileGrid
	minTiles int
	filters  []float32 // transformed, in panels: [panel][position][channel][column]

	pass productPass // its only part is this product
}

func newWinogradProduct(p *implicitProduct, form *winogradForm, minTiles int) *winogradProduct {
	w := &winogradProduct{operands: p, grid: newTileGrid(&p.gather, form), minTiles: minTiles}
	w.pass.add(p, w)
	return w
}

// of returns the product for n images, to ask for sizes.
func (p *winogradProduct) of(n int) blockedProduct {
	images, operands := *p, *p.operands
	operands.n = n
	images.operands = &operands
	return &images
}

func (p *winogradProduct) tiles() int { return p.operands.n * p.grid.perImage() }

// tileBlock returns how many tiles make a task.
func (p *winogradProduct) tileBlock() int {
	rows := winogradFloats / p.grid.positions / mem.PaddedRow(p.operands.channels)
	return min(max(rows/minTileBlock*minTileBlock, minTileBlock), maxTileBlock)
}

// blocks cuts the products into tasks: blocks of tiles, and of columns that are whole panels.
func (p *winogradProduct) blocks() blockGrid {
	g := blockGrid{rowBlocks: mem.CeilDiv(p.tiles(), p.tileBlock()), groups: p.operands.groups, cols: p.operands.cols}
	parts := mem.CeilDiv(wantTasks/2, g.rowBlocks*g.groups)
	g.columnBlock = mem.RoundUp(mem.CeilDiv(g.cols, parts), gemm.Tile().Cols)
	return g
}

func (p *winogradProduct) tasks() int {
	blocks := p.blocks()
	return blocks.tasks()
}

// mostPieces returns into how many pieces of its columns a task can be cut, each of which transforms all its inputs.
func (p *winogradProduct) mostPieces() int {
	blocks := p.blocks()
	return max(1, blocks.columnBlock/winogradColumns)
}

func (p *winogradProduct) packedSize() int {
	return p.operands.groups * p.grid.positions * p.steps() * p.operands.paddedCols()
}

// steps returns the depth of the products: channels, or pairs of them.
func (p *winogradProduct) steps() int {
	if p.operands.pairs {
		return mem.CeilDiv(p.operands.channels, 2)
	}
	return p.operands.channels
}

func (p *winogradProduct) packsAhead() bool { return true }

func (p *winogradProduct) start(filters []float32) { p.filters = filters }

func (p *winogradProduct) panels() int {
	return p.operands.paddedCols() / gemm.Tile().Cols
}

func (p *winogradProduct) filterChunks() int { return mem.CeilDiv(p.operands.channels, filterChunk) }

func (p *winogradProduct) packTasks() int { return p.operands.groups * p.panels() * p.filterChunks() }

// takePackScratch takes what a task of packing needs: the filters of a chunk of channels, and where they are rounded to
// pairs the transformed ones.
func (p *winogradProduct) takePackScratch(space *mem.Scratch) (taps, filters []float32) {
	o := p.operands
	size := min(filterChunk, o.channels) * gemm.Tile().Cols
	if taps = space.Take(o.kh * o.kw * size); o.pairs {
		filters = space.Take(p.grid.positions * size)
	}
	return taps, filters
}

// packTask transforms the filters of one panel of columns and one chunk of channels.
func (p *winogradProduct) packTask(task int, ws []float32) {
	o, width, chunks := p.operands, gemm.Tile().Cols, p.filterChunks()
	panel, channel := task/chunks, task%chunks*filterChunk
	channels := min(filterChunk, o.channels-channel)
	space, size := mem.NewScratch(ws), channels*width
	taps, filters := p.takePackScratch(&space)
	for tap := range o.kh * o.kw {
		k := tap*o.channels + channel
		o.pack(taps[tap*size:], panel/p.panels(), panel%p.panels()*width, k, k+channels)
	}
	src := tileSource{data: taps, row: o.kw * size, col: size, rows: allLines, cols: allLines}
	position := p.steps() * width
	dst := p.filters[panel*p.grid.positions*position:]
	if !o.pairs {
		p.grid.filter.spreadTile(dst[channel*width:], position, src, size)
		return
	}
	p.grid.filter.spreadTile(filters, size, src, size)
	for i := range p.grid.positions {
		gemm.PairRows(dst[i*position+channel/2*width:], width, filters[i*size:], width, channels, width)
	}
}

// winogradBlock is a task: tiles of all positions, and columns of one group.
type winogradBlock struct {
	*winogradProduct
	tile, tiles      int
	group            int
	col, cols        int
	inputs, products transformed
}

// block returns a piece of a task, with its scratch.
func (p *winogradProduct) block(task int, of piece, space *mem.Scratch) winogradBlock {
	blocks, tileBlock := p.blocks(), p.tileBlock()
	b := winogradBlock{winogradProduct: p}
	row, group, col, cols := blocks.task(task)
	first, last := of.columns(cols)
	col, cols = col+first, last-first
	b.tile, b.tiles = row*tileBlock, min(tileBlock, p.tiles()-row*tileBlock)
	b.group, b.col, b.cols = group, col, cols
	b.inputs = transformedTiles(tileBlock, p.operands.channels)
	b.products = transformedTiles(tileBlock, min(winogradColumns, blocks.columnBlock))
	b.inputs.data = space.Take(p.grid.positions * b.inputs.step)
	b.products.data = space.Take(p.grid.positions * b.products.step)
	return b
}

func (p *winogradProduct) workerSize() int {
	packing, multiplying := mem.CountingScratch(), mem.CountingScratch()
	p.takePackScratch(&packing)
	p.block(0, wholeTask, &multiplying)
	return max(packing.Size(), multiplying.Size())
}

// multiply computes a piece of a task.
func (p *winogradProduct) multiply(task int, of piece, ws []float32) {
	space := mem.NewScratch(ws)
	b, o := p.block(task, of, &space), p.operands
	for t := range b.tiles {
		to, step := b.inputs.at(0, t), b.inputs.step
		p.grid.input.spreadTile(to, step, p.grid.inputTile(b.tile+t, b.group*o.channels), o.channels)
		if o.pairs {
			gemm.PairColumns(to, step, to, step, p.grid.positions, o.channels)
		}
	}
	for col := b.col; col < b.col+b.cols; col += winogradColumns {
		cols := min(winogradColumns, b.col+b.cols-col)
		for position := range p.grid.positions {
			b.multiplyPosition(position, col, cols)
		}
		for t := range b.tiles {
			target := p.target(b.tile+t, b.group*o.cols+col)
			p.grid.output.collectTile(target, b.products.at(0, t), b.products.step, cols)
			target.apply(o.follows, cols)
		}
	}
}

// multiplyPosition multiplies the inputs of one position by its filters of some columns.
func (b *winogradBlock) multiplyPosition(position, col, cols int) {
	width, steps := gemm.Tile().Cols, b.steps()
	panel := b.grid.positions * steps * width
	filters := b.filters[(b.group*b.panels()+col/width)*panel+position*steps*width:]
	inputs := b.inputs.at(position, 0)
	m := gemm.Product{Rows: b.tiles, Cols: cols, Pairs: b.operands.pairs}
	m.C = gemm.View{Data: b.products.at(position, 0), Row: b.products.row}
	for k, depth := 0, mem.EqualParts(steps, depthBlock); k < steps; k += depth {
		m.Depth = min(depth, steps-k)
		m.Left, m.Right = gemm.RowsOf(inputs[k:], b.inputs.row), gemm.PanelsOf(filters[k*width:], panel)
		m.Run()
		m.Accumulate = true
	}
}

// target returns where a tile of outputs goes, beginning with the given channel.
func (p *winogradProduct) target(tile, channel int) tileTarget {
	o := p.operands
	n, y, x := p.grid.corner(tile)
	at := ((n*o.outH+y)*o.outW+x)*o.dstPixel + channel
	t := tileTarget{
		data: o.dst[at:], row: o.outW * o.dstPixel, col: o.dstPixel,
		rows: min(p.grid.tileH, o.outH-y), cols: min(p.grid.tileW, o.outW-x),
	}
	if o.bias != nil {
		t.bias, t.flags = o.bias[channel:], flagBias
	}
	if o.add != nil {
		t.add, t.flags = o.add[at:], t.flags|flagAdd
	}
	if o.relu {
		t.flags |= flagReLU
	}
	return t
}

// tileGrid cuts the positions of a convolution into the tiles of a form.
type tileGrid struct {
	*gather
	*winogradForm
	down, across int // tiles of an image
}

func newTileGrid(g *gather, form *winogradForm) tileGrid {
	return tileGrid{g, form, mem.CeilDiv(g.outH, form.tileH), mem.CeilDiv(g.outW, form.tileW)}
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
	before, end := min(max(-first, 0), maxLine), min(max(size-first, 0), maxLine)
	return 1<<end - 1<<before
}

// transformed is a block of transformed tiles, or of their products: [position, tile, channel].
type transformed struct {
	data []float32
	row  int // floats from one tile to the next
	step int // floats from one position to the next
}

// transformedTiles returns a block for some tiles, without any space.
func transformedTiles(tiles, channels int) transformed {
	return transformedRows(tiles, mem.PaddedRow(channels))
}

// transformedRows is transformedTiles for rows of the given length. The distance of positions is no power of two.
func transformedRows(tiles, row int) transformed {
	return transformed{row: row, step: tiles*row + mem.Line}
}

// at returns a position of a tile.
func (t *transformed) at(position, tile int) []float32 { return t.data[position*t.step+tile*t.row:] }

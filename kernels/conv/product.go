package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Blocking of convolutions, the same for every instruction set. A block of the left operand, rowBlock × depthBlock,
// stays in the second-level cache while all panels of weights pass by.
const (
	rowBlock   = 96   // a multiple of the rows of every tile
	depthBlock = 1024 // upper bound: the depth is cut into equal blocks
	wantTasks  = 16   // columns are cut as well where the rows alone give fewer tasks

	// Where there is a single block of rows, its tasks pack the columns that they need themselves.
	packedFloats = 1 << 16 // packed columns at a time
	packedRows   = 8       // rows of the weights that are packed in one step
)

// implicitProduct is a convolution as a matrix product: gathered rows times weights. The forward pass is one of them,
// the data gradient one for each phase of the stride, because the pixels of one phase see the same subset of taps.
type implicitProduct struct {
	gather            // the rows
	weightColumns     // the columns
	destination       // the results
	n             int // images
	groups        int
	cols          int  // columns of a group
	pairs         bool // multiply pairs of bf16: all depths are then counted in pairs
	strassen      bool // multiply in Strassen's form, by quadrants, from minBlocks blocks of rows on
	minBlocks     int
	given         bool // rows are given to each block, which has all columns
	even          bool // blocks of rows are equal, so that no thread waits for the rest of others: in inference

	storing storing   // of the call in flight
	packed  []float32 // weights in panels, group by group; nil if blocks pack the columns that they need
}

// weightColumns are the weights as the right operand of a product.
type weightColumns struct {
	weights      []float32
	transposed   bool  // weights are the columns (forward); otherwise the rows, tap by tap
	tapOffsets   []int // of the rows: where in an output channel's weights each tap begins
	weightStride int   // floats per output channel
}

// destination is where the results of a product go, and what happens to them on the way.
type destination struct {
	dst      []float32
	add      []float32
	bias     []float32
	relu     bool
	follows  act.Kind // an activation that follows when a block is complete
	dstPixel int      // floats between pixels of dst, over all groups
	phase    phase
	summed   summedTasks        // of dst
	norm     *norm.GradientSums // of dst as the gradient of a batch norm's output; nil for none
}

// phase says which pixels of the destination the rows of a product are: those at (y0 + sh·y, x0 + sw·x).
type phase struct {
	h, w   int // destination image
	y0, x0 int
	sh, sw int
}

// of returns the product for n images, to ask for sizes.
func (p *implicitProduct) of(n int) blockedProduct {
	sized := p.sized(n)
	return &sized
}

// sized returns the product for n images and no operands.
func (p *implicitProduct) sized(n int) implicitProduct {
	sized := *p
	sized.n, sized.dst, sized.add, sized.norm, sized.packed = n, nil, nil, nil, nil
	sized.follows = act.None
	sized.storing = sized.chooseStoring()
	return sized
}

func (p *implicitProduct) rows() int { return p.n * p.outH * p.outW }

func (p *implicitProduct) rowBlocks() int { return mem.CeilDiv(p.rows(), rowBlock) }

// rowsOf returns the rows of a block: rowBlock of them but for the last, or tiles of rows in equal parts.
func (p *implicitProduct) rowsOf(block int) (first, last int) {
	if !p.even || p.inStrassenForm() {
		return block * rowBlock, min((block+1)*rowBlock, p.rows())
	}
	height := gemm.Tile().Rows
	first, last = piece{block, p.rowBlocks()}.of(mem.CeilDiv(p.rows(), height))
	return first * height, min(last*height, p.rows())
}

// packsAhead reports whether each call packs the weights before it multiplies them.
func (p *implicitProduct) packsAhead() bool { return p.given || p.rowBlocks() > 1 }

// paddedCols returns the columns of a group in whole panels.
func (p *implicitProduct) paddedCols() int {
	return mem.RoundUp(p.cols, gemm.Tile().Cols)
}

func (p *implicitProduct) packedSize() int {
	if p.inStrassenForm() {
		return p.groups * p.strassenSize()
	}
	return p.groups * p.steps() * p.paddedCols()
}

// columnBlock returns how many columns make a task.
func (p *implicitProduct) columnBlock() int {
	width := gemm.Tile().Cols
	if p.inStrassenForm() {
		width *= 2
	}
	parts := mem.CeilDiv(wantTasks, max(1, p.rowBlocks()*p.groups))
	if p.given {
		parts = 1
	}
	return mem.RoundUp(mem.CeilDiv(p.cols, parts), width)
}

// blocks cuts the product into tasks.
func (p *implicitProduct) blocks() blockGrid {
	return blockGrid{rowBlocks: p.rowBlocks(), groups: p.groups, cols: p.cols, columnBlock: p.columnBlock()}
}

func (p *implicitProduct) tasks() int {
	blocks := p.blocks()
	return blocks.tasks()
}

// steps returns the depth of the product.
func (p *implicitProduct) steps() int {
	if p.pairs {
		return mem.CeilDiv(p.depth(), 2)
	}
	return p.depth()
}

// blockDepth returns the depth of the blocks, equal but for the last.
func (p *implicitProduct) blockDepth() int {
	depth := max(p.steps(), 1)
	if p.inStrassenForm() {
		return mem.RoundUp(mem.EqualParts(depth, strassenDepth), 2)
	}
	limit := depthBlock
	if !p.packsAhead() && !p.transposed {
		limit = min(limit, max(packedFloats/p.columnBlock(), 1))
	}
	return mem.EqualParts(depth, limit)
}

// packTasks returns the number of panels to pack.
func (p *implicitProduct) packTasks() int {
	if p.inStrassenForm() {
		pairs, singles := columnPanels(p.cols)
		return p.groups * (pairs + singles)
	}
	return p.groups * p.paddedCols() / gemm.Tile().Cols
}

// start begins a call, with the space for packed weights.
func (p *implicitProduct) start(packed []float32) { p.packed, p.storing = packed, p.chooseStoring() }

// packTask packs one panel of one group.
func (p *implicitProduct) packTask(task int, ws []float32) {
	if p.inStrassenForm() {
		p.packStrassen(task)
		return
	}
	width, depth := gemm.Tile().Cols, p.steps()
	panels := p.paddedCols() / width
	dst := p.packed[task*depth*width:][:depth*width]
	p.packSteps(dst, task/panels, task%panels*width, 0, depth, mem.Align(ws))
}

// packSteps is pack or, where the product is of pairs, packPairs: they are rounded in the space.
func (p *implicitProduct) packSteps(dst []float32, group, j, k0, k1 int, space []float32) {
	if p.pairs {
		p.packPairs(dst, group, j, k0, k1, space)
	} else {
		p.pack(dst, group, j, k0, k1)
	}
}

// pack writes rows [k0,k1) of the panel that begins with column j.
func (p *implicitProduct) pack(dst []float32, group, j, k0, k1 int) {
	width := gemm.Tile().Cols
	cols := min(width, p.cols-j)
	if p.transposed {
		vec.TransposeRows(dst, width, p.weights[(group*p.cols+j)*p.weightStride+k0:], p.weightStride, cols, k1-k0)
	} else {
		// Row k is tap k/channels of output channel k%channels.
		for k := k0; k < k1; {
			tap, o := k/p.channels, k%p.channels
			run := min(p.channels-o, k1-k)
			src := p.weights[(group*p.channels+o)*p.weightStride+p.tapOffsets[tap]+j:]
			vec.CopyRows(dst[(k-k0)*width:], width, src, p.weightStride, run, cols)
			k += run
		}
	}
	gemm.ZeroColumns(dst, width, cols, k1-k0)
}

// mostPieces returns into how many pieces of its columns a task can be cut: one where what follows the product needs
// all of them.
func (p *implicitProduct) mostPieces() int {
	if p.norm != nil || p.storing == storeBands {
		return 1
	}
	return max(1, mem.CeilDiv(p.columnBlock(), gemm.Tile().Cols)/piecePanels)
}

// multiply computes a piece of a task.
func (p *implicitProduct) multiply(task int, of piece, ws []float32) {
	var b productBlock
	b.begin(p, task, of, ws)
	b.multiply()
}

// firstTasks returns how many tasks make the first block of rows.
func (p *implicitProduct) firstTasks() int { return p.tasks() / p.rowBlocks() }

// move copies rows of the product between a block and the pixels of the image that they are.
func (p *implicitProduct) move(
	block []float32, blockRow int, image []float32, first, row, rows, cols int, toImage bool,
) {
	for rows > 0 {
		x := row % p.outW
		y := row / p.outW % p.outH
		n := row / (p.outW * p.outH)
		run := min(rows, p.outW-x)
		pixel := (n*p.phase.h+p.phase.y0+p.phase.sh*y)*p.phase.w + p.phase.x0 + p.phase.sw*x
		pixels := image[pixel*p.dstPixel+first:]
		if toImage {
			vec.CopyRows(pixels, p.phase.sw*p.dstPixel, block, blockRow, run, cols)
		} else {
			vec.CopyRows(block, blockRow, pixels, p.phase.sw*p.dstPixel, run, cols)
		}
		block = block[min(run*blockRow, len(block)):]
		row += run
		rows -= run
	}
}

// storing says how blocks of a product reach their destination. It is decided once a call.
type storing int

const (
	storeDirectly storing = iota // by tiles
	storePast                    // by tiles, past the caches where they have whole lines
	storeBands                   // past the caches, band by band: tiles have no whole lines, but a band of rows has
	storeAside                   // past the caches, when the sums of a block are taken
	storeStrided                 // to pixels that are apart, when the block is complete
)

// chooseStoring decides for the operands that are set. Without a destination it decides for one that needs most
// scratch. A result that is added to itself is not stored past the caches, where it already is, and neither is one that
// an activation follows.
func (p *implicitProduct) chooseStoring() storing {
	whole := p.dstPixel%gemm.Tile().Cols == 0
	switch {
	case p.phase.sh != 1 || p.phase.sw != 1:
		return storeStrided
	case p.add != nil && &p.add[0] == &p.dst[0], p.follows != act.None:
		return storeDirectly
	case p.norm != nil && p.norm.Aside():
		return storeAside
	case p.norm != nil || !mem.PastCaches(p.rows()*p.dstPixel):
		return storeDirectly
	case whole || p.columnBlock() < p.dstPixel || p.blockDepth() < p.steps() || p.inStrassenForm():
		return storePast
	case mem.Aligned(p.dst) && gemm.Tile().Rows*p.dstPixel%mem.Line == 0: // every band begins at a cache line
		return storeBands
	}
	return storeDirectly
}

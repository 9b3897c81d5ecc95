package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
)

// productBlock is a task of an implicit product: a block of rows and columns of one group.
type productBlock struct {
	*implicitProduct
	m               gemm.Product // the block of the depth at hand
	row, group, col int
	piece           piece     // of the task's columns
	first           int       // channel of dst
	source          gather    // of the group
	direct          bool      // tiles read the rows where they are
	rowsGiven       gemm.View // up to the next whole tiles, where rows are given
	sums            gemm.ColumnSums
	before          []float32 // what the batch norm before reads when the block is complete
	strassenProduct gemm.StrassenProduct
	productScratch
}

// productScratch is what a task needs besides its operands. Slices that it does not need are nil.
type productScratch struct {
	gathered, edge, rounding []float32
	block                    []float32 // of the result, until it is complete
	band                     []float32 // of the result
	strassenScratch          gemm.StrassenScratch
	columns                  []float32 // packed, unless they are packed ahead
}

// take takes what a task of a product needs.
func (s *productScratch) take(p *implicitProduct, space *mem.Scratch) {
	depth := p.blockDepth()
	switch {
	case p.given:
	case p.multipliesLines():
		s.gathered = space.Take(p.kh * p.lineSize(min(rowBlock, p.outW)))
	default:
		s.gathered = space.Take(rowBlock * mem.PaddedRow(depth))
	}
	s.edge = space.Take(gemm.EdgeSize(depth))
	if p.pairs {
		s.rounding = space.Take(p.pairSpace())
	}
	switch p.storing {
	case storeStrided:
		s.block = space.Take(rowBlock * p.columnBlock())
	case storeAside:
		s.block = space.Take(rowBlock * p.dstPixel)
	case storeBands:
		s.band = space.Take(gemm.Tile().Rows * p.dstPixel)
	}
	if p.inStrassenForm() {
		s.strassenScratch = gemm.TakeStrassenScratch(space, rowBlock, depth)
	}
	if !p.packsAhead() && p.packed == nil {
		s.columns = space.Take(depth * p.columnBlock())
	}
}

// workerSize returns the scratch of one worker. Packing needs less of it than multiplying.
func (p *implicitProduct) workerSize() int {
	space := mem.CountingScratch()
	new(productScratch).take(p, &space)
	return space.Size()
}

// begin sets what is the same for all of the depth: where the block goes and what is added to it.
func (b *productBlock) begin(p *implicitProduct, task int, of piece, ws []float32) {
	m, space, blocks := &b.m, mem.NewScratch(ws), p.blocks()
	b.implicitProduct = p
	b.piece = of
	block, group, col, cols := blocks.task(task)
	row, end := p.rowsOf(block)
	b.row, b.group, b.col, m.Rows, m.Cols = row, group, col, end-row, cols
	if !p.inStrassenForm() { // which has pieces of two halves
		first, last := b.piece.columns(m.Cols)
		b.col, m.Cols = b.col+first, last-first
	}
	b.first = b.group*p.cols + b.col
	b.source = p.gather
	b.source.first += b.group * p.channels

	m.Pairs = p.pairs
	b.direct = !p.pairs && !p.given && b.source.direct() && (m.Rows == rowBlock || !p.inStrassenForm())
	b.productScratch.take(p, &space)
	b.setResult()
}

// multiply computes the block.
func (b *productBlock) multiply() {
	p := b.implicitProduct
	depth, block := p.steps(), p.blockDepth()
	for k := 0; k < depth; k += block {
		b.m.Depth = min(block, depth-k)
		b.m.Epilogue = b.epilogueOf(k == 0, k+b.m.Depth == depth)
		if p.multipliesLines() {
			b.packColumns(k)
			b.multiplyLines()
			continue
		}
		b.gatherRows(k)
		if p.inStrassenForm() {
			b.multiplyStrassen(k)
			continue
		}
		b.packColumns(k)
		b.m.Run()
	}
	b.finish()
}

// setResult sets where the block goes, what is summed of it, and what is read when it is complete.
func (b *productBlock) setResult() {
	p, m := b.implicitProduct, &b.m
	switch p.storing {
	case storeStrided:
		m.C = gemm.View{Data: b.block, Row: p.columnBlock()}
		if p.add != nil {
			b.move(p.add, false)
		}
	case storeAside:
		m.C = gemm.View{Data: b.block, Row: p.dstPixel}
	default:
		m.C, m.Band = gemm.View{Data: p.dst[b.row*p.dstPixel+b.first:], Row: p.dstPixel}, b.band
	}
	if p.summed.Sums != nil {
		sums := p.summed.Block(b.row / rowBlock)
		b.sums = gemm.ColumnSums{Shift: p.summed.Shift[b.col:], Sums: sums[b.col:], Row: p.summed.Row}
		b.clearSums()
	}
	if p.norm != nil {
		b.before = p.norm.Ahead(b.row, m.Rows)
	}
}

// computed returns which columns of the block are computed, up to three ranges of them: a piece of a product in
// Strassen's form has columns of both halves, and the last piece those that have no partner.
func (b *productBlock) computed() [3]columnRange {
	if !b.inStrassenForm() {
		return [3]columnRange{{0, b.m.Cols}}
	}
	width := gemm.Tile().Cols
	pairs, _ := columnPanels(b.m.Cols)
	first, last := b.piece.of(pairs)
	ranges := [3]columnRange{{first * width, last * width}, {(pairs + first) * width, (pairs + last) * width}}
	if b.piece.last() {
		ranges[2] = columnRange{2 * pairs * width, b.m.Cols}
	}
	return ranges
}

// columnRange is the columns [first,last).
type columnRange struct{ first, last int }

// clearSums clears the sums of the block's columns.
func (b *productBlock) clearSums() {
	for _, c := range b.computed() {
		last := mem.RoundUp(c.last, gemm.Tile().Cols)
		clear(b.sums.Sums[c.first:last])
		clear(b.sums.Sums[b.sums.Row:][c.first:last])
	}
}

// move copies the block to the pixels of the image that it is, or back.
func (b *productBlock) move(image []float32, toImage bool) {
	m := &b.m
	for _, c := range b.computed() {
		if cols := c.last - c.first; cols > 0 {
			b.implicitProduct.move(m.C.Data[c.first:], m.C.Row, image, b.first+c.first, b.row, m.Rows, cols, toImage)
		}
	}
}

// epilogueOf returns what follows the product in the first block of the depth, in those between and in the last. What
// may alias dst is added in the first, before dst is written.
func (b *productBlock) epilogueOf(first, last bool) gemm.Epilogue {
	p := b.implicitProduct
	strided := p.storing == storeStrided // what is added is in the block already
	e := gemm.Epilogue{Accumulate: !first || strided && p.add != nil}
	if first {
		if p.bias != nil {
			e.Bias = p.bias[b.first:]
		}
		if p.add != nil && !strided {
			e.Add = gemm.View{Data: p.add, Row: p.dstPixel}.At(b.row, b.first)
		}
	}
	if last {
		e.ReLU, e.Cap, e.Sums = p.relu || p.follows == act.ReLU6, p.follows == act.ReLU6, b.sums
	}
	e.Stream = first && last && p.storing == storePast
	return e
}

// gatherRows sets the left factor, from k on. It also sets what tiles fetch, unless the rows are given: then their
// giver has done so.
func (b *productBlock) gatherRows(k int) {
	m, source := &b.m, &b.source
	switch {
	case b.given:
		m.Left = gemm.RowsOf(b.rowsGiven.Data[k:], b.rowsGiven.Row)
		return
	case b.direct && k == 0 && b.groups == 1:
		m.Ahead = b.rowsAhead()
	default:
		m.Ahead = gemm.PrefetchEvenly(b.before)
	}
	switch {
	case b.direct:
		m.Left = gemm.RowsOf(source.src[b.row*source.pixel+source.first+k:], source.pixel).WithEdge(b.edge)
	case b.pairs:
		m.Left = gemm.RowsOf(b.gathered, mem.PaddedRow(m.Depth))
		source.fillPairs(b.gathered, m.Left.Row, b.row, m.Rows, k, k+m.Depth, b.rounding)
	default:
		m.Left = gemm.RowsOf(b.gathered, mem.PaddedRow(m.Depth))
		if !b.gathersLater() {
			source.fill(b.gathered, m.Left.Row, b.row, m.Rows, k, k+m.Depth)
		}
	}
}

// rowsAhead returns what the tiles of a block fetch whose rows lie in memory: with each band the rows two bands further
// on, which at the end are the first of the next block, and what the batch norm before reads.
func (b *productBlock) rowsAhead() gemm.Prefetch {
	m, shape := &b.m, gemm.Tile()
	ahead, bands, panels := 2*shape.Rows, mem.CeilDiv(m.Rows, shape.Rows), mem.CeilDiv(m.Cols, shape.Cols)
	rows := func(from, count int) []float32 {
		from, count = min(from, b.rows()), min(count, b.rows()-from)
		return b.source.src[from*b.source.pixel:][:max(count, 0)*b.source.pixel]
	}
	below, next := rows(b.row+ahead, m.Rows-ahead), rows(b.row+m.Rows, ahead)
	switch {
	case panels == 1:
		return gemm.PrefetchEvenly(below, b.before, next)
	case m.Band != nil: // all panels pass by a band before the next one
		return gemm.PrefetchEvenly(below, next)
	}
	return gemm.PrefetchEvenly(below, next).ByFirst(bands).Then(b.before)
}

// packColumns sets the right factor, from k on.
func (b *productBlock) packColumns(k int) {
	p, m, width, depth := b.implicitProduct, &b.m, gemm.Tile().Cols, b.steps()
	if p.packed != nil {
		m.Right = gemm.PanelsOf(p.packed[b.group*depth*p.paddedCols()+b.col*depth+k*width:], depth*width)
		return
	}
	packed := b.columns[:mem.RoundUp(m.Cols, width)*m.Depth]
	m.Right = gemm.PanelsOf(packed, m.Depth*width)
	rows := m.Depth
	if !p.transposed {
		rows = packedRows // in the order of memory
		if p.kh*p.kw == 1 && !p.pairs && k+m.Depth < depth {
			next := p.weights[(b.group*p.channels+k+m.Depth)*p.weightStride+p.tapOffsets[0]+b.col:]
			m.Ahead = gemm.PrefetchStrips(gemm.StripsOf(next, p.weightStride, m.Cols))
		}
	}
	for at := 0; at < m.Depth; at += rows {
		end := min(at+rows, m.Depth)
		for j := 0; j < m.Cols; j += width {
			p.packSteps(packed[j*m.Depth+at*width:], b.group, b.col+j, k+at, k+end, b.rounding)
		}
	}
}

// activate applies the activation that follows to some columns: row by row, or to all rows at once if these have no
// other columns, as a call takes as long as some vectors.
func (b *productBlock) activate(columns columnRange) {
	rows, row := b.m.Rows, b.m.C.Row
	if columns == (columnRange{0, row}) {
		rows, row, columns.last = 1, rows*row, rows*row
	}
	for r := range rows {
		at := b.m.C.Data[r*row:][columns.first:columns.last]
		act.Apply(b.follows, at, at)
	}
}

// finish does what follows the last block of the depth.
func (b *productBlock) finish() {
	p, m := b.implicitProduct, &b.m
	if p.follows != act.None && p.follows != act.ReLU6 { // which tiles have computed
		for _, c := range b.computed() {
			b.activate(c)
		}
	}
	if p.norm != nil {
		p.norm.Block(b.row/rowBlock, b.row, m.C.Data[:m.Rows*p.dstPixel])
	}
	if p.storing == storeStrided {
		if p.steps() == 0 && p.add == nil {
			clear(m.C.Data[:m.Rows*m.C.Row])
		}
		b.move(p.dst, true)
	}
}

package kernels

// productBlock is a task of an implicit product: a block of rows and columns of one group.
type productBlock struct {
	*implicitProduct
	m               product // the block of the depth at hand
	row, group, col int
	first           int       // channel of dst
	source          gather    // of the group
	direct          bool      // tiles read the rows where they are
	rowsGiven       []float32 // up to the next whole tiles, where rows are given
	givenRow        int
	quarters        quarteredProduct

	gathered, rounding, packed []float32 // scratch
}

// begin sets what is the same for all of the depth: where the block goes and what is added to it.
func (b *productBlock) begin(p *implicitProduct, task int, ws []float32) {
	columnBlock, depth := p.columnBlock(), p.blockDepth()
	columnBlocks := ceilDiv(p.cols, columnBlock)
	b.implicitProduct = p
	b.row = task / (columnBlocks * p.groups) * rowBlock
	b.group = task / columnBlocks % p.groups
	b.col = task % columnBlocks * columnBlock
	b.first = b.group*p.cols + b.col
	b.source = p.gather
	b.source.first += b.group * p.channels

	m, space := &b.m, newScratch(ws)
	m.rows, m.cols, m.pairs = min(rowBlock, p.rows()-b.row), min(columnBlock, p.cols-b.col), p.pairs
	b.direct = !p.pairs && !p.given && b.source.direct() && (m.rows == rowBlock || !p.quartered())
	b.gathered = space.take(p.gatheredSize())
	m.edge, m.bDepth = space.take(edgeSize(depth)), tileFor(active).cols
	b.rounding = space.take(p.pairSpace())
	b.setResult(&space)
	if p.quartered() {
		b.quarters.takeSpace(&space, rowBlock/2*gatheredRow(depth/2))
	}
	b.packed = space.rest
}

// setResult sets where the block goes and what is added to it.
func (b *productBlock) setResult(space *scratch) {
	p, m := b.implicitProduct, &b.m
	if p.strided() {
		m.c, m.cRow = space.take(rowBlock*p.columnBlock()), p.columnBlock()
		if p.add != nil {
			p.move(m.c, m.cRow, p.add, b.first, b.row, m.rows, m.cols, false)
		}
	} else {
		m.c, m.cRow = p.dst[b.row*p.dstPixel+b.first:], p.dstPixel
		if p.aside() {
			m.c = space.take(rowBlock * p.dstPixel)
		}
		if p.banded() {
			m.band = space.take(tileFor(active).rows * p.dstPixel)
		}
		if p.add != nil {
			m.add, m.addRow = p.add[b.row*p.dstPixel+b.first:], p.dstPixel
		}
	}
	if p.bias != nil {
		m.bias = p.bias[b.first:]
	}
	if p.summed.Sums != nil {
		m.sumsRow = p.summed.Row
		m.shift, m.sums = p.summed.Shift[b.col:], p.summed.Block(b.row / rowBlock)[b.col:]
		cols := roundUp(m.cols, tileFor(active).cols)
		clear(m.sums[:cols])
		clear(m.sums[m.sumsRow:][:cols])
	}
	if p.norm != nil {
		m.later = p.norm.Ahead(b.row, m.rows)
	}
}

// gatherRows sets the left factor, from k on.
func (b *productBlock) gatherRows(k int) {
	m, source := &b.m, &b.source
	m.aDepth = 1
	switch {
	case b.given:
		m.a, m.aRow, m.aPadded = b.rowsGiven[k:], b.givenRow, true
	case b.direct:
		m.a, m.aRow = source.src[b.row*source.pixel+source.first+k:], source.pixel
		if m.soonTiles = 0; k == 0 && b.groups == 1 {
			b.fetchRows()
		}
	default:
		m.a, m.aRow, m.aPadded = b.gathered, gatheredRow(m.depth), true
		switch {
		case b.pairs:
			source.fillPairs(m.a, m.aRow, b.row, m.rows, k, k+m.depth, b.rounding)
		case !b.gathersLater():
			source.fill(m.a, m.aRow, b.row, m.rows, k, k+m.depth)
		}
	}
	m.aTile = tileFor(active).rows * m.aRow
}

// fetchRows has tiles fetch rows while they are multiplied by the first panel: those of the band after the next, and at the end
// those with which the next block begins.
func (b *productBlock) fetchRows() {
	m, ahead := &b.m, 2*tileFor(active).rows
	rows := func(from, count int) []float32 {
		from, count = min(from, b.rows()), min(count, b.rows()-from)
		return b.source.src[from*b.source.pixel:][:max(count, 0)*b.source.pixel]
	}
	m.soon = [4][]float32{rows(b.row+ahead, m.rows-ahead), nil, rows(b.row+rowBlock, ahead)}
	panels := ceilDiv(m.cols, tileFor(active).cols)
	if panels == 1 {
		m.soon[1], m.later = m.later, nil
	}
	if m.soonTiles = ceilDiv(m.rows, tileFor(active).rows); m.band != nil {
		m.soonTiles *= panels
	}
}

// packColumns sets the right factor, from k on.
func (b *productBlock) packColumns(k int) {
	p, m, width, depth := b.implicitProduct, &b.m, tileFor(active).cols, b.steps()
	if p.packsAhead() {
		m.b = p.packed[b.group*depth*p.paddedCols()+b.col*depth+k*width:]
		m.bPanel = depth * width
		return
	}
	m.b, m.bPanel = b.packed[:roundUp(m.cols, width)*m.depth], m.depth*width
	rows := m.depth
	if !p.transposed {
		rows = packedRows // in the order of memory
		if m.strips[0] = (rowStrips{}); p.kh*p.kw == 1 && !p.pairs && k+m.depth < depth {
			next := p.weights[(b.group*p.channels+k+m.depth)*p.weightStride+p.tapOffsets[0]+b.col:]
			m.strips[0] = newRowStrips(next, p.weightStride, m.cols)
		}
	}
	for at := 0; at < m.depth; at += rows {
		end := min(at+rows, m.depth)
		for j := 0; j < m.cols; j += width {
			p.packSteps(m.b[j*m.depth+at*width:], b.group, b.col+j, k+at, k+end, b.rounding)
		}
	}
}

// finish does what follows the last block of the depth.
func (b *productBlock) finish() {
	p, m := b.implicitProduct, &b.m
	if (m.flags&flagStream != 0 || m.band != nil) && active != Generic {
		storeFence()
	}
	if p.norm != nil {
		p.norm.Block(b.row/rowBlock, b.row, m.c[:m.rows*p.dstPixel])
	}
	if p.strided() {
		if p.steps() == 0 && p.add == nil {
			clear(m.c[:m.rows*m.cRow])
		}
		p.move(m.c, m.cRow, p.dst, b.first, b.row, m.rows, m.cols, true)
	}
}

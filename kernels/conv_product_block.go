package kernels

// productBlock is a task of an implicit product: a block of rows and columns of one group.
type productBlock struct {
	*implicitProduct
	m               product // the block of the depth at hand
	row, group, col int
	first           int    // channel of dst
	source          gather // of the group
	direct          bool   // tiles read the rows where they are
	rowsGiven       view   // up to the next whole tiles, where rows are given
	sums            columnSums
	before          []float32 // what is read of the batch norm before, when the block is complete
	inQuarters      quarteredProduct
	productScratch
}

// productScratch is what a task needs besides its operands; what it does not need is nil.
type productScratch struct {
	gathered, edge, rounding []float32
	block                    []float32 // of the result, until it is complete
	band                     []float32 // of the result
	quarters                 quarterScratch
	columns                  []float32 // packed, unless they are packed ahead
}

// take takes what a task of a product needs.
func (s *productScratch) take(p *implicitProduct, space *scratch) {
	depth := p.blockDepth()
	switch {
	case p.given:
	case p.multipliesLines():
		s.gathered = space.take(p.kh * p.lineSize(min(rowBlock, p.outW)))
	default:
		s.gathered = space.take(rowBlock * gatheredRow(depth))
	}
	s.edge = space.take(edgeSize(depth))
	if p.pairs {
		s.rounding = space.take(p.pairSpace())
	}
	switch p.storing {
	case storeStrided:
		s.block = space.take(rowBlock * p.columnBlock())
	case storeAside:
		s.block = space.take(rowBlock * p.dstPixel)
	case storeBands:
		s.band = space.take(tileFor(active).rows * p.dstPixel)
	}
	if p.quartered() {
		s.quarters = takeQuarterScratch(space, rowBlock, depth)
	}
	if !p.packsAhead() {
		s.columns = space.take(depth * p.columnBlock())
	}
}

// workerSize returns the scratch of one worker. Packing needs less of it than multiplying.
func (p *implicitProduct) workerSize() int {
	space := countedScratch()
	new(productScratch).take(p, &space)
	return space.size()
}

// begin sets what is the same for all of the depth: where the block goes and what is added to it.
func (b *productBlock) begin(p *implicitProduct, task int, ws []float32) {
	m, space, blocks := &b.m, newScratch(ws), p.blocks()
	b.implicitProduct = p
	b.row, b.group, b.col, m.cols = blocks.task(task)
	b.row *= rowBlock
	b.first = b.group*p.cols + b.col
	b.source = p.gather
	b.source.first += b.group * p.channels

	m.rows, m.pairs = min(rowBlock, p.rows()-b.row), p.pairs
	b.direct = !p.pairs && !p.given && b.source.direct() && (m.rows == rowBlock || !p.quartered())
	b.productScratch.take(p, &space)
	b.setResult()
}

// setResult sets where the block goes, what is summed of it, and what is read when it is complete.
func (b *productBlock) setResult() {
	p, m := b.implicitProduct, &b.m
	switch p.storing {
	case storeStrided:
		m.c = view{b.block, p.columnBlock()}
		if p.add != nil {
			p.move(m.c.data, m.c.row, p.add, b.first, b.row, m.rows, m.cols, false)
		}
	case storeAside:
		m.c = view{b.block, p.dstPixel}
	default:
		m.c, m.band = view{p.dst[b.row*p.dstPixel+b.first:], p.dstPixel}, b.band
	}
	if p.summed.Sums != nil {
		b.sums = columnSums{p.summed.Shift[b.col:], p.summed.Block(b.row / rowBlock)[b.col:], p.summed.Row}
		cols := roundUp(m.cols, tileFor(active).cols)
		clear(b.sums.sums[:cols])
		clear(b.sums.sums[b.sums.row:][:cols])
	}
	if p.norm != nil {
		b.before = p.norm.Ahead(b.row, m.rows)
	}
}

// epilogueOf returns what follows the product in the first block of the depth, in those between and in the last. What
// may alias dst is added in the first, before dst is written.
func (b *productBlock) epilogueOf(first, last bool) epilogue {
	p := b.implicitProduct
	strided := p.storing == storeStrided // what is added is in the block already
	e := epilogue{accumulate: !first || strided && p.add != nil}
	if first {
		if p.bias != nil {
			e.bias = p.bias[b.first:]
		}
		if p.add != nil && !strided {
			e.add = view{p.add, p.dstPixel}.at(b.row, b.first)
		}
	}
	if last {
		e.relu, e.sums = p.relu, b.sums
	}
	e.stream = first && last && p.storing == storePast
	return e
}

// gatherRows sets the left factor, from k on, and unless rows are given what tiles fetch meanwhile.
func (b *productBlock) gatherRows(k int) {
	m, source := &b.m, &b.source
	switch {
	case b.given:
		m.left = rowsOf(b.rowsGiven.data[k:], b.rowsGiven.row)
		return
	case b.direct && k == 0 && b.groups == 1:
		m.ahead = b.rowsAhead()
	default:
		m.ahead = spread(b.before)
	}
	switch {
	case b.direct:
		m.left = rowsOf(source.src[b.row*source.pixel+source.first+k:], source.pixel).withEdge(b.edge)
	case b.pairs:
		m.left = rowsOf(b.gathered, gatheredRow(m.depth))
		source.fillPairs(b.gathered, m.left.row, b.row, m.rows, k, k+m.depth, b.rounding)
	default:
		m.left = rowsOf(b.gathered, gatheredRow(m.depth))
		if !b.gathersLater() {
			source.fill(b.gathered, m.left.row, b.row, m.rows, k, k+m.depth)
		}
	}
}

// rowsAhead returns the rows that tiles fetch while they are multiplied by the first panel: those of the band after the
// next, and at the end the first ones of the next block.
func (b *productBlock) rowsAhead() prefetch {
	m, shape := &b.m, tileFor(active)
	ahead, bands, panels := 2*shape.rows, ceilDiv(m.rows, shape.rows), ceilDiv(m.cols, shape.cols)
	rows := func(from, count int) []float32 {
		from, count = min(from, b.rows()), min(count, b.rows()-from)
		return b.source.src[from*b.source.pixel:][:max(count, 0)*b.source.pixel]
	}
	below, next := rows(b.row+ahead, m.rows-ahead), rows(b.row+rowBlock, ahead)
	switch {
	case panels == 1:
		return spread(below, b.before, next)
	case m.band != nil: // all panels pass by a band before the next one
		return spread(below, next)
	}
	return spread(below, next).during(bands).then(b.before)
}

// packColumns sets the right factor, from k on.
func (b *productBlock) packColumns(k int) {
	p, m, width, depth := b.implicitProduct, &b.m, tileFor(active).cols, b.steps()
	if p.packsAhead() {
		m.right = panelsOf(p.packed[b.group*depth*p.paddedCols()+b.col*depth+k*width:], depth*width)
		return
	}
	packed := b.columns[:roundUp(m.cols, width)*m.depth]
	m.right = panelsOf(packed, m.depth*width)
	rows := m.depth
	if !p.transposed {
		rows = packedRows // in the order of memory
		if p.kh*p.kw == 1 && !p.pairs && k+m.depth < depth {
			next := p.weights[(b.group*p.channels+k+m.depth)*p.weightStride+p.tapOffsets[0]+b.col:]
			m.ahead = strips(stripsOf(next, p.weightStride, m.cols))
		}
	}
	for at := 0; at < m.depth; at += rows {
		end := min(at+rows, m.depth)
		for j := 0; j < m.cols; j += width {
			p.packSteps(packed[j*m.depth+at*width:], b.group, b.col+j, k+at, k+end, b.rounding)
		}
	}
}

// finish does what follows the last block of the depth.
func (b *productBlock) finish() {
	p, m := b.implicitProduct, &b.m
	if p.norm != nil {
		p.norm.Block(b.row/rowBlock, b.row, m.c.data[:m.rows*p.dstPixel])
	}
	if p.storing == storeStrided {
		if p.steps() == 0 && p.add == nil {
			clear(m.c.data[:m.rows*m.c.row])
		}
		p.move(m.c.data, m.c.row, p.dst, b.first, b.row, m.rows, m.cols, true)
	}
}

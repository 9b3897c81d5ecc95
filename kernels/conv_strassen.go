package kernels

// Where Strassen's form pays for a convolution. The sums of the left factor's quadrants cost as much as so many columns, the
// partial results as much as so much depth.
const (
	minQuarteredColumns = 128
	minQuarteredDepth   = 192
	quarteredDepth      = 1024 // upper bound of the blocks of the depth, as depthBlock
)

// useQuarters lets the forward pass and the data gradient multiply in Strassen's form where they have enough columns and
// depth. In weight gradients the sums of both factors' quadrants are needed for every block of pixels, and little is won.
func (c *Conv) useQuarters(minColumns, minDepth int) {
	pays := func(p *implicitProduct) bool {
		return p.depth()%2 == 0 && p.depth() >= minDepth && p.cols >= minColumns
	}
	c.forward.strassen = pays(&c.forward)
	for i := range c.data {
		c.data[i].strassen = pays(&c.data[i])
	}
}

// quartered tells whether the product is computed in Strassen's form.
func (p *implicitProduct) quartered() bool { return p.strassen && !p.pairs && p.packsAhead() }

// columnPanels returns how so many columns are cut: into pairs of panels, one of either half, and single panels, the last of
// which need not be whole. All tasks but the last have pairs only.
func columnPanels(cols int) (pairs, singles int) {
	width := tileFor(active).cols
	pairs = cols / (2 * width)
	return pairs, ceilDiv(cols-pairs*2*width, width)
}

// pairSize returns the length of a pair of packed panels: the factors of the right side in the order of their use, block by
// block of the depth.
func (p *implicitProduct) pairSize() int { return int(factors) * p.steps() / 2 * tileFor(active).cols }

// quarteredSize is packedSize of a group: its pairs, then its single panels.
func (p *implicitProduct) quarteredSize() int {
	pairs, singles := columnPanels(p.cols)
	return pairs*p.pairSize() + singles*p.steps()*tileFor(active).cols
}

// packedAt returns the packed columns of a group from col on, with which a task begins.
func (p *implicitProduct) packedAt(group, col int) []float32 {
	before, _ := columnPanels(col)
	return p.packed[group*p.quarteredSize()+before*p.pairSize():]
}

// packQuarters packs one pair of panels or one single panel.
func (p *implicitProduct) packQuarters(task int) {
	width, depth, block := tileFor(active).cols, p.steps(), p.blockDepth()
	pairs, singles := columnPanels(p.cols)
	group, index := task/(pairs+singles), task%(pairs+singles)
	if single := index - pairs; single >= 0 {
		dst := p.packedAt(group, pairs*2*width)[single*depth*width:][:depth*width]
		p.pack(dst, group, (2*pairs+single)*width, 0, depth)
		return
	}
	dst := p.packedAt(group, index*2*width)
	col := index * 2 * width / p.columnBlock() * p.columnBlock() // where the task begins
	ofTask, _ := columnPanels(min(p.columnBlock(), p.cols-col))
	left := col + (index-col/(2*width))*width
	right := left + ofTask*width
	for k := 0; k < depth; k += block {
		end := min(k+block, depth)
		middle := (k + end) / 2
		size := (end - k) / 2 * width
		of := func(f factor) []float32 { return dst[int(f)*size:][:size] }
		b11, b12, b21, b22 := of(factorU), of(factorS1), of(factor11), of(factor12)
		p.pack(b11, group, left, k, middle)
		p.pack(b12, group, right, k, middle)
		p.pack(b21, group, left, middle, end)
		p.pack(b22, group, right, middle, end)
		rightSums(of(factorS1), of(factorS2), of(factorS3), of(factor21), b11, b12, b21, b22)
		dst = dst[int(factors)*size:]
	}
}

// gathersLater tells whether rows are copied only just before they are multiplied: they lie in memory as they are, but where
// tiles should not read them.
func (b *productBlock) gathersLater() bool {
	return b.quartered() && !b.given && b.source.plain() && b.m.rows == rowBlock
}

// multiplyQuarters multiplies a block of the depth, from k on.
func (b *productBlock) multiplyQuarters(k int) {
	q, m, source := &b.quarters, &b.m, &b.source
	width, depth := tileFor(active).cols, b.steps()
	pairs, singles := columnPanels(b.m.cols)
	packed := b.packedAt(b.group, b.col)
	q.product = *m
	q.source, q.evenly = nil, b.given
	if !b.direct && b.gathersLater() {
		q.source, q.sourceRow = source.src[b.row*source.pixel+source.first+k:], source.pixel
	}
	q.whole = source.pixel == m.depth && (b.direct || q.source != nil)
	if q.cols = 2 * pairs * width; pairs > 0 {
		if q.rows%2 != 0 {
			clear(q.a[q.rows*q.aRow:][:q.depth])
		}
		q.bPanel = b.pairSize()
		size := q.depth / 2 * width
		for f := range factors {
			q.right[f] = packed[int(factors)*k/2*width+int(f)*size:]
		}
		q.run()
	} else if q.source != nil {
		copyRows(q.a, q.aRow, q.source, q.sourceRow, q.rows, q.depth)
	}
	if singles > 0 {
		rest := *m
		rest.b, rest.bPanel = packed[pairs*b.pairSize()+k*width:], depth*width
		rest.dropColumns(q.cols)
		rest.later, rest.soonTiles = nil, 0
		rest.run()
	}
}

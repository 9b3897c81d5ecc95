package kernels

// product is one depth block of C = A·B, small enough to stay in the second-level cache, computed by one thread:
//
//	for r < rows, j < cols:
//		sum := 0
//		for k < depth: sum += A(r,k) * B(k,j)
//		c[r*cRow + j] = max(sum + c[r*cRow + j] + bias[j] + add[r*addRow + j], 0)
//
// with the terms the flags name. A(r,k) is a[r/T*aTile + r%T*aRow + k*aDepth] for tiles of T rows; B(k,j) is
// b[j/U*bPanel + k*bDepth + j%U] for panels of U columns. More stretches of such a depth may follow, each of them aMore
// further in a.
type product struct {
	rows, cols, depth int
	pairs             bool // a and b hold pairs of bf16 values, of which depth counts the pairs

	a                   []float32
	aTile, aRow, aDepth int
	more, aMore         int
	aPadded             bool // the rows up to the next whole tile exist
	edge                []float32

	b              []float32 // the columns up to the next multiple of narrowest exist
	bPanel, bDepth int

	c         []float32
	cRow      int
	bias, add []float32
	addRow    int
	flags     int
	band      []float32 // where a band of C, as high as a tile, is completed before it goes past the caches; nil if tiles store C
	shift     []float32 // of the sums over columns, see tile
	sums      []float32
	sumsRow   int

	// What will be read after this product or later in it, in the order of use. It is fetched into the second-level cache
	// during the first soonTiles tiles, what comes later during the others: memory would else be waited for while nothing is
	// multiplied.
	soon      [4][]float32
	soonTiles int
	later     []float32
	strips    [4]rowStrips // likewise, strip by strip and spread over all tiles
}

// rowStrips is a block of a wider matrix, cut into strips that are two cache lines wide and have a row for every step of the
// depth.
type rowStrips struct {
	data  []float32
	row   int // floats from one row to the next
	count int
}

func newRowStrips(data []float32, row, cols int) rowStrips {
	return rowStrips{data, row, ceilDiv(cols, 2*cacheLine)}
}

// dropColumns leaves out the first columns; b is set to what is left of it by the caller.
func (p *product) dropColumns(n int) {
	p.cols -= n
	p.c = p.c[n:]
	if p.flags&flagBias != 0 {
		p.bias = p.bias[n:]
	}
	if p.flags&flagAdd != 0 {
		p.add = p.add[n:]
	}
	if p.flags&flagSums != 0 {
		p.shift, p.sums = p.shift[n:], p.sums[n:]
	}
}

// dropRows leaves out the first rows of C.
func (p *product) dropRows(n int) {
	p.rows -= n
	p.c = p.c[n*p.cRow:]
	if p.flags&flagAdd != 0 {
		p.add = p.add[n*p.addRow:]
	}
	if p.band != nil && !aligned(p.c) {
		p.band = nil
	}
}

// tiles returns the number of tiles of C.
func (p *product) tiles() int {
	shape := tileFor(active)
	return ceilDiv(p.rows, shape.rows) * ceilDiv(p.cols, shape.cols)
}

// fetch gives tiles their share of soon, from the index-th on, and returns for how many of at most so many it is: those whose
// shares lie side by side. Where all is on its way, they fetch what they read themselves.
func (p *product) fetch(t *tile, index, count int) int {
	t.soon, t.soonDepth, t.soonBand = t.b, 0, 0
	if strips := p.stripCount(); strips > 0 {
		return p.fetchStrips(t, index, count, strips)
	}
	if index >= p.soonTiles {
		if index -= p.soonTiles; len(p.later) > 0 {
			t.fetchShare(p.later, index, p.tiles()-p.soonTiles)
		}
		return count
	}
	count = min(count, p.soonTiles-index)
	total := 0
	for _, x := range p.soon {
		total += len(x)
	}
	share := ceilDiv(total, p.soonTiles)
	from := index * share
	t.soonDepth, t.soonBand = ceilDiv(share, t.depth), share
	for _, x := range p.soon {
		if from < len(x) {
			t.soon = x[from:]
			return min(count, ceilDiv(len(x)-from, share))
		}
		from -= len(x)
	}
	t.soonDepth, t.soonBand = 0, 0
	return count
}

// fetchShare gives tiles, from the index-th on, the part of x that falls to each of so many.
func (t *tile) fetchShare(x []float32, index, tiles int) {
	share := len(x) / tiles
	t.soon, t.soonDepth, t.soonBand = x[index*share:], ceilDiv(share, t.depth*(t.more+1)), share
}

// fetchStrips is fetch for strips, of which a tile gets one or none.
func (p *product) fetchStrips(t *tile, index, count, strips int) int {
	tiles := p.tiles()
	strip := index * strips / tiles
	if index > 0 && (index-1)*strips/tiles == strip {
		return min(count, ceilDiv((strip+1)*tiles, strips)-index)
	}
	from := p.strips[:]
	for strip >= from[0].count {
		strip -= from[0].count
		from = from[1:]
	}
	t.soon, t.soonDepth = from[0].data[2*cacheLine*strip:], from[0].row
	return 1
}

func (p *product) stripCount() int {
	count := 0
	for i := range p.strips {
		count += p.strips[i].count
	}
	return count
}

// edgeSize returns how long edge has to be for a product of the given depth whose A is not padded.
func edgeSize(depth int) int { return tileFor(active).rows * depth }

// run computes the product. A panel of B stays in the first-level cache while all of A passes by, or a band of A while all
// panels do.
func (p *product) run() {
	shape := tileFor(active)
	t := tile{depth: p.depth, more: p.more, aMore: p.aMore, bDepth: p.bDepth, cRow: p.cRow, fromRow: p.cRow, addRow: p.addRow, aBand: p.aTile, flags: p.flags, pairs: p.pairs}
	edgeRow := p.rows
	if rest := p.rows % shape.rows; rest != 0 && !p.aPadded {
		edgeRow = p.rows - rest
		p.copyEdge(edgeRow/shape.rows, rest)
	}
	index, bands, panels := 0, ceilDiv(p.rows, shape.rows), ceilDiv(p.cols, shape.cols)
	if p.band != nil {
		for band := range bands {
			for panel := range panels {
				p.multiply(&t, band, 1, panel, edgeRow, index)
				index++
			}
			rows := p.c[band*shape.rows*p.cRow : min((band+1)*shape.rows, p.rows)*p.cRow]
			streamCopy(rows, p.band[:len(rows)])
		}
		return
	}
	for panel := range panels {
		for band := 0; band < bands; {
			band += p.multiply(&t, band, bands-band, panel, edgeRow, index+band)
		}
		index += bands
	}
}

// multiply computes tiles from the index-th on: of some of the given number of bands of rows, and one panel of columns. It
// returns of how many bands.
func (p *product) multiply(t *tile, band, bands, panel, edgeRow, index int) int {
	shape := tileFor(active)
	r, j := band*shape.rows, panel*shape.cols
	t.rows, t.cols = min(shape.rows, p.rows-r), min(shape.cols, p.cols-j)
	t.b = p.b[panel*p.bPanel:]
	if r < edgeRow {
		t.a, t.aRow, t.aDepth = p.a[band*p.aTile:], p.aRow, p.aDepth
		bands = max(1, min(bands, (edgeRow-r)/shape.rows))
	} else {
		t.a, t.aRow, t.aDepth = p.edge, 1, shape.rows
		bands = 1
	}
	t.bands = p.fetch(t, index, bands)
	t.flags = p.flags
	if p.band != nil {
		t.c = p.band[j:]
	} else {
		t.c = p.c[r*p.cRow+j:]
	}
	t.from = t.c
	if p.flags&flagBias != 0 {
		t.bias = p.bias[j:]
	}
	if p.flags&flagSums != 0 {
		t.shift, t.sums, t.sumsRow = p.shift[j:], p.sums[j:], p.sumsRow
	}
	if p.flags&flagAdd != 0 {
		t.add = p.add[r*p.addRow+j:]
	}
	t.compute()
	return t.bands
}

// copyEdge copies the rows of A that do not fill a tile to edge, where the rest of the tile may be read too.
func (p *product) copyEdge(band, rows int) {
	a, tileRows := p.a[band*p.aTile:], tileFor(active).rows
	if p.aRow == 1 {
		copyRows(p.edge, tileRows, a, p.aDepth, p.depth, rows)
		return
	}
	if p.aDepth == 1 {
		transposeRows(p.edge, tileRows, a, p.aRow, rows, p.depth)
		return
	}
	for k := range p.depth {
		for r := range rows {
			p.edge[k*tileRows+r] = a[r*p.aRow+k*p.aDepth]
		}
	}
}

// packTransposed packs rows of B, given as the columns of a row-major matrix, into panels: with U columns a panel,
// dst[j/U*depth*U + k*U + j%U] = src[j*srcRow + k]. Of a last panel whole multiples of narrowest are read.
func packTransposed(dst, src []float32, srcRow, depth, cols int) {
	width := tileFor(active).cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		transposeRows(panel, width, src[j*srcRow:], srcRow, n, depth)
		zeroColumns(panel, width, n, depth)
	}
}

// packPlain packs a row-major B into panels: dst[j/U*depth*U + k*U + j%U] = src[k*srcRow + j].
func packPlain(dst, src []float32, srcRow, depth, cols int) {
	width := tileFor(active).cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		copyRows(panel, width, src[j:], srcRow, depth, n)
		zeroColumns(panel, width, n, depth)
	}
}

// zeroColumns clears the columns from first on, which are multiplied but not stored: garbage there could be slow.
func zeroColumns(panel []float32, width, first, rows int) {
	if first == width {
		return
	}
	for k := range rows {
		clear(panel[k*width+first : (k+1)*width])
	}
}

// panelSize returns the length of B in panels.
func panelSize(cols, depth int) int { return roundUp(cols, tileFor(active).cols) * depth }

// smallProduct returns a product of matrices that need no blocks, with B packed as a whole.
func smallProduct(rows, cols, depth int, packed, edge []float32) product {
	width := tileFor(active).cols
	return product{rows: rows, cols: cols, depth: depth, b: packed, bPanel: depth * width, bDepth: width, edge: edge}
}

// setA sets the left operand: the rows of a matrix, or the columns of one with transRow values a row.
func (p *product) setA(a []float32, row int, transposed bool, transRow int) {
	p.a, p.aRow, p.aDepth = a, row, 1
	if transposed {
		p.aRow, p.aDepth = 1, transRow
	}
	p.aTile = tileFor(active).rows * p.aRow
}

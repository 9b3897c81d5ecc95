package kernels

// product is one depth block of C = A·B, small enough to stay in the second-level cache, computed by one thread:
//
//	for r < rows, j < cols:
//		sum := 0
//		for k < depth: sum += A(r,k) * B(k,j)
//		C(r,j) = max(sum + C(r,j) + bias[j] + add(r,j), 0)
//
// with the terms that its epilogue names. The depth may be two-dimensional: A's columns then come in stretches of depth
// columns each, which follow each other in B.
type product struct {
	rows, cols, depth int
	stretches         int  // 0 is 1
	pairs             bool // A and B hold pairs of bf16 values, and depth counts the pairs

	left  leftFactor
	right rightFactor
	c     view
	band  []float32 // completes a band of C, as high as a tile, before it goes past the caches; nil if tiles store C
	epilogue
	ahead prefetch // what is read after this product or later in it
}

// view is a row-major matrix, or a block of one: element (r,j) is data[r*row + j].
type view struct {
	data []float32
	row  int
}

// at returns the view without its first rows and columns.
func (v view) at(row, col int) view { return view{v.data[row*v.row+col:], v.row} }

// leftFactor is where A lies: A(r,k) is data[r/T*band + r%T*row + k*step + s*stretch] for tiles of T rows, where k counts
// within stretch s of the depth.
type leftFactor struct {
	data            []float32
	band, row, step int
	stretch         int
	edge            []float32 // takes the rows that fill no tile; nil if the rows up to the next whole tile exist
}

// rowsOf returns the rows of a matrix as A. Those up to the next whole tile exist.
func rowsOf(a []float32, row int) leftFactor {
	return leftFactor{data: a, band: tileFor(active).rows * row, row: row, step: 1}
}

// columnsOf returns the columns of a matrix as the rows of A. Those up to the next whole tile exist.
func columnsOf(a []float32, row int) leftFactor {
	return leftFactor{data: a, band: tileFor(active).rows, row: 1, step: row}
}

// withEdge returns A where nothing may be read below its last row: rows that fill no tile are copied to edge, which has
// edgeSize, before they are read.
func (l leftFactor) withEdge(edge []float32) leftFactor {
	l.edge = edge
	return l
}

// inStretches returns A with a distance from one stretch of the depth to the next.
func (l leftFactor) inStretches(distance int) leftFactor {
	l.stretch = distance
	return l
}

// edgeSize returns the length of the edge of products of the given depth.
func edgeSize(depth int) int { return tileFor(active).rows * depth }

// rightFactor is where B lies: B(k,j) is data[j/U*panel + k*step + j%U] for panels of U columns. The columns up to the
// next multiple of narrowest exist.
type rightFactor struct {
	data        []float32
	panel, step int
}

// panelsOf returns packed panels as B, the given distance apart.
func panelsOf(b []float32, distance int) rightFactor {
	return rightFactor{data: b, panel: distance, step: tileFor(active).cols}
}

// matrixOf returns a row-major matrix as B.
func matrixOf(b []float32, row int) rightFactor {
	return rightFactor{data: b, panel: tileFor(active).cols, step: row}
}

// epilogue is what happens to the sums of a product before they are stored, in this order. Nil slices are left out.
type epilogue struct {
	accumulate bool      // C is added
	bias       []float32 // a value for each column
	add        view      // of the shape of C
	relu       bool
	sums       columnSums
	stream     bool // C is stored past the caches, where tiles of whole cache lines are
}

// columnSums receives sums over the columns of a result, see tile. Whole panels of both exist.
type columnSums struct {
	shift, sums []float32
	row         int // from the sums to those of squares
}

// at returns the sums from a column on.
func (s columnSums) at(col int) columnSums { return columnSums{s.shift[col:], s.sums[col:], s.row} }

// at returns the epilogue of the rows and columns from the given ones on.
func (e epilogue) at(row, col int) epilogue {
	if e.bias != nil {
		e.bias = e.bias[col:]
	}
	if e.add.data != nil {
		e.add = e.add.at(row, col)
	}
	if e.sums.sums != nil {
		e.sums = e.sums.at(col)
	}
	return e
}

// flags returns the flags of the product's tiles.
func (e *epilogue) flags() int {
	flags := 0
	if e.accumulate {
		flags |= flagAccumulate
	}
	if e.bias != nil {
		flags |= flagBias
	}
	if e.add.data != nil {
		flags |= flagAdd
	}
	if e.relu {
		flags |= flagReLU
	}
	if e.sums.sums != nil {
		flags |= flagSums
	}
	if e.stream {
		flags |= flagStream
	}
	return flags
}

// smallProduct returns a product of matrices that need no blocks, with B packed as a whole.
func smallProduct(rows, cols, depth int, packed []float32) product {
	return product{rows: rows, cols: cols, depth: depth, right: panelsOf(packed, depth*tileFor(active).cols)}
}

// dropColumns leaves out the first columns; the right factor is set to what is left of it by the caller.
func (p *product) dropColumns(n int) {
	p.cols -= n
	p.c, p.epilogue = p.c.at(0, n), p.epilogue.at(0, n)
}

// dropRows leaves out the first rows of C.
func (p *product) dropRows(n int) {
	p.rows -= n
	p.c, p.epilogue = p.c.at(n, 0), p.epilogue.at(n, 0)
	if p.band != nil && !aligned(p.c.data) {
		p.band = nil
	}
}

// run computes the product. A panel of B stays in the first-level cache while all of A passes by, or a band of A while
// all panels do.
func (p *product) run() {
	shape := tileFor(active)
	t := tile{depth: p.depth, stretches: max(p.stretches, 1), pairs: p.pairs, flags: p.flags()}
	t.left, t.b.row = p.left, p.right.step
	t.bandSteps = bandSteps{shape.rows * p.c.row, shape.rows * p.c.row, shape.rows * p.add.row}
	edgeRow := p.rows
	if rest := p.rows % shape.rows; rest != 0 && p.left.edge != nil {
		edgeRow = p.rows - rest
		p.copyEdge(edgeRow/shape.rows, rest)
	}
	index, bands, panels := 0, ceilDiv(p.rows, shape.rows), ceilDiv(p.cols, shape.cols)
	p.ahead.start(bands*panels, t.depth*t.stretches)
	if p.band != nil {
		for band := range bands {
			for panel := range panels {
				p.multiply(&t, band, 1, panel, edgeRow, index)
				index++
			}
			rows := p.c.data[band*shape.rows*p.c.row : min((band+1)*shape.rows, p.rows)*p.c.row]
			streamCopy(rows, p.band[:len(rows)])
		}
	} else {
		for panel := range panels {
			for band := 0; band < bands; {
				band += p.multiply(&t, band, bands-band, panel, edgeRow, index+band)
			}
			index += bands
		}
	}
	p.fence()
}

// fence returns when all threads can see what went past the caches.
func (p *product) fence() {
	if (p.stream || p.band != nil) && active != Generic {
		fence()
	}
}

// multiply computes tiles from the index-th on: one panel of columns, and at most the given number of bands of rows. It
// returns the number of bands.
func (p *product) multiply(t *tile, band, bands, panel, edgeRow, index int) int {
	shape := tileFor(active)
	r, j := band*shape.rows, panel*shape.cols
	t.rows, t.cols = min(shape.rows, p.rows-r), min(shape.cols, p.cols-j)
	if r < edgeRow {
		t.left.data, t.left.row, t.left.step = p.left.data[band*p.left.band:], p.left.row, p.left.step
		bands = max(1, min(bands, (edgeRow-r)/shape.rows))
	} else {
		t.left.data, t.left.row, t.left.step = p.left.edge, 1, shape.rows
		bands = 1
	}
	t.b.data = p.right.data[panel*p.right.panel:]
	t.fetch(p.ahead.next(index, bands))
	if t.c = p.c.at(r, j); p.band != nil {
		t.c.data = p.band[j:]
	}
	t.from = t.c
	if p.bias != nil {
		t.bias = p.bias[j:]
	}
	if p.add.data != nil {
		t.add = p.add.at(r, j)
	}
	if p.sums.sums != nil {
		t.sums = p.sums.at(j)
	}
	t.compute()
	return t.bands
}

// copyEdge copies the rows of A that do not fill a tile to edge, where the rest of the tile may be read too.
func (p *product) copyEdge(band, rows int) {
	l, tileRows := &p.left, tileFor(active).rows
	a := l.data[band*l.band:]
	switch {
	case l.row == 1:
		copyRows(l.edge, tileRows, a, l.step, p.depth, rows)
	case l.step == 1:
		transposeRows(l.edge, tileRows, a, l.row, rows, p.depth)
	}
}

package gemm

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Product is one depth block of C = A·B, small enough to stay in the second-level cache, computed by one thread:
//
//	for r < Rows, j < Cols:
//		sum := 0
//		for k < Depth: sum += A(r,k) * B(k,j)
//		C(r,j) = max(sum + C(r,j) + Bias[j] + Add(r,j), 0)
//
// with the terms that its epilogue names. The depth may be two-dimensional: A's columns then come in stretches of Depth
// columns each, whose rows of B follow each other.
type Product struct {
	Rows, Cols, Depth int
	Stretches         int  // 0 is 1
	Pairs             bool // A and B hold pairs of bf16 values, and depth counts the pairs

	Left  LeftFactor
	Right RightFactor
	C     View

	// Band is where a band of C, as high as a tile, is complete before it goes past the caches; nil if tiles store C. A
	// band is whole rows of C and begins at a cache line, and nothing is accumulated.
	Band []float32

	Epilogue
	Ahead Prefetch // what is read after this product or later in it
}

// View is a row-major matrix, or a block of one: element (r,j) is Data[r*Row + j].
type View struct {
	Data []float32
	Row  int
}

// At returns the view from a row and a column on.
func (v View) At(row, col int) View { return View{v.Data[row*v.Row+col:], v.Row} }

// LeftFactor is where A lies: A(r,k) is Data[r/T*band + r%T*Row + k*step + s*stretch] for tiles of T = Tile().Rows
// rows, where k counts within stretch s of the depth. [RowsOf], [ColumnsOf] and [BandsOf] make one.
type LeftFactor struct {
	Data            []float32
	band, Row, step int
	stretch         int
	edge            []float32 // takes the rows that fill no tile; nil if the rows up to the next whole tile exist
}

// RowsOf returns the rows of a matrix as A. Those up to the next whole tile exist.
func RowsOf(a []float32, row int) LeftFactor {
	return LeftFactor{Data: a, band: Tile().Rows * row, Row: row, step: 1}
}

// ColumnsOf returns the columns of a matrix as the rows of A. Those up to the next whole tile exist.
func ColumnsOf(a []float32, row int) LeftFactor {
	return LeftFactor{Data: a, band: Tile().Rows, Row: 1, step: row}
}

// BandsOf returns what [PackColumns] has packed as A.
func BandsOf(packed []float32, depth int) LeftFactor {
	rows := Tile().Rows
	return LeftFactor{Data: packed, band: rows * depth, Row: 1, step: rows}
}

// WithEdge returns A where nothing may be read below its last row. Rows that fill no tile are copied to edge, which has
// [EdgeSize] floats, before they are read.
func (l LeftFactor) WithEdge(edge []float32) LeftFactor {
	l.edge = edge
	return l
}

// InStretches returns A with a distance from one stretch of the depth to the next. Such a factor has no edge.
func (l LeftFactor) InStretches(distance int) LeftFactor {
	l.stretch = distance
	return l
}

// EdgeSize returns the floats of the edge of products of the given depth.
func EdgeSize(depth int) int { return Tile().Rows * depth }

// RightFactor is where B lies: B(k,j) is data[j/U*panel + k*step + j%U] for panels of U = Tile().Cols columns. The
// columns up to the next multiple of [ColumnUnit] exist. [PanelsOf] and [MatrixOf] make one.
type RightFactor struct {
	data        []float32
	panel, step int
}

// PanelsOf returns packed panels as B, the given distance apart.
func PanelsOf(b []float32, distance int) RightFactor {
	return RightFactor{data: b, panel: distance, step: Tile().Cols}
}

// MatrixOf returns a row-major matrix as B.
func MatrixOf(b []float32, row int) RightFactor {
	return RightFactor{data: b, panel: Tile().Cols, step: row}
}

// Epilogue is what happens to the sums of a product before they are stored, in the order of its fields. Nil slices are
// left out.
type Epilogue struct {
	Accumulate bool      // C is added
	Bias       []float32 // a value for each column
	Add        View      // of the shape of C
	ReLU       bool
	Cap        bool // min(·, 6), which makes ReLU6 of ReLU
	Sums       ColumnSums
	Stream     bool // C is stored past the caches, where tiles of whole cache lines are
}

// ColumnSums takes the sums of a result over its rows, column by column:
//
//	Sums[j] += C(r,j) - Shift[j]
//	Sums[Row + j] += (C(r,j) - Shift[j])²
//
// Both slices exist for whole panels of columns.
type ColumnSums struct {
	Shift, Sums []float32
	Row         int // floats from the sums to those of squares
}

// at returns the sums from a column on.
func (s ColumnSums) at(col int) ColumnSums { return ColumnSums{s.Shift[col:], s.Sums[col:], s.Row} }

// at returns the epilogue of the rows and columns from the given ones on.
func (e Epilogue) at(row, col int) Epilogue {
	if e.Bias != nil {
		e.Bias = e.Bias[col:]
	}
	if e.Add.Data != nil {
		e.Add = e.Add.At(row, col)
	}
	if e.Sums.Sums != nil {
		e.Sums = e.Sums.at(col)
	}
	return e
}

// flags returns the flags of the product's tiles.
func (e *Epilogue) flags() int {
	flags := 0
	if e.Accumulate {
		flags |= flagAccumulate
	}
	if e.Bias != nil {
		flags |= flagBias
	}
	if e.Add.Data != nil {
		flags |= flagAdd
	}
	if e.ReLU {
		flags |= flagReLU
	}
	if e.Cap {
		flags |= flagCap
	}
	if e.Sums.Sums != nil {
		flags |= flagSums
	}
	if e.Stream {
		flags |= flagStream
	}
	return flags
}

// SmallProduct returns a product of matrices that need no blocks, with all of B in panels: [Pack] or [PackTransposed]
// wrote them.
func SmallProduct(rows, cols, depth int, packed []float32) Product {
	return Product{Rows: rows, Cols: cols, Depth: depth, Right: PanelsOf(packed, depth*Tile().Cols)}
}

// DropColumns leaves out the first n columns of C. The caller sets Right to the columns that are left.
func (p *Product) DropColumns(n int) {
	p.Cols -= n
	p.C, p.Epilogue = p.C.At(0, n), p.Epilogue.at(0, n)
}

// DropRows leaves out the first n rows of C. The caller sets Left to the rows that are left.
func (p *Product) DropRows(n int) {
	p.Rows -= n
	p.C, p.Epilogue = p.C.At(n, 0), p.Epilogue.at(n, 0)
	if p.Band != nil && !mem.Aligned(p.C.Data) {
		p.Band = nil
	}
}

// Run computes the product. A panel of B stays in the first-level cache while all of A passes by, or a band of A while
// all panels do.
func (p *Product) Run() {
	shape := Tile()
	t := tile{depth: p.Depth, stretches: max(p.Stretches, 1), pairs: p.Pairs, flags: p.flags()}
	t.left, t.b.Row = p.Left, p.Right.step
	t.bandSteps = bandSteps{shape.Rows * p.C.Row, shape.Rows * p.C.Row, shape.Rows * p.Add.Row}
	edgeRow := p.Rows
	if rest := p.Rows % shape.Rows; rest != 0 && p.Left.edge != nil {
		edgeRow = p.Rows - rest
		p.copyEdge(edgeRow/shape.Rows, rest)
	}
	index, bands, panels := 0, mem.CeilDiv(p.Rows, shape.Rows), mem.CeilDiv(p.Cols, shape.Cols)
	p.Ahead.start(bands*panels, t.depth*t.stretches)
	if p.Band != nil {
		for band := range bands {
			for panel := range panels {
				p.multiply(&t, band, 1, panel, edgeRow, index)
				index++
			}
			rows := p.C.Data[band*shape.Rows*p.C.Row : min((band+1)*shape.Rows, p.Rows)*p.C.Row]
			mem.StreamCopy(rows, p.Band[:len(rows)])
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
func (p *Product) fence() {
	if p.Stream || p.Band != nil {
		mem.Fence()
	}
}

// multiply computes tiles from the index-th on: one panel of columns, and at most the given number of bands of rows. It
// returns the number of bands.
func (p *Product) multiply(t *tile, band, bands, panel, edgeRow, index int) int {
	shape := Tile()
	r, j := band*shape.Rows, panel*shape.Cols
	t.Rows, t.Cols = min(shape.Rows, p.Rows-r), min(shape.Cols, p.Cols-j)
	if r < edgeRow {
		t.left.Data, t.left.Row, t.left.step = p.Left.Data[band*p.Left.band:], p.Left.Row, p.Left.step
		bands = max(1, min(bands, (edgeRow-r)/shape.Rows))
	} else {
		t.left.Data, t.left.Row, t.left.step = p.Left.edge, 1, shape.Rows
		bands = 1
	}
	t.b.Data = p.Right.data[panel*p.Right.panel:]
	t.fetch(p.Ahead.next(index, bands))
	if t.c = p.C.At(r, j); p.Band != nil {
		t.c.Data = p.Band[j:]
	}
	t.from = t.c
	if p.Bias != nil {
		t.bias = p.Bias[j:]
	}
	if p.Add.Data != nil {
		t.add = p.Add.At(r, j)
	}
	if p.Sums.Sums != nil {
		t.sums = p.Sums.at(j)
	}
	t.compute()
	return t.bands
}

// copyEdge copies the rows of A that fill no tile to the edge, where the rest of a tile may be read too.
func (p *Product) copyEdge(band, rows int) {
	l, tileRows := &p.Left, Tile().Rows
	a := l.Data[band*l.band:]
	switch {
	case l.Row == 1:
		vec.CopyRows(l.edge, tileRows, a, l.step, p.Depth, rows)
	case l.step == 1:
		vec.TransposeRows(l.edge, tileRows, a, l.Row, rows, p.Depth)
	}
}

package gemm

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Product is one depth block of C = A·B, small enough to stay in the second-level cache, computed by one thread:
//
//	for r < rows, j < cols:
//		sum := 0
//		for k < depth: sum += A(r,k) * B(k,j)
//		C(r,j) = max(sum + C(r,j) + bias[j] + add(r,j), 0)
//
// with the terms that its epilogue names. The depth may be two-dimensional: A's columns then come in stretches of depth
// columns each, which follow each other in B.
type Product struct {
	Rows, Cols, Depth int
	Stretches         int  // 0 is 1
	Pairs             bool // A and B hold pairs of bf16 values, and depth counts the pairs

	Left  leftFactor
	Right rightFactor
	C     View
	Band  []float32 // completes a band of C, as high as a tile, before it goes past the caches; nil if tiles store C
	Epilogue
	Ahead Prefetch // what is read after this product or later in it
}

// View is a row-major matrix, or a block of one: element (r,j) is data[r*row + j].
type View struct {
	Data []float32
	Row  int
}

// at returns the view without its first rows and columns.
func (v View) At(row, col int) View { return View{v.Data[row*v.Row+col:], v.Row} }

// leftFactor is where A lies: A(r,k) is data[r/T*band + r%T*row + k*step + s*stretch] for tiles of T rows, where k counts
// within stretch s of the depth.
type leftFactor struct {
	Data            []float32
	band, Row, step int
	stretch         int
	Edge            []float32 // takes the rows that fill no tile; nil if the rows up to the next whole tile exist
}

// RowsOf returns the rows of a matrix as A. Those up to the next whole tile exist.
func RowsOf(a []float32, row int) leftFactor {
	return leftFactor{Data: a, band: TileFor(isa.Active()).Rows * row, Row: row, step: 1}
}

// ColumnsOf returns the columns of a matrix as the rows of A. Those up to the next whole tile exist.
func ColumnsOf(a []float32, row int) leftFactor {
	return leftFactor{Data: a, band: TileFor(isa.Active()).Rows, Row: 1, step: row}
}

// withEdge returns A where nothing may be read below its last row: rows that fill no tile are copied to edge, which has
// EdgeSize, before they are read.
func (l leftFactor) WithEdge(edge []float32) leftFactor {
	l.Edge = edge
	return l
}

// inStretches returns A with a distance from one stretch of the depth to the next.
func (l leftFactor) InStretches(distance int) leftFactor {
	l.stretch = distance
	return l
}

// EdgeSize returns the length of the edge of products of the given depth.
func EdgeSize(depth int) int { return TileFor(isa.Active()).Rows * depth }

// rightFactor is where B lies: B(k,j) is data[j/U*panel + k*step + j%U] for panels of U columns. The columns up to the
// next multiple of narrowest exist.
type rightFactor struct {
	Data        []float32
	panel, Step int
}

// PanelsOf returns packed panels as B, the given distance apart.
func PanelsOf(b []float32, distance int) rightFactor {
	return rightFactor{Data: b, panel: distance, Step: TileFor(isa.Active()).Cols}
}

// MatrixOf returns a row-major matrix as B.
func MatrixOf(b []float32, row int) rightFactor {
	return rightFactor{Data: b, panel: TileFor(isa.Active()).Cols, Step: row}
}

// Epilogue is what happens to the sums of a product before they are stored, in this order. Nil slices are left out.
type Epilogue struct {
	Accumulate bool      // C is added
	Bias       []float32 // a value for each column
	Add        View      // of the shape of C
	Relu       bool
	Sums       ColumnSums
	Stream     bool // C is stored past the caches, where tiles of whole cache lines are
}

// ColumnSums receives sums over the columns of a result, see tile. Whole panels of both exist.
type ColumnSums struct {
	Shift, Sums []float32
	Row         int // from the sums to those of squares
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
		flags |= FlagAccumulate
	}
	if e.Bias != nil {
		flags |= FlagBias
	}
	if e.Add.Data != nil {
		flags |= FlagAdd
	}
	if e.Relu {
		flags |= FlagReLU
	}
	if e.Sums.Sums != nil {
		flags |= FlagSums
	}
	if e.Stream {
		flags |= FlagStream
	}
	return flags
}

// SmallProduct returns a product of matrices that need no blocks, with B packed as a whole.
func SmallProduct(rows, cols, depth int, packed []float32) Product {
	return Product{Rows: rows, Cols: cols, Depth: depth, Right: PanelsOf(packed, depth*TileFor(isa.Active()).Cols)}
}

// dropColumns leaves out the first columns; the right factor is set to what is left of it by the caller.
func (p *Product) DropColumns(n int) {
	p.Cols -= n
	p.C, p.Epilogue = p.C.At(0, n), p.Epilogue.at(0, n)
}

// dropRows leaves out the first rows of C.
func (p *Product) DropRows(n int) {
	p.Rows -= n
	p.C, p.Epilogue = p.C.At(n, 0), p.Epilogue.at(n, 0)
	if p.Band != nil && !mem.Aligned(p.C.Data) {
		p.Band = nil
	}
}

// run computes the product. A panel of B stays in the first-level cache while all of A passes by, or a band of A while
// all panels do.
func (p *Product) Run() {
	shape := TileFor(isa.Active())
	t := tile{depth: p.Depth, stretches: max(p.Stretches, 1), pairs: p.Pairs, flags: p.flags()}
	t.left, t.b.Row = p.Left, p.Right.Step
	t.bandSteps = bandSteps{shape.Rows * p.C.Row, shape.Rows * p.C.Row, shape.Rows * p.Add.Row}
	edgeRow := p.Rows
	if rest := p.Rows % shape.Rows; rest != 0 && p.Left.Edge != nil {
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
	if (p.Stream || p.Band != nil) && isa.Active() != isa.Generic {
		mem.Fence()
	}
}

// multiply computes tiles from the index-th on: one panel of columns, and at most the given number of bands of rows. It
// returns the number of bands.
func (p *Product) multiply(t *tile, band, bands, panel, edgeRow, index int) int {
	shape := TileFor(isa.Active())
	r, j := band*shape.Rows, panel*shape.Cols
	t.Rows, t.Cols = min(shape.Rows, p.Rows-r), min(shape.Cols, p.Cols-j)
	if r < edgeRow {
		t.left.Data, t.left.Row, t.left.step = p.Left.Data[band*p.Left.band:], p.Left.Row, p.Left.step
		bands = max(1, min(bands, (edgeRow-r)/shape.Rows))
	} else {
		t.left.Data, t.left.Row, t.left.step = p.Left.Edge, 1, shape.Rows
		bands = 1
	}
	t.b.Data = p.Right.Data[panel*p.Right.panel:]
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

// copyEdge copies the rows of A that do not fill a tile to edge, where the rest of the tile may be read too.
func (p *Product) copyEdge(band, rows int) {
	l, tileRows := &p.Left, TileFor(isa.Active()).Rows
	a := l.Data[band*l.band:]
	switch {
	case l.Row == 1:
		vec.CopyRows(l.Edge, tileRows, a, l.step, p.Depth, rows)
	case l.step == 1:
		vec.TransposeRows(l.Edge, tileRows, a, l.Row, rows, p.Depth)
	}
}

package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// productCase is a product of random values. The fields name what it has besides plain rows and panels.
type productCase struct {
	columns    bool // A's rows are columns of a matrix
	packed     bool // these are packed, and B is packed row by row; without stretches
	edge       bool // nothing of A may be read below its last row
	stretches  int  // 0 is 1
	matrix     bool // B is not packed
	band       bool // bands of C are completed aside
	prefetch   bool
	dropped    bool // the first rows and columns are left out
	accumulate bool
	epilogue   bool // a bias, a matrix, ReLU6 and sums
	stream     bool

	rows, cols, depth int
}

// productOperands are the operands of a product, and those by which it is checked.
type productOperands struct {
	p          Product
	a          func(r, k int) float32 // k over all stretches
	b          []float32              // row-major, cols wide
	before     []float32              // what C held
	beforeSums []float32
	row, col   int // of the first element that is computed
}

// operands returns the product of a case.
func (c productCase) operands(t *testing.T, rng *rand.Rand) (o productOperands) {
	shape, stretches := Tile(), max(c.stretches, 1)
	p := &o.p
	*p = Product{Rows: c.rows, Cols: c.cols, Depth: c.depth, Stretches: c.stretches}

	readable := c.rows // rows of A
	if !c.edge {
		readable = mem.RoundUp(c.rows, shape.Rows)
	}
	row, stretch := c.depth+3, rng.IntN(50)
	size := (readable-1)*row + (stretches-1)*stretch + c.depth
	if c.columns {
		row = readable + 3
		size = (c.depth-1)*row + (stretches-1)*stretch + readable
	}
	a := kerneltest.Guarded(t, rng, size)
	switch {
	case c.packed:
		bands := kerneltest.Guarded(t, rng, mem.RoundUp(c.rows, shape.Rows)*c.depth)
		PackColumns(bands, a, row, c.depth, c.rows)
		p.Left = BandsOf(bands, c.depth)
	case c.columns:
		p.Left = ColumnsOf(a, row)
	default:
		p.Left = RowsOf(a, row)
	}
	o.a = func(r, k int) float32 {
		at := k / c.depth * stretch
		if c.columns {
			return a[at+k%c.depth*row+r]
		}
		return a[at+r*row+k%c.depth]
	}
	p.Left = p.Left.InStretches(stretch)
	if c.edge {
		p.Left = p.Left.WithEdge(kerneltest.Guarded(t, rng, EdgeSize(c.depth)))
	}

	depth := stretches * c.depth
	o.b = kerneltest.Normal(rng, depth*c.cols)
	if c.matrix {
		padded := mem.RoundUp(c.cols, ColumnUnit)
		b := kerneltest.Guarded(t, rng, depth*padded)
		for k := range depth {
			copy(b[k*padded:], o.b[k*c.cols:][:c.cols])
		}
		p.Right = MatrixOf(b, padded)
	} else {
		b := kerneltest.Guarded(t, rng, PanelSize(c.cols, depth))
		if c.packed {
			PackByRows(b, o.b, c.cols, depth, c.cols)
		} else {
			Pack(b, o.b, c.cols, depth, c.cols)
		}
		p.Right = PanelsOf(b, depth*shape.Cols)
	}
	c.setResult(t, rng, &o)
	if c.prefetch {
		p.Ahead = PrefetchEvenly(a, o.b).ByFirst(1).Then(a)
	}
	return o
}

// setResult sets C, and what happens to it.
func (c productCase) setResult(t *testing.T, rng *rand.Rand, o *productOperands) {
	p, cRow := &o.p, c.cols+5
	p.C = View{kerneltest.Guarded(t, rng, (c.rows-1)*cRow+c.cols), cRow}
	if c.band || c.stream { // whole rows, which begin at a cache line
		cRow = c.cols
		p.C = View{mem.Align(kerneltest.Normal(rng, c.rows*cRow+mem.Line))[:c.rows*cRow], cRow}
	}
	if c.band {
		p.Band = kerneltest.Guarded(t, rng, Tile().Rows*cRow)
	}
	p.Accumulate, p.Stream = c.accumulate, c.stream
	if c.epilogue {
		panels := mem.RoundUp(c.cols, Tile().Cols)
		p.Bias = kerneltest.Guarded(t, rng, c.cols)
		p.Add = View{kerneltest.Guarded(t, rng, c.rows*(c.cols+2)), c.cols + 2}
		p.ReLU, p.Cap = true, true
		p.Sums = ColumnSums{kerneltest.Guarded(t, rng, panels), kerneltest.Guarded(t, rng, 2*panels), panels}
		o.beforeSums = slices.Clone(p.Sums.Sums)
	}
	o.before = slices.Clone(p.C.Data)
}

// drop leaves out the first rows and columns, whole tiles of them.
func (o *productOperands) drop() {
	p, shape := &o.p, Tile()
	if p.Rows > shape.Rows {
		o.row = shape.Rows
		p.Left.Data = p.Left.Data[p.Left.band:]
		p.DropRows(o.row)
	}
	if p.Cols > shape.Cols && p.Band == nil {
		o.col = shape.Cols
		p.Right.data = p.Right.data[p.Right.panel:]
		p.DropColumns(o.col)
	}
}

// want is an element of C by definition.
func (c productCase) want(o *productOperands, whole *Product, r, j int) float64 {
	sum := 0.0
	for k := range max(c.stretches, 1) * c.depth {
		sum += float64(o.a(r, k)) * float64(o.b[k*c.cols+j])
	}
	if c.accumulate {
		sum += float64(o.before[r*whole.C.Row+j])
	}
	if c.epilogue {
		sum += float64(whole.Bias[j]) + float64(whole.Add.Data[r*whole.Add.Row+j])
		sum = min(max(sum, 0), 6)
	}
	return sum
}

// check computes the product and compares it with its definition.
func (c productCase) check(t *testing.T, rng *rand.Rand) {
	t.Helper()
	o := c.operands(t, rng)
	whole := o.p
	if c.dropped {
		o.drop()
	}
	o.p.Run()
	tolerance := kerneltest.SumTolerance(max(c.stretches, 1) * c.depth)
	for i, got := range whole.C.Data {
		r, j := i/whole.C.Row, i%whole.C.Row
		want := float64(o.before[i])
		if r >= o.row && j >= o.col && j < c.cols {
			want = c.want(&o, &whole, r, j)
		}
		if !kerneltest.Near(float64(got), want, tolerance) {
			t.Fatalf("%+v: C(%d,%d) = %g, want %g", c, r, j, got, want)
		}
	}
	if c.epilogue {
		c.checkSums(t, &o, &whole)
	}
}

// checkSums compares the sums with those of the values that are in C.
func (c productCase) checkSums(t *testing.T, o *productOperands, whole *Product) {
	t.Helper()
	for j := o.col; j < c.cols; j++ {
		sum, squares := float64(o.beforeSums[j]), float64(o.beforeSums[whole.Sums.Row+j])
		for r := o.row; r < c.rows; r++ {
			d := float64(whole.C.Data[r*whole.C.Row+j]) - float64(whole.Sums.Shift[j])
			sum += d
			squares += d * d
		}
		tolerance := kerneltest.SumTolerance(c.rows) * (1 + math.Abs(squares)) // by the size of the squares
		for at, want := range map[int]float64{j: sum, whole.Sums.Row + j: squares} {
			if got := float64(whole.Sums.Sums[at]); math.Abs(got-want) > tolerance {
				t.Fatalf("%+v: sums[%d] = %g, want %g", c, at, got, want)
			}
		}
	}
}

func TestProduct(t *testing.T) {
	for _, test := range []struct {
		name string
		c    productCase
	}{
		{"plain", productCase{}},
		{"columns", productCase{columns: true}},
		{"edge", productCase{edge: true}},
		{"columns with an edge", productCase{columns: true, edge: true}},
		{"packed columns", productCase{columns: true, edge: true, packed: true, epilogue: true}},
		{"B where it lies", productCase{matrix: true}},
		{"stretches", productCase{stretches: 3}},
		{"columns in stretches, B where it lies", productCase{columns: true, stretches: 4, matrix: true}},
		{"accumulate", productCase{accumulate: true}},
		{"epilogue", productCase{epilogue: true}},
		{"epilogue after a sum", productCase{accumulate: true, epilogue: true, edge: true}},
		{"band", productCase{band: true}},
		{"band with epilogue, in stretches", productCase{band: true, epilogue: true, stretches: 2}},
		{"past the caches", productCase{stream: true, epilogue: true}},
		{"prefetch", productCase{prefetch: true, edge: true}},
		{"a band, with prefetch", productCase{band: true, prefetch: true}},
		{"without its first rows and columns", productCase{dropped: true, epilogue: true, accumulate: true}},
		{"a band without its first rows", productCase{dropped: true, band: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				rng, shape := rand.New(rand.NewPCG(5, 6)), Tile()
				for _, rows := range []int{1, shape.Rows, shape.Rows + 1, 3*shape.Rows + 2} {
					for _, cols := range []int{1, shape.Cols - 1, shape.Cols, 2*shape.Cols + ColumnUnit + 3} {
						c := test.c
						c.rows, c.cols, c.depth = rows, cols, 1+rng.IntN(40)
						if c.band { // every band begins at a cache line
							c.cols = mem.RoundUp(cols, ColumnUnit)
						}
						c.check(t, rng)
					}
				}
			})
		})
	}
}

// A small product multiplies what Pack and PackTransposed wrote.
func TestSmallProduct(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		for range 200 {
			rows, cols, depth := 1+rng.IntN(40), 1+rng.IntN(80), 1+rng.IntN(50)
			a := kerneltest.Guarded(t, rng, rows*depth)
			b := kerneltest.Guarded(t, rng, cols*depth)
			c := kerneltest.Guarded(t, rng, rows*cols)
			packed, edge := make([]float32, PanelSize(cols, depth)), make([]float32, EdgeSize(depth))
			p := SmallProduct(rows, cols, depth, packed)
			p.Left, p.C = RowsOf(a, depth).WithEdge(edge), View{c, cols}
			bRow, bCol := cols, 1
			if rng.IntN(2) == 0 {
				bRow, bCol = 1, depth
				PackTransposed(packed, b, depth, depth, cols)
			} else {
				Pack(packed, b, cols, depth, cols)
			}
			p.Run()
			want := make([]float64, rows*cols)
			for i := range rows * cols * depth {
				r, j, k := i/depth/cols, i/depth%cols, i%depth
				want[r*cols+j] += float64(a[r*depth+k]) * float64(b[k*bRow+j*bCol])
			}
			what := fmt.Sprintf("%d×%d×%d with %s", rows, cols, depth, isa.Active())
			kerneltest.Compare(t, what, c, want, kerneltest.SumTolerance(depth))
		}
	})
}

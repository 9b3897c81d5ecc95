package gemm

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Strassen's form of a product (Winograd's variant: Knuth, "The Art of Computer Programming", volume 2, section 4.6.4)
// makes the quadrants of C = A·B of seven products of quadrants instead of eight:
//
//	S1 = A21 + A22   S2 = S1 - A11   S3 = A11 - A21   S4 = A12 - S2
//	T1 = B12 - B11   T2 = B22 - T1   T3 = B22 - B12   T4 = B21 - T2
//
//	C11 = A11·B11 + A12·B21
//	U   = A11·B11 + S2·T2
//	C21 = U + S3·T3 + A22·T4
//	C22 = U + S3·T3 + S1·T1
//	C12 = U + S1·T1 + S4·B22
//
// The tiles at the same place of the four quadrants are made one after the other. What they share stays in the
// first-level cache, and C is written once, as by the plain product. The schedule of a place, with u, v and
// w for the tiles that several quadrants share:
//
//	u = A11·B11
//	C11 = u + A12·B21
//	u = u + S2·T2
//	v = u + S3·T3
//	C21 = v + A22·T4
//	w = S1·T1
//	C22 = v + w
//	C12 = u + w + S4·B22
//
// A tile adds at most two matrices to its product. Where the epilogue adds one to C, the end is
//
//	u = u + w
//	v = v + w
//	C22 = v
//	C12 = u + S4·B22
//
// Sums of A's quadrants are made where A is gathered, those of B's where it is packed. Rounding errors grow to about
// twice those of the plain product.

// Factor is one of the seven factors of either side: the left one and the right one that is multiplied with it.
type Factor int

// The factors in the order in which they are used, and how many there are.
const (
	FactorA11B11 Factor = iota
	FactorA12B21
	FactorS2T2
	FactorS3T3
	FactorA22T4
	FactorS1T1
	FactorS4B22
	Factors

	noFactor = Factors
)

// quarterTile is a tile at a place: shared by quadrants, or that of a quadrant.
type quarterTile int

const (
	noTile quarterTile = iota
	tileU
	tileV
	tileW
	tileC11
	tileC12
	tileC21
	tileC22
	sharedTiles = tileW
)

// quarterCall is one step of a schedule: to = from + add + the product of two factors.
type quarterCall struct {
	to, from, add quarterTile
	factor        Factor
}

// The schedule, and that of products whose epilogue adds a matrix.
var (
	quarterCalls = []quarterCall{
		{to: tileU, factor: FactorA11B11},
		{to: tileC11, from: tileU, factor: FactorA12B21},
		{to: tileU, from: tileU, factor: FactorS2T2},
		{to: tileV, from: tileU, factor: FactorS3T3},
		{to: tileC21, from: tileV, factor: FactorA22T4},
		{to: tileW, factor: FactorS1T1},
		{to: tileC22, from: tileV, add: tileW, factor: noFactor},
		{to: tileC12, from: tileU, add: tileW, factor: FactorS4B22},
	}
	addingQuarterCalls = append(quarterCalls[:6:6],
		quarterCall{to: tileU, from: tileU, add: tileW, factor: noFactor},
		quarterCall{to: tileV, from: tileV, add: tileW, factor: noFactor},
		quarterCall{to: tileC22, from: tileV, factor: noFactor},
		quarterCall{to: tileC12, from: tileU, factor: FactorS4B22},
	)
)

const maxQuarterCalls = 10

// QuarteredProduct is a [Product] in Strassen's form. All rows of A up to the next whole tiles of its upper half and of
// its lower half exist. The columns are an even number of whole panels, and the depth is even.
type QuarteredProduct struct {
	Product Product // Left is made by RowsOf; Right says how far apart panels are
	top     int     // rows of the upper half; the lower half has as many or one less, for which A has zeros

	Source     View // of the rows that are copied to A before they are used; no Data if they are there
	Contiguous bool // rows lie in one piece without gaps: the next ones are fetched while some are multiplied
	Evenly     bool // all tiles fetch what is read after this product; otherwise those of the first panel do not

	QuarterScratch

	left  [Factors]View
	Right [Factors][]float32 // of the first panel of the left half; those of its other panels follow, a panel apart

	flags int // of tiles of C
	tile  tile
	list  [maxQuarterCalls]tileCall // of the tiles at one place
	count int                       // of them
	ahead Prefetch                  // what the tiles at the next places fetch
	calls int                       // products since that was set
}

// QuarterScratch is the scratch of a [QuarteredProduct].
type QuarterScratch struct {
	leftSums View // S1 to S4
	sumStep  int  // from one of them to the next
	shared   [sharedTiles + 1][]float32
}

// TakeQuarterScratch takes the scratch of products of at most the given rows and depth.
func TakeQuarterScratch(space *mem.Scratch, rows, depth int) (q QuarterScratch) {
	shape := Tile()
	q.leftSums.Row = mem.PaddedRow(depth / 2)
	q.sumStep = mem.RoundUp(mem.CeilDiv(rows, 2)*q.leftSums.Row, mem.Line)
	q.leftSums.Data = space.Take(4 * q.sumStep)
	for i := tileU; i <= sharedTiles; i++ {
		q.shared[i] = space.Take(shape.Rows * shape.Cols)
	}
	return q
}

// Run computes the product.
func (q *QuarteredProduct) Run() {
	shape := Tile()
	q.top = mem.CeilDiv(q.Product.Rows, 2)
	q.setLeft()
	if q.Product.Accumulate { // tiles begin with what is shared, and add C at their end
		q.Product.Accumulate, q.Product.Add = false, q.Product.C
	}
	q.flags = q.Product.flags()
	calls := quarterCalls
	if q.Product.Add.Data != nil {
		calls = addingQuarterCalls
	}
	q.tile = tile{stretches: 1, b: View{Row: q.Product.Right.step}}
	after, bands, panels := q.Product.Ahead, mem.CeilDiv(q.top, shape.Rows), q.Product.Cols/2/shape.Cols
	if q.Evenly {
		q.fetchDuring(after, bands*panels)
	}
	for panel := range panels {
		if panel == 1 && !q.Evenly {
			q.fetchDuring(after, bands*(panels-1))
		}
		step := 1
		for r := 0; r < q.top; r += step * shape.Rows {
			if panel == 0 {
				q.prepareRows(r, min(r+shape.Rows, q.top))
			} else {
				step = q.bandsFrom(r)
			}
			q.place(calls, r, panel*shape.Cols, step)
		}
	}
	q.Product.fence()
}

// setLeft sets the left factors: quadrants of A, and the sums of some.
func (q *QuarteredProduct) setLeft() {
	a, half := View{q.Product.Left.Data, q.Product.Left.Row}, q.Product.Depth/2
	sum := func(i int) View { return View{q.leftSums.Data[i*q.sumStep:], q.leftSums.Row} }
	q.left = [Factors]View{
		FactorA11B11: a, FactorA12B21: a.At(0, half), FactorA22T4: a.At(q.top, half),
		FactorS1T1: sum(0), FactorS2T2: sum(1), FactorS3T3: sum(2), FactorS4B22: sum(3),
	}
}

// fetchDuring has the tiles of the next places fetch memory.
func (q *QuarteredProduct) fetchDuring(memory Prefetch, places int) {
	q.ahead, q.calls = memory, 0
	q.ahead.start(int(Factors)*places, q.Product.Depth/2)
}

// prepareRows copies rows [from,to) of both halves to where they are read, and makes their sums. It has the tiles that
// follow fetch the next rows.
func (q *QuarteredProduct) prepareRows(from, to int) {
	a := View{q.Product.Left.Data, q.Product.Left.Row}
	memory := a
	if q.Source.Data != nil {
		memory = q.Source
		for _, row := range [...]int{from, q.top + from} {
			vec.CopyRows(a.At(row, 0).Data, a.Row, memory.At(row, 0).Data, memory.Row, to-from, q.Product.Depth)
		}
	}
	half, step := q.Product.Depth/2, q.sumStep
	for r := from; r < to; r++ {
		upper, lower := a.At(r, 0).Data, a.At(q.top+r, 0).Data
		sums := q.leftSums.At(r, 0).Data
		leftSums(sums[:half], sums[step:], sums[2*step:], sums[3*step:], upper, upper[half:], lower, lower[half:])
	}
	if q.Evenly {
		return
	}
	var next Prefetch
	if end := min(2*to-from, q.top); q.Contiguous && end > to {
		rows := func(from, to int) []float32 { return memory.Data[from*memory.Row : to*memory.Row] }
		next = PrefetchEvenly(rows(to, end), rows(q.top+to, q.top+end))
	}
	q.fetchDuring(next, 1)
}

// bandsFrom returns how many bands from row r of the halves on are computed by one list: those of whole tiles.
func (q *QuarteredProduct) bandsFrom(r int) int {
	if q.Evenly || isa.Active() == isa.Generic {
		return 1
	}
	return max(1, (q.Product.Rows-q.top-r)/Tile().Rows)
}

// place computes four tiles of C: those that begin with row r of the upper half or of the lower one, and column j of
// the left half or of the right one; and the same for the given number of bands of rows.
func (q *QuarteredProduct) place(calls []quarterCall, r, j, bands int) {
	q.count = 0
	for _, call := range calls {
		if lower := call.to == tileC21 || call.to == tileC22; lower && q.top+r >= q.Product.Rows {
			continue
		}
		q.multiply(call.factor, r, j)
		if call.to <= sharedTiles {
			q.keep(call)
		} else {
			q.finish(call, r, j)
		}
	}
	if q.count > 0 {
		q.kernel().run(q.list[:q.count], bands)
	}
	q.calls += (bands - 1) * int(Factors)
}

// multiply has the next tile multiply two factors, and fetch its share of what is read next.
func (q *QuarteredProduct) multiply(f Factor, r, j int) {
	t, shape := &q.tile, Tile()
	if t.depth = 0; f == noFactor {
		return
	}
	a := q.left[f].At(r, 0)
	t.left, t.depth = RowsOf(a.Data, a.Row), q.Product.Depth/2
	t.b.Data = q.Right[f][j/shape.Cols*q.Product.Right.panel:]
	t.fetch(q.ahead.next(q.calls, 1))
	t.ahead.perBand *= int(Factors)
	q.calls++
}

// keep puts a shared tile in the list.
func (q *QuarteredProduct) keep(call quarterCall) {
	t, shape := &q.tile, Tile()
	t.TileShape, t.flags, t.bandSteps = shape, 0, bandSteps{}
	t.c = View{q.shared[call.to], shape.Cols}
	q.start(call)
	q.append()
}

// start has the tile begin with what the call names.
func (q *QuarteredProduct) start(call quarterCall) {
	t, row := &q.tile, Tile().Cols
	if call.from != noTile {
		t.flags |= flagAccumulate
		t.from = View{q.shared[call.from], row}
	}
	if call.add != noTile {
		t.flags |= flagAdd
		t.add, t.bandSteps.add = View{q.shared[call.add], row}, 0
	}
}

// finish puts a tile of C in the list.
func (q *QuarteredProduct) finish(call quarterCall, r, j int) {
	t, shape := &q.tile, Tile()
	row, end := r, q.top
	if call.to == tileC21 || call.to == tileC22 {
		row, end = q.top+r, q.Product.Rows
	}
	if call.to == tileC12 || call.to == tileC22 {
		j += q.Product.Cols / 2
	}
	t.Rows, t.Cols, t.flags = min(shape.Rows, end-row), shape.Cols, q.flags
	t.c = q.Product.C.At(row, j)
	t.bandSteps = bandSteps{c: shape.Rows * q.Product.C.Row, add: shape.Rows * q.Product.Add.Row}
	if t.flags&flagBias != 0 {
		t.bias = q.Product.Bias[j:]
	}
	if t.flags&flagAdd != 0 {
		t.add = q.Product.Add.At(row, j)
	}
	if t.flags&flagSums != 0 {
		t.sums = q.Product.Sums.at(j)
	}
	q.start(call)
	q.append()
}

// append puts the tile at the end of the list. Without assembly there is none: the tile is computed.
func (q *QuarteredProduct) append() {
	if isa.Active() == isa.Generic {
		q.tile.computePortably()
		return
	}
	q.list[q.count].set(&q.tile)
	q.count++
}

// kernel returns the kernel of whole tiles.
func (q *QuarteredProduct) kernel() tileKernel {
	if isa.Active() == isa.AVX512 {
		return kernel12x32AVX512
	}
	return kernel6x16AVX2
}

var leftSumKernels = [...]quadrantKernel{isa.AVX2: leftSumsAVX2, isa.AVX512: leftSumsAVX512}

var rightSumKernels = [...]quadrantKernel{isa.AVX2: rightSumsAVX2, isa.AVX512: rightSumsAVX512}

type quadrantKernel func(s1, s2, s3, s4, q11, q12, q21, q22 *float32, n int)

// leftSums makes S1 to S4 of values of the quadrants of A.
func leftSums(s1, s2, s3, s4, q11, q12, q21, q22 []float32) {
	if kernel := leftSumKernels[isa.Active()]; kernel != nil {
		kernel.run(s1, s2, s3, s4, q11, q12, q21, q22)
		return
	}
	for i := range s1 {
		a11, a12, a21, a22 := q11[i], q12[i], q21[i], q22[i]
		sum := a21 + a22
		s1[i], s2[i], s3[i], s4[i] = sum, sum-a11, a11-a21, a12-(sum-a11)
	}
}

// SumRightQuadrants makes the right factors of the quadrants of B, slices of one length. B11, B21 and B22 lie in their
// places as factors, and B12 in the place of T1.
func SumRightQuadrants(f *[Factors][]float32) {
	rightSums(f[FactorS1T1], f[FactorS2T2], f[FactorS3T3], f[FactorA22T4],
		f[FactorA11B11], f[FactorS1T1], f[FactorA12B21], f[FactorS4B22])
}

// rightSums makes T1 to T4 of values of the quadrants of B. They may overwrite the quadrants.
func rightSums(t1, t2, t3, t4, q11, q12, q21, q22 []float32) {
	if kernel := rightSumKernels[isa.Active()]; kernel != nil {
		kernel.run(t1, t2, t3, t4, q11, q12, q21, q22)
		return
	}
	for i := range t1 {
		b11, b12, b21, b22 := q11[i], q12[i], q21[i], q22[i]
		difference := b12 - b11
		t1[i], t2[i], t3[i], t4[i] = difference, b22-difference, b22-b12, b21-(b22-difference)
	}
}

// run makes as many values as s1 has.
func (k quadrantKernel) run(s1, s2, s3, s4, q11, q12, q21, q22 []float32) {
	n := len(s1)
	s2, s3, s4 = s2[:n], s3[:n], s4[:n]
	q11, q12, q21, q22 = q11[:n], q12[:n], q21[:n], q22[:n]
	k(unsafe.SliceData(s1), unsafe.SliceData(s2), unsafe.SliceData(s3), unsafe.SliceData(s4),
		unsafe.SliceData(q11), unsafe.SliceData(q12), unsafe.SliceData(q21), unsafe.SliceData(q22), n)
}

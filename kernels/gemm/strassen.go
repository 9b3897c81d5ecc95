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

// strassenTile is a tile at a place: shared by quadrants, or that of a quadrant.
type strassenTile int

const (
	noTile strassenTile = iota
	tileU
	tileV
	tileW
	tileC11
	tileC12
	tileC21
	tileC22
	sharedTiles = tileW
)

// strassenStep is one step of a schedule: to = from + add + the product of two factors.
type strassenStep struct {
	to, from, add strassenTile
	factor        Factor
}

// The schedule, and that of products whose epilogue adds a matrix.
var (
	strassenSteps = []strassenStep{
		{to: tileU, factor: FactorA11B11},
		{to: tileC11, from: tileU, factor: FactorA12B21},
		{to: tileU, from: tileU, factor: FactorS2T2},
		{to: tileV, from: tileU, factor: FactorS3T3},
		{to: tileC21, from: tileV, factor: FactorA22T4},
		{to: tileW, factor: FactorS1T1},
		{to: tileC22, from: tileV, add: tileW, factor: noFactor},
		{to: tileC12, from: tileU, add: tileW, factor: FactorS4B22},
	}
	addingStrassenSteps = append(strassenSteps[:6:6],
		strassenStep{to: tileU, from: tileU, add: tileW, factor: noFactor},
		strassenStep{to: tileV, from: tileV, add: tileW, factor: noFactor},
		strassenStep{to: tileC22, from: tileV, factor: noFactor},
		strassenStep{to: tileC12, from: tileU, factor: FactorS4B22},
	)
)

const maxStrassenSteps = 10

// StrassenProduct is a [Product] in Strassen's form. All rows of A up to the next whole tiles of its upper half and of
// its lower half exist. The columns are an even number of whole panels, and the depth is even. Between the two halves
// of the columns there may be others.
type StrassenProduct struct {
	Product      Product            // Left is made by RowsOf; Right says how far apart panels are
	RightFactors [Factors][]float32 // of the first panel of the left half; its other panels follow
	Apart        int                // columns from the left half to the right one, at least half of all

	Source     View // of the rows that are copied to A before they are used; no Data if they are there
	Contiguous bool // rows lie in one piece without gaps: the next ones are fetched while some are multiplied
	Evenly     bool // all tiles fetch what is read after this product; otherwise those of the first panel do not

	StrassenScratch
	strassenRun
}

// strassenRun is what a [StrassenProduct] knows while it is computed.
type strassenRun struct {
	top         int // rows of the upper half; the lower half has as many or one less, for which A has zeros
	leftFactors [Factors]View
	flags       int // of tiles of C
	tile        tile
	list        [maxStrassenSteps]tileCall // of the tiles at one place
	count       int                        // of them
	ahead       Prefetch                   // what the tiles at the next places fetch
	products    int                        // since that was set
}

// StrassenScratch is the scratch of a [StrassenProduct].
type StrassenScratch struct {
	leftSums View // S1 to S4
	sumStep  int  // from one of them to the next
	shared   [sharedTiles + 1][]float32
}

// TakeStrassenScratch takes the scratch of products of at most the given rows and depth.
func TakeStrassenScratch(space *mem.Scratch, rows, depth int) (s StrassenScratch) {
	shape := Tile()
	s.leftSums.Row = mem.PaddedRow(depth / 2)
	s.sumStep = mem.RoundUp(mem.CeilDiv(rows, 2)*s.leftSums.Row, mem.Line)
	s.leftSums.Data = space.Take(4 * s.sumStep)
	for i := tileU; i <= sharedTiles; i++ {
		s.shared[i] = space.Take(shape.Rows * shape.Cols)
	}
	return s
}

// Run computes the product.
func (p *StrassenProduct) Run() {
	shape := Tile()
	p.top = mem.CeilDiv(p.Product.Rows, 2)
	p.setLeft()
	if p.Product.Accumulate { // tiles begin with what is shared, and add C at their end
		p.Product.Accumulate, p.Product.Add = false, p.Product.C
	}
	p.flags = p.Product.flags()
	steps := strassenSteps
	if p.Product.Add.Data != nil {
		steps = addingStrassenSteps
	}
	p.tile = tile{stretches: 1, b: View{Row: p.Product.Right.step}}
	after, bands, panels := p.Product.Ahead, mem.CeilDiv(p.top, shape.Rows), p.Product.Cols/2/shape.Cols
	if p.Evenly {
		p.fetchDuring(after, bands*panels)
	}
	for panel := range panels {
		if panel == 1 && !p.Evenly {
			p.fetchDuring(after, bands*(panels-1))
		}
		step := 1
		for r := 0; r < p.top; r += step * shape.Rows {
			if panel == 0 {
				p.prepareRows(r, min(r+shape.Rows, p.top))
			} else {
				step = p.bandsFrom(r)
			}
			p.place(steps, r, panel*shape.Cols, step)
		}
	}
	p.Product.fence()
}

// setLeft sets the left factors: quadrants of A, and the sums of some.
func (p *StrassenProduct) setLeft() {
	a, half := View{p.Product.Left.Data, p.Product.Left.Row}, p.Product.Depth/2
	sum := func(i int) View { return View{p.leftSums.Data[i*p.sumStep:], p.leftSums.Row} }
	p.leftFactors = [Factors]View{
		FactorA11B11: a, FactorA12B21: a.At(0, half), FactorA22T4: a.At(p.top, half),
		FactorS1T1: sum(0), FactorS2T2: sum(1), FactorS3T3: sum(2), FactorS4B22: sum(3),
	}
}

// fetchDuring has the tiles of the next places fetch memory.
func (p *StrassenProduct) fetchDuring(memory Prefetch, places int) {
	p.ahead, p.products = memory, 0
	p.ahead.start(int(Factors)*places, p.Product.Depth/2)
}

// prepareRows copies rows [from,to) of both halves to where they are read, and makes their sums. It has the tiles that
// follow fetch the next rows.
func (p *StrassenProduct) prepareRows(from, to int) {
	a := View{p.Product.Left.Data, p.Product.Left.Row}
	memory := a
	if p.Source.Data != nil {
		memory = p.Source
		for _, row := range [...]int{from, p.top + from} {
			vec.CopyRows(a.At(row, 0).Data, a.Row, memory.At(row, 0).Data, memory.Row, to-from, p.Product.Depth)
		}
	}
	half, step := p.Product.Depth/2, p.sumStep
	for r := from; r < to; r++ {
		upper, lower := a.At(r, 0).Data, a.At(p.top+r, 0).Data
		sums := p.leftSums.At(r, 0).Data
		leftSums(sums[:half], sums[step:], sums[2*step:], sums[3*step:], upper, upper[half:], lower, lower[half:])
	}
	if p.Evenly {
		return
	}
	var next Prefetch
	if end := min(2*to-from, p.top); p.Contiguous && end > to {
		rows := func(from, to int) []float32 { return memory.Data[from*memory.Row : to*memory.Row] }
		next = PrefetchEvenly(rows(to, end), rows(p.top+to, p.top+end))
	}
	p.fetchDuring(next, 1)
}

// bandsFrom returns how many bands from row r of the halves on are computed by one list: those of whole tiles.
func (p *StrassenProduct) bandsFrom(r int) int {
	if p.Evenly || isa.Active() == isa.Generic {
		return 1
	}
	return max(1, (p.Product.Rows-p.top-r)/Tile().Rows)
}

// place computes four tiles of C: those that begin with row r of the upper half or of the lower one, and column j of
// the left half or of the right one; and the same for the given number of bands of rows.
func (p *StrassenProduct) place(steps []strassenStep, r, j, bands int) {
	p.count = 0
	for _, s := range steps {
		if lower := s.to == tileC21 || s.to == tileC22; lower && p.top+r >= p.Product.Rows {
			continue
		}
		p.multiply(s.factor, r, j)
		if s.to <= sharedTiles {
			p.keep(s)
		} else {
			p.finish(s, r, j)
		}
	}
	if p.count > 0 {
		p.kernel().run(p.list[:p.count], bands)
	}
	p.products += (bands - 1) * int(Factors)
}

// multiply has the next tile multiply two factors, and fetch its share of what is read next.
func (p *StrassenProduct) multiply(f Factor, r, j int) {
	t, shape := &p.tile, Tile()
	if t.depth = 0; f == noFactor {
		return
	}
	a := p.leftFactors[f].At(r, 0)
	t.left, t.depth = RowsOf(a.Data, a.Row), p.Product.Depth/2
	t.b.Data = p.RightFactors[f][j/shape.Cols*p.Product.Right.panel:]
	t.fetch(p.ahead.next(p.products, 1))
	t.ahead.perBand *= int(Factors)
	p.products++
}

// keep puts a shared tile in the list.
func (p *StrassenProduct) keep(s strassenStep) {
	t, shape := &p.tile, Tile()
	t.TileShape, t.flags, t.bandSteps = shape, 0, bandSteps{}
	t.c = View{p.shared[s.to], shape.Cols}
	p.start(s)
	p.append()
}

// start has the tile begin with what the step names.
func (p *StrassenProduct) start(s strassenStep) {
	t, row := &p.tile, Tile().Cols
	if s.from != noTile {
		t.flags |= flagAccumulate
		t.from = View{p.shared[s.from], row}
	}
	if s.add != noTile {
		t.flags |= flagAdd
		t.add, t.bandSteps.add = View{p.shared[s.add], row}, 0
	}
}

// finish puts a tile of C in the list.
func (p *StrassenProduct) finish(s strassenStep, r, j int) {
	t, shape := &p.tile, Tile()
	row, end := r, p.top
	if s.to == tileC21 || s.to == tileC22 {
		row, end = p.top+r, p.Product.Rows
	}
	if s.to == tileC12 || s.to == tileC22 {
		j += p.Apart
	}
	t.Rows, t.Cols, t.flags = min(shape.Rows, end-row), shape.Cols, p.flags
	t.c = p.Product.C.At(row, j)
	t.bandSteps = bandSteps{c: shape.Rows * p.Product.C.Row, add: shape.Rows * p.Product.Add.Row}
	if t.flags&flagBias != 0 {
		t.bias = p.Product.Bias[j:]
	}
	if t.flags&flagAdd != 0 {
		t.add = p.Product.Add.At(row, j)
	}
	if t.flags&flagSums != 0 {
		t.sums = p.Product.Sums.at(j)
	}
	p.start(s)
	p.append()
}

// append puts the tile at the end of the list. Without assembly there is none: the tile is computed.
func (p *StrassenProduct) append() {
	if isa.Active() == isa.Generic {
		p.tile.computePortably()
		return
	}
	p.list[p.count].set(&p.tile)
	p.count++
}

// kernel returns the kernel of whole tiles.
func (p *StrassenProduct) kernel() tileKernel {
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

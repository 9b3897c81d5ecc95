package kernels

import "unsafe"

// Strassen's form of a product (Winograd's variant: Knuth, "The Art of Computer Programming", volume 2, section 4.6.4) makes
// the quadrants of C = A·B of seven products of quadrants instead of eight:
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
// The tiles that lie at the same place of the four quadrants are made one after the other, so that what they share stays in
// the first-level cache and C is written once, as by the plain product. Sums of A's quadrants are made where A is gathered,
// those of B's where it is packed. Rounding errors grow to about twice those of the plain product.

// factor counts the seven factors of either side in the order in which they are used.
type factor int

const (
	factorU  factor = iota // A11·B11
	factor11               // A12·B21
	factorS2               // S2·T2
	factorS3               // S3·T3
	factor21               // A22·T4
	factorS1               // S1·T1
	factor12               // S4·B22
	factors
)

// quarteredProduct is a depth block of a product in Strassen's form. All rows of A up to the next whole tiles of its upper and
// of its lower half exist; the columns are an even number of whole panels, the depth is even.
type quarteredProduct struct {
	product
	top   int // rows of the upper half, those of the lower are as many or one less; a missing one is zero in A
	below int // from A11 to A21 in a

	source    []float32 // rows that are copied to a before they are used, nil if they are there
	sourceRow int
	whole     bool // rows lie in one piece without gaps, and the next are fetched while some are multiplied
	evenly    bool // what is read after this product is fetched during all of it

	leftSums        []float32 // S1 to S4, sumStep apart
	sumStep, sumRow int

	left  [factors]leftFactor
	right [factors][]float32 // columns of the left half's first panel, bPanel apart

	partial [3][]float32 // tiles: sums of products that several quadrants share
	tile    tile
	list    [factors + 3]tileCall // of the tiles at one place
	count   int                   // of them
	calls   int                   // products so far: for the same rows at the first panel, then for all others
}

// leftFactor is a quadrant of A or a sum of some, and the distance of its rows.
type leftFactor struct {
	data []float32
	row  int
}

// quarterSpace returns the scratch of a product whose sums S1 to S4 take so many floats each.
func quarterSpace(sum int) int {
	shape := tileFor(active)
	return 4*roundUp(sum, cacheLine) + 3*shape.rows*shape.cols
}

// takeSpace takes that scratch.
func (q *quarteredProduct) takeSpace(space *scratch, sum int) {
	q.sumStep = roundUp(sum, cacheLine)
	q.leftSums = space.take(4 * q.sumStep)
	shape := tileFor(active)
	for i := range q.partial {
		q.partial[i] = space.take(shape.rows * shape.cols)
	}
}

// run computes the product.
func (q *quarteredProduct) run() {
	shape, half := tileFor(active), q.depth/2
	q.top = ceilDiv(q.rows, 2)
	q.below, q.sumRow = q.top*q.aRow, gatheredRow(half)
	sum := func(i int) leftFactor { return leftFactor{q.leftSums[i*q.sumStep:], q.sumRow} }
	q.left = [factors]leftFactor{
		factorU: {q.a, q.aRow}, factor11: {q.a[half:], q.aRow}, factor21: {q.a[q.below+half:], q.aRow},
		factorS1: sum(0), factorS2: sum(1), factorS3: sum(2), factor12: sum(3),
	}
	q.tile = tile{aDepth: 1, bDepth: q.bDepth, sumsRow: q.sumsRow}
	if q.calls = 0; q.evenly {
		q.soonTiles = int(factors) * ceilDiv(q.top, shape.rows) * (q.cols / 2 / shape.cols)
	}
	if q.flags&flagAccumulate != 0 {
		q.add, q.addRow = q.c, q.cRow
		q.flags ^= flagAccumulate | flagAdd
	}
	for j := 0; j < q.cols/2; j += shape.cols {
		bands := 1
		for r := 0; r < q.top; r += bands * shape.rows {
			if j == 0 {
				q.prepareRows(r, min(r+shape.rows, q.top))
			} else {
				bands = q.bandsFrom(r)
			}
			q.tiles(r, j, bands)
		}
		if j == 0 && !q.evenly {
			q.calls, q.soonTiles = 0, 0
		}
	}
}

// prepareRows copies rows [from,to) of both halves to where they are read, makes their sums, and has the next ones fetched
// meanwhile.
func (q *quarteredProduct) prepareRows(from, to int) {
	memory, row, below := q.a, q.aRow, q.below
	if q.source != nil {
		memory, row, below = q.source, q.sourceRow, q.top*q.sourceRow
		copyRows(q.a[from*q.aRow:], q.aRow, memory[from*row:], row, to-from, q.depth)
		copyRows(q.a[q.below+from*q.aRow:], q.aRow, memory[below+from*row:], row, to-from, q.depth)
	}
	half, step := q.depth/2, q.sumStep
	for r := from; r < to; r++ {
		upper, lower := q.a[r*q.aRow:], q.a[q.below+r*q.aRow:]
		sums := q.leftSums[r*q.sumRow:]
		leftSums(sums[:half], sums[step:], sums[2*step:], sums[3*step:], upper, upper[half:], lower, lower[half:])
	}
	if q.evenly {
		return
	}
	q.calls, q.soonTiles = 0, 0
	if next := min(2*to-from, q.top); q.whole && next > to {
		q.soonTiles = int(factors)
		q.soon = [4][]float32{memory[to*row : next*row], memory[below+to*row : below+next*row]}
	}
}

// bandsFrom returns how many bands from row r of the halves on are computed by one list: those of whole tiles.
func (q *quarteredProduct) bandsFrom(r int) int {
	if q.evenly || active == Generic {
		return 1
	}
	return max(1, (q.rows-q.top-r)/tileFor(active).rows)
}

// tiles computes four tiles of C: those that begin with row r of the upper half or of the lower one, and column j of the left
// half or of the right one; and likewise for so many bands of rows.
func (q *quarteredProduct) tiles(r, j, bands int) {
	u, v, w := q.partial[0], q.partial[1], q.partial[2]
	right, lower, rest := q.cols/2+j, q.top+r, w
	q.count = 0
	q.share(u, nil, factorU, r, j)
	q.multiply(factor11, r, j)
	q.finish(u, nil, r, j)
	q.share(u, u, factorS2, r, j)
	q.share(v, u, factorS3, r, j)
	if lower < q.rows {
		q.multiply(factor21, r, j)
		q.finish(v, nil, lower, j)
	}
	q.share(w, nil, factorS1, r, j)
	q.tile.depth = 0
	if q.flags&flagAdd != 0 { // the place of w is taken
		rest = nil
		q.keep(u, u, w)
		q.keep(v, v, w)
	}
	if lower < q.rows {
		q.finish(v, rest, lower, right)
	}
	q.multiply(factor12, r, j)
	q.finish(u, rest, r, right)
	q.runList(bands)
}

// multiply has the next tile multiply two factors.
func (q *quarteredProduct) multiply(f factor, r, j int) {
	t, shape := &q.tile, tileFor(active)
	t.a, t.aRow = q.left[f].data[r*q.left[f].row:], q.left[f].row
	t.aBand = shape.rows * t.aRow
	t.b, t.depth = q.right[f][j/shape.cols*q.bPanel:], q.depth/2
	q.fetchNext()
}

// fetchNext gives the tile its share of what is read next, and the bands below it theirs.
func (q *quarteredProduct) fetchNext() {
	shape, t := tileFor(active), &q.tile
	others := int(factors) * ceilDiv(q.top, shape.rows) * (q.cols/2/shape.cols - 1)
	switch {
	case q.calls < q.soonTiles:
		q.fetch(t, q.calls, 1)
	case len(q.later) > 0 && q.calls < others:
		t.fetchShare(q.later, q.calls, others)
		t.soonBand *= int(factors)
	default:
		t.soon, t.soonDepth, t.soonBand = t.b, 0, 0
	}
	q.calls++
}

// share computes dst = from + a product, nil for no from.
func (q *quarteredProduct) share(dst, from []float32, f factor, r, j int) {
	q.multiply(f, r, j)
	q.keep(dst, from, nil)
}

// keep puts the tile dst = from + add + the product at hand in the list, all of them shared, nil for none.
func (q *quarteredProduct) keep(dst, from, add []float32) {
	t, shape := &q.tile, tileFor(active)
	t.rows, t.cols, t.flags = shape.rows, shape.cols, 0
	if from != nil {
		t.flags |= flagAccumulate
	}
	if add != nil {
		t.flags |= flagAdd
	}
	t.c, t.cRow, t.from, t.fromRow, t.add, t.addRow = dst, shape.cols, from, shape.cols, add, shape.cols
	call := q.append()
	call.cBand, call.fromBand, call.addBand = 0, 0, 0
}

// finish puts a tile of C in the list: from what is shared, nil for none, and the product at hand.
func (q *quarteredProduct) finish(from, more []float32, row, col int) {
	t, shape := &q.tile, tileFor(active)
	end := q.rows
	if row < q.top {
		end = q.top
	}
	t.rows, t.cols, t.flags = min(shape.rows, end-row), shape.cols, q.flags|flagAccumulate
	t.c, t.cRow, t.from, t.fromRow = q.c[row*q.cRow+col:], q.cRow, from, shape.cols
	if q.flags&flagBias != 0 {
		t.bias = q.bias[col:]
	}
	if q.flags&flagAdd != 0 {
		t.add, t.addRow = q.add[row*q.addRow+col:], q.addRow
	}
	if q.flags&flagSums != 0 {
		t.shift, t.sums = q.shift[col:], q.sums[col:]
	}
	if more != nil {
		t.flags |= flagAdd
		t.add, t.addRow = more, shape.cols
	}
	if !t.streams() {
		t.flags &^= flagStream
	}
	call := q.append()
	if call.fromBand = 0; more != nil {
		call.addBand = 0
	}
}

// append puts the tile at the end of the list. Without assembly there is none: the tile is computed.
func (q *quarteredProduct) append() *tileCall {
	call := &q.list[q.count]
	if active == Generic {
		q.tile.computePortably()
		return call
	}
	call.set(&q.tile)
	q.count++
	return call
}

// runList computes the tiles of the list, in so many bands.
func (q *quarteredProduct) runList(bands int) {
	kernel := kernel6x16AVX2
	if active == AVX512 {
		kernel = kernel12x32AVX512
	}
	if q.count > 0 {
		kernel.run(q.list[:q.count], bands)
	}
	q.calls += (bands - 1) * int(factors)
}

var leftSumKernels = [...]quadrantKernel{AVX2: leftSumsAVX2, AVX512: leftSumsAVX512}

var rightSumKernels = [...]quadrantKernel{AVX2: rightSumsAVX2, AVX512: rightSumsAVX512}

type quadrantKernel func(s1, s2, s3, s4, q11, q12, q21, q22 *float32, n int)

// leftSums makes S1 to S4 of values of the quadrants of A.
func leftSums(s1, s2, s3, s4, q11, q12, q21, q22 []float32) {
	if kernel := leftSumKernels[active]; kernel != nil {
		kernel.run(s1, s2, s3, s4, q11, q12, q21, q22)
		return
	}
	for i := range s1 {
		a11, a12, a21, a22 := q11[i], q12[i], q21[i], q22[i]
		sum := a21 + a22
		s1[i], s2[i], s3[i], s4[i] = sum, sum-a11, a11-a21, a12-(sum-a11)
	}
}

// rightSums makes T1 to T4 of values of the quadrants of B, of which any may be overwritten.
func rightSums(t1, t2, t3, t4, q11, q12, q21, q22 []float32) {
	if kernel := rightSumKernels[active]; kernel != nil {
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

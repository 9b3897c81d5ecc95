package kernels

// tileShape is the number of rows and columns of C that one kernel keeps in registers.
type tileShape struct{ rows, cols int }

// tileFor returns the largest tile of an instruction set. Smaller kernels serve the edges.
func tileFor(isa ISA) tileShape {
	switch isa {
	case AVX512:
		return tileShape{wideRows, wideCols}
	case AVX2:
		return tileShape{narrowRows, narrowCols}
	}
	return tileShape{portableRows, portableCols}
}

// The tile of computePortably.
const portableRows, portableCols = 4, 8

// narrowest is what the columns that a kernel reads are a multiple of.
const narrowest = 8

// tile is one call of a kernel:
//
//	for r < rows, j < cols:
//		sum := 0
//		for s < stretches, k < depth:
//			sum += left.data[s*left.stretch + r*left.row + k*left.step] * B(s*depth + k, j)
//		C(r,j) = max(sum + from(r,j) + bias[j] + add(r,j), 0)
//		sums.sums[j] += C(r,j) - sums.shift[j]
//		sums.sums[sums.row + j] += (C(r,j) - sums.shift[j])²
//
// with the terms the flags name. The same is then done for the bands of rows below it: each begins left.band further in
// A, and in the other matrices as far as bandSteps says. All rows of a tile shape are read from A, and all of its
// columns from B; whole vectors of shift and sums exist. Where A and B are pairs, the sum is that of addPairProduct.
type tile struct {
	tileShape
	depth, stretches int
	bands            int // 0 is 1
	flags            int
	pairs            bool // A and B hold pairs of bf16 values

	left         leftFactor
	b            view
	c, from, add view // from is most often C
	bandSteps    bandSteps
	bias         []float32
	sums         columnSums
	ahead        fetched
}

// bandSteps are the floats from one band to the next in each matrix, 0 where all bands share it.
type bandSteps struct{ c, from, add int }

// wideKernels are the kernels of AVX-512, for up to 3, 6, 9 and 12 rows and 8, 16, 24 and 32 columns.
var wideKernels = [4][4]tileKernel{
	{kernel6x8AVX512, kernel6x16AVX512, kernel6x24AVX512, kernel6x32AVX512},
	{kernel6x8AVX512, kernel6x16AVX512, kernel6x24AVX512, kernel6x32AVX512},
	{kernel9x8AVX512, kernel9x16AVX512, kernel9x24AVX512, kernel9x32AVX512},
	{kernel12x8AVX512, kernel12x16AVX512, kernel12x24AVX512, kernel12x32AVX512},
}

// compute runs the smallest kernel that holds the tile.
func (t *tile) compute() {
	if t.pairs {
		t.computePairs()
		return
	}
	if active == Generic {
		for i := range max(t.bands, 1) {
			band := t.bandAt(i)
			band.computePortably()
		}
		return
	}
	t.call(t.kernel())
}

// fetch sets what the tile fetches, and of how many bands.
func (t *tile) fetch(piece fetched, bands int) {
	if t.ahead, t.bands = piece, bands; piece.at == nil {
		t.ahead.at = t.b.data // which is read anyhow
	}
}

// kernel returns the smallest kernel that holds the tile.
func (t *tile) kernel() tileKernel {
	if active == AVX512 {
		return wideKernels[(t.rows-1)/3][(t.cols-1)/8]
	}
	switch {
	case t.rows <= 3 && t.cols <= 8:
		return kernel3x8AVX2
	case t.rows <= 3:
		return kernel3x16AVX2
	case t.cols <= 8:
		return kernel6x8AVX2
	}
	return kernel6x16AVX2
}

// bandAt returns the tile that is one of the bands.
func (t *tile) bandAt(index int) tile {
	band := *t
	band.bands = 1
	if index > 0 {
		band.left.data, band.c.data = t.left.data[index*t.left.band:], t.c.data[index*t.bandSteps.c:]
		if t.flags&flagAccumulate != 0 {
			band.from.data = t.from.data[index*t.bandSteps.from:]
		}
		if t.flags&flagAdd != 0 {
			band.add.data = t.add.data[index*t.bandSteps.add:]
		}
	}
	return band
}

// streams reports whether the tile may be stored past the caches.
func (t *tile) streams() bool {
	return t.rows == wideRows && t.cols == wideCols && active == AVX512 && t.c.row%cacheLine == 0 && aligned(t.c.data)
}

func (t *tile) call(kernel tileKernel) {
	var list [1]tileCall
	list[0].set(t)
	kernel.run(list[:], max(t.bands, 1))
}

// element returns A(r,k), for k over all stretches of the depth.
func (t *tile) element(r, k int) float32 {
	return t.left.data[k/t.depth*t.left.stretch+r*t.left.row+k%t.depth*t.left.step]
}

// computePortably is the tile in Go.
func (t *tile) computePortably() {
	var acc [portableRows][portableCols]float32
	for k := range t.stretches * t.depth {
		b := (*[portableCols]float32)(t.b.data[k*t.b.row:])
		for r := range acc {
			a := t.element(r, k)
			for j := range acc[r] {
				acc[r][j] += a * b[j]
			}
		}
	}
	for r := range t.rows {
		for j := range t.cols {
			t.store(r, j, acc[r][j])
		}
	}
}

// store adds the terms that the flags name to a sum, and stores it.
func (t *tile) store(r, j int, sum float32) {
	if t.flags&flagAccumulate != 0 {
		sum += t.from.data[r*t.from.row+j]
	}
	if t.flags&flagBias != 0 {
		sum += t.bias[j]
	}
	if t.flags&flagAdd != 0 {
		sum += t.add.data[r*t.add.row+j]
	}
	if t.flags&flagReLU != 0 {
		sum = max(sum, 0)
	}
	t.c.data[r*t.c.row+j] = sum
	if t.flags&flagSums != 0 {
		d := sum - t.sums.shift[j]
		t.sums.sums[j] += d
		t.sums.sums[t.sums.row+j] += d * d
	}
}

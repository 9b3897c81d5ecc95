package kernels

// tileShape is the number of rows and columns of C that one kernel keeps in registers.
type tileShape struct{ rows, cols int }

// tileFor returns the largest tile of an instruction set. Smaller kernels serve the edges.
func tileFor(isa ISA) tileShape {
	switch isa {
	case AVX512:
		return tileShape{12, 32}
	case AVX2:
		return tileShape{6, 16}
	}
	return tileShape{4, 8}
}

// narrowest is what the columns that a kernel reads are a multiple of.
const narrowest = 8

// The bits of a tile's flags, in the order in which they take effect.
const (
	flagAccumulate = 1 << iota // + from
	flagBias                   // + bias, one value per column
	flagAdd                    // + add
	flagReLU                   // max(·, 0)
	flagSums                   // sums += the columns of the result, see tile
	flagStream                 // C is stored past the caches, where a whole tile of whole cache lines is
)

// tile is one call of a kernel, strides in elements:
//
//	for r < rows, j < cols:
//		sum := 0
//		for s <= more, k < depth: sum += a[s*aMore + r*aRow + k*aDepth] * b[(s*depth + k)*bDepth + j]
//		c[r*cRow + j] = max(sum + from[r*fromRow + j] + bias[j] + add[r*addRow + j], 0)
//		sums[j] += c[r*cRow + j] - shift[j]
//		sums[sumsRow + j] += (c[r*cRow + j] - shift[j])²
//
// with the terms the flags name, and likewise the given number of bands of so many rows, each of which is aBand further in a
// and follows the one before in c, from and add. All rows of a tile shape are read from a, and all of its columns from b; whole vectors of
// shift and sums exist. Where a and b are pairs, the sum is that of addPairProduct.
type tile struct {
	depth             int
	a, b, c           []float32
	from              []float32 // most often c
	bias, add         []float32
	shift, sums       []float32
	sumsRow           int
	soon              []float32 // what is read after this tile, fetched at soonDepth floats a step
	soonDepth         int
	more, aMore       int // further stretches of the depth
	aRow, aDepth      int
	bDepth            int
	cRow, addRow      int
	fromRow           int
	rows, cols, flags int
	bands             int // 0 is 1
	aBand, soonBand   int
	pairs             bool // a and b hold pairs of bf16 values
}

// wideKernels are the kernels of AVX-512, for up to 3, 6, 9 and 12 rows and 8, 16, 24 and 32 columns.
var wideKernels = [4][4]tileKernel{
	{kernel6x8AVX512, kernel6x16AVX512, kernel6x24AVX512, kernel6x32AVX512},
	{kernel6x8AVX512, kernel6x16AVX512, kernel6x24AVX512, kernel6x32AVX512},
	{kernel9x8AVX512, kernel9x16AVX512, kernel9x24AVX512, kernel9x32AVX512},
	{kernel12x8AVX512, kernel12x16AVX512, kernel12x24AVX512, kernel12x32AVX512},
}

// compute runs the smallest kernel that holds the tile.
func (t *tile) compute() {
	if !t.streams() {
		t.flags &^= flagStream
	}
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
		band.a, band.c = t.a[index*t.aBand:], t.c[index*t.rows*t.cRow:]
		if t.flags&flagAccumulate != 0 {
			band.from = t.from[index*t.rows*t.fromRow:]
		}
		if t.flags&flagAdd != 0 {
			band.add = t.add[index*t.rows*t.addRow:]
		}
	}
	return band
}

// streams tells whether the tile may be stored past the caches.
func (t *tile) streams() bool {
	return t.rows == 12 && t.cols == 32 && active == AVX512 && t.cRow%cacheLine == 0 && aligned(t.c)
}

func (t *tile) call(kernel tileKernel) {
	var list [1]tileCall
	list[0].set(t)
	kernel.run(list[:], max(t.bands, 1))
}

// left returns an element of A, of which all stretches of the depth follow each other.
func (t *tile) left(r, k int) float32 {
	return t.a[k/t.depth*t.aMore+r*t.aRow+k%t.depth*t.aDepth]
}

// computePortably is the tile in Go.
func (t *tile) computePortably() {
	const rows, cols = 4, 8
	var acc [rows][cols]float32
	for k := range (t.more + 1) * t.depth {
		b := (*[cols]float32)(t.b[k*t.bDepth:])
		for r := range acc {
			a := t.left(r, k)
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
		sum += t.from[r*t.fromRow+j]
	}
	if t.flags&flagBias != 0 {
		sum += t.bias[j]
	}
	if t.flags&flagAdd != 0 {
		sum += t.add[r*t.addRow+j]
	}
	if t.flags&flagReLU != 0 {
		sum = max(sum, 0)
	}
	t.c[r*t.cRow+j] = sum
	if t.flags&flagSums != 0 {
		d := sum - t.shift[j]
		t.sums[j] += d
		t.sums[t.sumsRow+j] += d * d
	}
}

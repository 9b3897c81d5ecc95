package gemm

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// TileShape is the number of rows and columns of C that one kernel keeps in registers.
type TileShape struct{ Rows, Cols int }

// Tile returns the largest tile of the instruction set in use. Smaller kernels serve the edges.
func Tile() TileShape { return tileFor(isa.Active()) }

// tileFor returns the largest tile of an instruction set.
func tileFor(set isa.Set) TileShape {
	switch set {
	case isa.AVX512:
		return TileShape{wideRows, wideCols}
	case isa.AVX2:
		return TileShape{narrowRows, narrowCols}
	}
	return TileShape{portableRows, portableCols}
}

// The tile of computePortably.
const portableRows, portableCols = 4, 8

// ColumnUnit is the number of columns of B that kernels read at a time: of the last ones, up to the next multiple.
const ColumnUnit = 8

// tile is one call of a kernel:
//
//	for r < Rows, j < Cols:
//		sum := 0
//		for s < stretches, k < depth:
//			sum += left.Data[s*left.stretch + r*left.Row + k*left.step] * B(s*depth + k, j)
//		C(r,j) = max(sum + from(r,j) + bias[j] + add(r,j), 0)
//		sums.Sums[j] += C(r,j) - sums.Shift[j]
//		sums.Sums[sums.Row + j] += (C(r,j) - sums.Shift[j])²
//
// with the terms that the flags name. The kernel then does the same for the bands of rows below: each begins left.band
// further on in A, and as much further on in the other matrices as bandSteps says. It reads as many rows of A and
// columns of B as it is made for, and whole vectors of Shift and Sums. Where A and B are pairs, the sum is that of
// addPairProduct.
type tile struct {
	TileShape
	depth, stretches int
	bands            int // 0 is 1
	flags            int
	pairs            bool // A and B hold pairs of bf16 values

	left         LeftFactor
	b            View
	c, from, add View // from is most often C
	bandSteps    bandSteps
	bias         []float32
	sums         ColumnSums
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
	if isa.Active() == isa.Generic {
		for i := range max(t.bands, 1) {
			band := t.bandAt(i)
			band.computePortably()
		}
		return
	}
	t.call(t.kernel())
}

// fetch sets what the tile fetches, and the number of its bands.
func (t *tile) fetch(piece fetched, bands int) {
	if t.ahead, t.bands = piece, bands; piece.at == nil {
		t.ahead.at = t.b.Data // which the tile reads
	}
}

// kernel returns the smallest kernel that holds the tile.
func (t *tile) kernel() tileKernel {
	if isa.Active() == isa.AVX512 {
		return wideKernels[(t.Rows-1)/3][(t.Cols-1)/8]
	}
	switch {
	case t.Rows <= 3 && t.Cols <= 8:
		return kernel3x8AVX2
	case t.Rows <= 3:
		return kernel3x16AVX2
	case t.Cols <= 8:
		return kernel6x8AVX2
	}
	return kernel6x16AVX2
}

// bandAt returns the tile that is one of the bands.
func (t *tile) bandAt(index int) tile {
	band := *t
	band.bands = 1
	if index > 0 {
		band.left.Data, band.c.Data = t.left.Data[index*t.left.band:], t.c.Data[index*t.bandSteps.c:]
		if t.flags&flagAccumulate != 0 {
			band.from.Data = t.from.Data[index*t.bandSteps.from:]
		}
		if t.flags&flagAdd != 0 {
			band.add.Data = t.add.Data[index*t.bandSteps.add:]
		}
	}
	return band
}

// streams reports whether the tile may be stored past the caches.
func (t *tile) streams() bool {
	return t.Rows == wideRows && t.Cols == wideCols && isa.Active() == isa.AVX512 &&
		t.c.Row%mem.Line == 0 && mem.Aligned(t.c.Data)
}

func (t *tile) call(kernel tileKernel) {
	var list [1]tileCall
	list[0].set(t)
	kernel.run(list[:], max(t.bands, 1))
}

// element returns A(r,k), for k over all stretches of the depth.
func (t *tile) element(r, k int) float32 {
	return t.left.Data[k/t.depth*t.left.stretch+r*t.left.Row+k%t.depth*t.left.step]
}

// computePortably is the tile in Go.
func (t *tile) computePortably() {
	var acc [portableRows][portableCols]float32
	for k := range t.stretches * t.depth {
		b := (*[portableCols]float32)(t.b.Data[k*t.b.Row:])
		for r := range acc {
			a := t.element(r, k)
			for j := range acc[r] {
				acc[r][j] += a * b[j]
			}
		}
	}
	for r := range t.Rows {
		for j := range t.Cols {
			t.store(r, j, acc[r][j])
		}
	}
}

// store adds the terms that the flags name to the sum of an element, and stores it.
func (t *tile) store(r, j int, sum float32) {
	if t.flags&flagAccumulate != 0 {
		sum += t.from.Data[r*t.from.Row+j]
	}
	if t.flags&flagBias != 0 {
		sum += t.bias[j]
	}
	if t.flags&flagAdd != 0 {
		sum += t.add.Data[r*t.add.Row+j]
	}
	if t.flags&flagReLU != 0 {
		sum = max(sum, 0)
	}
	if t.flags&flagCap != 0 {
		sum = min(sum, 6)
	}
	t.c.Data[r*t.c.Row+j] = sum
	if t.flags&flagSums != 0 {
		d := sum - t.sums.Shift[j]
		t.sums.Sums[j] += d
		t.sums.Sums[t.sums.Row+j] += d * d
	}
}

func address(s []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(s))) }

// set fills in the call of a tile.
func (c *tileCall) set(t *tile) {
	const size = 4
	flags := t.flags
	if !t.streams() {
		flags &^= flagStream
	}
	if Tuned().Unroll {
		flags |= flagUnroll
	}
	*c = tileCall{
		depth: t.depth, stretches: t.stretches,
		a: address(t.left.Data), aRow: t.left.Row * size, aStep: t.left.step * size,
		aStretch: (t.left.stretch - t.depth*t.left.step) * size,
		b:        address(t.b.Data), bStep: t.b.Row * size,
		ahead: address(t.ahead.at), aheadStep: t.ahead.perStep * size,
		c: address(t.c.Data), cRow: t.c.Row * size,
		from: address(t.from.Data), fromRow: t.from.Row * size,
		add: address(t.add.Data), addRow: t.add.Row * size,
		bias: address(t.bias), shift: address(t.sums.Shift), sums: address(t.sums.Sums), sumsRow: t.sums.Row * size,
		rows: t.Rows, cols: t.Cols, flags: flags,
		aBand: t.left.band * size, aheadBand: t.ahead.perBand * size,
		cBand: t.bandSteps.c * size, fromBand: t.bandSteps.from * size, addBand: t.bandSteps.add * size,
	}
}

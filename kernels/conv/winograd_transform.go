package conv

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/isa"
)

// tileTransform is one of the transforms from a tile to the positions, or back: down the columns and across the lines.
// A turned one reads and writes lines of the image as columns.
type tileTransform struct {
	down, across matrix
	turned       bool
	spread       spreadKernels
	collect      collectKernels
}

// multiply returns the i-th value of the matrix times x, without the terms that have no weight.
func (m matrix) multiply(i int, x *[maxLine]float32) float32 {
	sum := 0.0
	for k, weight := range m[i] {
		if weight != 0 {
			sum += weight * float64(x[k])
		}
	}
	return float32(sum)
}

// maxLine is the largest number of positions of a line.
const maxLine = 10

// Assembly of the transforms, by instruction set; strides are in bytes.
type (
	spreadKernels  [isa.AVX512 + 1]spreadKernel
	collectKernels [isa.AVX512 + 1]collectKernel

	spreadKernel  func(dst *float32, dstStep int, src *float32, first, srcRow, srcCol, n int, rows, cols uint)
	collectKernel func(
		dst *float32, dstRow, dstCol int, src *float32, srcStep, n, rows, cols int, bias, add *float32, flags int)
)

// tileSource is a tile of n channels: pixel (i, j) is at first + i*row + j*col. Pixels outside of the bits rows and
// cols do not exist and count as zeros; first may be one of them and lie before the data. A whole filter has all its
// pixels.
type tileSource struct {
	data       []float32
	first      int
	row, col   int
	rows, cols uint
}

// allLines are the rows or columns of a tile without an edge.
const allLines = 1<<maxLine - 1

// turned exchanges rows and columns.
func (s tileSource) turned() tileSource {
	s.row, s.col, s.rows, s.cols = s.col, s.row, s.cols, s.rows
	return s
}

// spreadTile transforms a tile to lines of L positions; number k of these is at dst[k*dstStep]. With the matrices D and
// A, it equals, unless it is turned,
//
//	for i, j < L; c < n:
//		dst[(L*i+j)*dstStep + c] = Σ D[i][a] * A[j][b] * src[first + a*row + b*col + c] over rows a and columns b
func (t *tileTransform) spreadTile(dst []float32, dstStep int, src tileSource, n int) {
	if t.turned {
		src = src.turned()
	}
	if len(t.down) == 1 && src.rows&1 == 0 {
		src.cols = 0
	}
	const size = 4
	if kernel := t.spread[isa.Active()]; kernel != nil {
		kernel(unsafe.SliceData(dst), dstStep*size,
			unsafe.SliceData(src.data), src.first*size, src.row*size, src.col*size, n, src.rows, src.cols)
		return
	}
	t.spreadGeneric(dst, dstStep, &src, n)
}

func (t *tileTransform) spreadGeneric(dst []float32, dstStep int, src *tileSource, n int) {
	line := len(t.across)
	for c := range n {
		var half [maxLine][maxLine]float32
		for a := range t.down[0] {
			var x [maxLine]float32
			for b := range t.across[0] {
				if src.rows>>a&1 == 1 && src.cols>>b&1 == 1 {
					x[b] = src.data[src.first+a*src.row+b*src.col+c]
				}
			}
			for j := range line {
				half[j][a] = t.across.multiply(j, &x)
			}
		}
		for i := range t.down {
			for j := range line {
				dst[(line*i+j)*dstStep+c] = t.down.multiply(i, &half[j])
			}
		}
	}
}

// tileTarget is where a tile of n channels goes: pixel (i, j) is at i*row + j*col. Only the first rows and cols are
// stored. The flags name what is added before, bias[c] and the values of add, which lie as those of data do, and
// whether ReLU follows.
type tileTarget struct {
	data       []float32
	row, col   int
	rows, cols int
	bias, add  []float32
	flags      int
}

// apply applies an activation to n channels of the tile.
func (t *tileTarget) apply(kind act.Kind, n int) {
	if kind == act.None {
		return
	}
	for i := range t.rows {
		for j := range t.cols {
			pixel := t.data[i*t.row+j*t.col:][:n]
			act.Apply(kind, pixel, pixel)
		}
	}
}

// turned exchanges rows and columns.
func (t tileTarget) turned() tileTarget {
	t.row, t.col, t.rows, t.cols = t.col, t.row, t.cols, t.rows
	return t
}

// collectTile transforms lines of L positions back to a tile; D and A being the matrices, it equals, unless it is
// turned,
//
//	for i < rows, j < cols, c < n:
//		sum := Σ D[i][a] * A[j][b] * src[(L*a+b)*srcStep + c]
//		dst[i*row + j*col + c] = max(sum + bias[c] + add[i*row + j*col + c], 0)
//
// with the terms that the flags name.
func (t *tileTransform) collectTile(dst tileTarget, src []float32, srcStep, n int) {
	if t.turned {
		dst = dst.turned()
	}
	const size = 4
	if kernel := t.collect[isa.Active()]; kernel != nil {
		kernel(unsafe.SliceData(dst.data), dst.row*size, dst.col*size,
			unsafe.SliceData(src), srcStep*size, n, dst.rows, dst.cols,
			unsafe.SliceData(dst.bias), unsafe.SliceData(dst.add), dst.flags)
		return
	}
	t.collectGeneric(&dst, src, srcStep, n)
}

func (t *tileTransform) collectGeneric(dst *tileTarget, src []float32, srcStep, n int) {
	line := len(t.across[0])
	for c := range n {
		var half [maxLine][maxLine]float32
		for b := range line {
			var x [maxLine]float32
			for a := range t.down[0] {
				x[a] = src[(line*a+b)*srcStep+c]
			}
			for i := range t.down {
				half[i][b] = t.down.multiply(i, &x)
			}
		}
		for i := range dst.rows {
			for j := range dst.cols {
				sum, at := t.across.multiply(j, &half[i]), i*dst.row+j*dst.col+c
				if dst.flags&flagBias != 0 {
					sum += dst.bias[c]
				}
				if dst.flags&flagAdd != 0 {
					sum += dst.add[at]
				}
				if dst.flags&flagReLU != 0 {
					sum = max(sum, 0)
				}
				dst.data[at] = sum
			}
		}
	}
}

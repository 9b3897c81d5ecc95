package gemm

import (
	"math"
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
)

// A bf16 is the upper half of a float32: its sign, its exponent, and 8 bits of precision. Products of bf16 work on
// pairs of neighbours in the depth. A pair takes the place of one float32: the first in the lower half of its bits, the
// second in the upper half. So pairs lie in []float32 and are moved as other values are, but nothing computes with them
// as float32.

// roundBF16 returns the bf16 nearest to v, and of two the even one. NaNs stay NaNs and become quiet; subnormal numbers
// become zeros with their sign. VCVTNE2PS2BF16 does the same.
func roundBF16(v float32) uint32 {
	bits := math.Float32bits(v)
	switch {
	case v != v:
		return bits>>16 | 0x40
	case bits&0x7f800000 == 0:
		return bits >> 16 & 0x8000
	}
	return (bits + 0x7fff + bits>>16&1) >> 16
}

func pairBF16(first, second float32) float32 {
	return math.Float32frombits(roundBF16(first) | roundBF16(second)<<16)
}

// addPairProduct returns sum + a₁·b₁ + a₀·b₀, rounded to float32 after each addition, not before. Subnormal sums become
// zeros. VDPBF16PS does the same.
func addPairProduct(sum, a, b float32) float32 {
	x, y := math.Float32bits(a), math.Float32bits(b)
	sum = addProduct(sum, math.Float32frombits(x&^0xffff), math.Float32frombits(y&^0xffff))
	return addProduct(sum, math.Float32frombits(x<<16), math.Float32frombits(y<<16))
}

// addProduct returns sum + a·b for two bf16. In float64 their product is exact, and where its sum with a float32 is
// not, that is much closer to a float32 than to the middle between two: rounding twice is the same as rounding once.
func addProduct(sum, a, b float32) float32 {
	return flushSubnormal(float32(float64(flushSubnormal(sum)) + float64(flushSubnormal(a))*float64(flushSubnormal(b))))
}

// flushSubnormal returns zero for a subnormal number.
func flushSubnormal(v float32) float32 {
	if bits := math.Float32bits(v); bits&0x7f800000 == 0 {
		return math.Float32frombits(bits & 0x80000000)
	}
	return v
}

// PairColumns rounds a matrix to pairs of neighbouring columns, the last with a zero if their number is odd:
//
//	for r < rows, j < cols, j even: dst[r*dstRow + j/2] = pair(src[r*srcRow + j], src[r*srcRow + j+1])
//
// pair(a, b) has the bf16 nearest to a in the lower half of its bits, and the one nearest to b in the upper half. dst
// may be src, with the same distance of rows.
func PairColumns(dst []float32, dstRow int, src []float32, srcRow, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	if isa.Active() == isa.AVX512 && isa.HasBF16() {
		const size = 4
		pairColumnsBF16(unsafe.SliceData(dst), dstRow*size, unsafe.SliceData(src), srcRow*size, rows, cols)
		return
	}
	for r := range rows {
		row := src[r*srcRow:][:cols]
		for j := 0; j < cols; j += 2 {
			second := float32(0)
			if j+1 < cols {
				second = row[j+1]
			}
			dst[r*dstRow+j/2] = pairBF16(row[j], second)
		}
	}
}

// PairRows rounds a matrix to pairs of neighbouring rows, the last with zeros if their number is odd:
//
//	for r < rows, r even, j < cols: dst[r/2*dstRow + j] = pair(src[r*srcRow + j], src[(r+1)*srcRow + j])
func PairRows(dst []float32, dstRow int, src []float32, srcRow, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	if isa.Active() == isa.AVX512 && isa.HasBF16() {
		const size = 4
		if rows > 1 {
			pairRowsBF16(unsafe.SliceData(dst), dstRow*size, unsafe.SliceData(src), srcRow*size, rows/2, cols, 1)
		}
		if rows%2 != 0 {
			last, single := unsafe.SliceData(dst[rows/2*dstRow:]), unsafe.SliceData(src[(rows-1)*srcRow:])
			pairRowsBF16(last, dstRow*size, single, srcRow*size, 1, cols, 0)
		}
		return
	}
	for r := 0; r < rows; r += 2 {
		for j, first := range src[r*srcRow:][:cols] {
			second := float32(0)
			if r+1 < rows {
				second = src[(r+1)*srcRow+j]
			}
			dst[r/2*dstRow+j] = pairBF16(first, second)
		}
	}
}

// computePairs runs the smallest kernel for pairs that holds the tile.
func (t *tile) computePairs() {
	switch {
	case isa.Active() != isa.AVX512 || !isa.HasBF16():
		for i := range max(t.bands, 1) {
			band := t.bandAt(i)
			band.computePairsPortably()
		}
	case t.Rows <= 6 && t.Cols <= 16:
		t.call(kernel6x16BF16)
	case t.Rows <= 6:
		t.call(kernel6x32BF16)
	case t.Cols <= 16:
		t.call(kernel12x16BF16)
	default:
		t.call(kernel12x32BF16)
	}
}

// computePairsPortably is the tile of pairs in Go.
func (t *tile) computePairsPortably() {
	for r := range t.Rows {
		for j := range t.Cols {
			sum := float32(0)
			for k := range t.stretches * t.depth {
				sum = addPairProduct(sum, t.element(r, k), t.b.Data[k*t.b.Row+j])
			}
			t.store(r, j, sum)
		}
	}
}

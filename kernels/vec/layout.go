package vec

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
)

// CopyRows copies a matrix: for r < rows,
//
//	copy(dst[r*dstRow:], src[r*srcRow:][:cols])
func CopyRows(dst []float32, dstRow int, src []float32, srcRow, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	const size = 4
	switch isa.Active() {
	case isa.AVX512:
		copyRowsAVX512(unsafe.SliceData(dst), dstRow*size, unsafe.SliceData(src), srcRow*size, rows, cols)
	case isa.AVX2:
		copyRowsAVX2(unsafe.SliceData(dst), dstRow*size, unsafe.SliceData(src), srcRow*size, rows, cols)
	default:
		for r := range rows {
			copy(dst[r*dstRow:], src[r*srcRow:][:cols])
		}
	}
}

// TransposeRows turns rows into columns: for r < rows and k < cols,
//
//	dst[k*dstRow + r] = src[r*srcRow + k]
func TransposeRows(dst []float32, dstRow int, src []float32, srcRow, rows, cols int) {
	const size, block = 4, 8
	r := 0
	if whole := cols / block * block; isa.Active() != isa.Generic && whole > 0 {
		for ; r+block <= rows; r += block {
			to, from := unsafe.SliceData(dst[r:]), unsafe.SliceData(src[r*srcRow:])
			transpose8AVX2(to, dstRow*size, from, srcRow*size, whole/block)
			for i := r; i < r+block; i++ {
				for k := whole; k < cols; k++ {
					dst[k*dstRow+i] = src[i*srcRow+k]
				}
			}
		}
	}
	for ; r < rows; r++ {
		for k, v := range src[r*srcRow:][:cols] {
			dst[k*dstRow+r] = v
		}
	}
}

// AddRows adds up the rows of a matrix: for r < rows and j < cols,
//
//	dst[j] += src[r*srcRow + j]
//
// For rows that lie one after the other, see [SumChannels].
func AddRows(dst, src []float32, srcRow, rows, cols int) {
	if rows == 0 {
		return
	}
	const size = 4
	j := 0
	switch isa.Active() {
	case isa.AVX512:
		addRowsAVX512(unsafe.SliceData(dst), unsafe.SliceData(src), srcRow*size, rows, cols/16)
		j = cols / 16 * 16
	case isa.AVX2:
		addRowsAVX2(unsafe.SliceData(dst), unsafe.SliceData(src), srcRow*size, rows, cols/8)
		j = cols / 8 * 8
	}
	for r := 0; r < rows && j < cols; r++ {
		for i, v := range src[r*srcRow+j : r*srcRow+cols] {
			dst[j+i] += v
		}
	}
}

package gemm

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// PanelSize returns the floats of B in panels.
func PanelSize(cols, depth int) int { return mem.RoundUp(cols, Tile().Cols) * depth }

// PackTransposed packs Bᵀ, a row-major matrix, into panels of U = Tile().Cols columns:
//
//	for k < depth, j < cols: dst[j/U*depth*U + k*U + j%U] = src[j*srcRow + k]
//
// Columns that fill no panel are zeros.
func PackTransposed(dst, src []float32, srcRow, depth, cols int) {
	width := Tile().Cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		vec.TransposeRows(panel, width, src[j*srcRow:], srcRow, n, depth)
		ZeroColumns(panel, width, n, depth)
	}
}

// Pack packs B, a row-major matrix, into panels of U = Tile().Cols columns:
//
//	for k < depth, j < cols: dst[j/U*depth*U + k*U + j%U] = src[k*srcRow + j]
//
// Columns that fill no panel are zeros.
func Pack(dst, src []float32, srcRow, depth, cols int) {
	width := Tile().Cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		vec.CopyRows(panel, width, src[j:], srcRow, depth, n)
		ZeroColumns(panel, width, n, depth)
	}
}

// ZeroColumns clears the columns of a panel from first on. They are multiplied but not stored, and garbage among them,
// such as subnormal numbers, could be slow:
//
//	for k < rows, first <= j < width: panel[k*width + j] = 0
func ZeroColumns(panel []float32, width, first, rows int) {
	if first == width {
		return
	}
	for k := range rows {
		clear(panel[k*width+first : (k+1)*width])
	}
}

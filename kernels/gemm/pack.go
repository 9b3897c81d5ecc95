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

// PackByRows is [Pack] in the order of src: row by row, for matrices whose rows are far apart.
func PackByRows(dst, src []float32, srcRow, depth, cols int) {
	packPanels(dst, src, srcRow, depth, cols, Tile().Cols)
}

// PackColumns packs Aᵀ, a row-major matrix whose columns are the rows of A, for [BandsOf]: into panels of
// T = Tile().Rows rows,
//
//	for k < depth, r < rows: dst[r/T*depth*T + k*T + r%T] = src[k*srcRow + r]
//
// Rows that fill no panel are zeros.
func PackColumns(dst, src []float32, srcRow, depth, rows int) {
	packPanels(dst, src, srcRow, depth, rows, Tile().Rows)
}

// packPanels cuts the rows of a matrix, and puts the pieces of the given width one below the other, panel by panel.
func packPanels(dst, src []float32, srcRow, depth, cols, width int) {
	whole, size := cols/width, depth*width
	for k := range depth {
		vec.CopyRows(dst[k*width:], size, src[k*srcRow:], width, whole, width)
	}
	if rest := cols % width; rest > 0 {
		panel := dst[whole*size:][:size]
		vec.CopyRows(panel, width, src[whole*width:], srcRow, depth, rest)
		ZeroColumns(panel, width, rest, depth)
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

package gemm

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// PanelSize returns the length of B in panels.
func PanelSize(cols, depth int) int { return mem.RoundUp(cols, TileFor(isa.Active()).Cols) * depth }

// PackTransposed packs rows of B, given as the columns of a row-major matrix, into panels: with U columns a panel,
// dst[j/U*depth*U + k*U + j%U] = src[j*srcRow + k]. Of a last panel whole multiples of narrowest are read.
func PackTransposed(dst, src []float32, srcRow, depth, cols int) {
	width := TileFor(isa.Active()).Cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		vec.TransposeRows(panel, width, src[j*srcRow:], srcRow, n, depth)
		ZeroColumns(panel, width, n, depth)
	}
}

// PackPlain packs a row-major B into panels: dst[j/U*depth*U + k*U + j%U] = src[k*srcRow + j].
func PackPlain(dst, src []float32, srcRow, depth, cols int) {
	width := TileFor(isa.Active()).Cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		vec.CopyRows(panel, width, src[j:], srcRow, depth, n)
		ZeroColumns(panel, width, n, depth)
	}
}

// ZeroColumns clears the columns from first on, which are multiplied but not stored: garbage there could be slow.
func ZeroColumns(panel []float32, width, first, rows int) {
	if first == width {
		return
	}
	for k := range rows {
		clear(panel[k*width+first : (k+1)*width])
	}
}

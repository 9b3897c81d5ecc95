package kernels

// panelSize returns the length of B in panels.
func panelSize(cols, depth int) int { return roundUp(cols, tileFor(active).cols) * depth }

// packTransposed packs rows of B, given as the columns of a row-major matrix, into panels: with U columns a panel,
// dst[j/U*depth*U + k*U + j%U] = src[j*srcRow + k]. Of a last panel whole multiples of narrowest are read.
func packTransposed(dst, src []float32, srcRow, depth, cols int) {
	width := tileFor(active).cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		transposeRows(panel, width, src[j*srcRow:], srcRow, n, depth)
		zeroColumns(panel, width, n, depth)
	}
}

// packPlain packs a row-major B into panels: dst[j/U*depth*U + k*U + j%U] = src[k*srcRow + j].
func packPlain(dst, src []float32, srcRow, depth, cols int) {
	width := tileFor(active).cols
	for j := 0; j < cols; j += width {
		panel := dst[j*depth:][:depth*width]
		n := min(width, cols-j)
		copyRows(panel, width, src[j:], srcRow, depth, n)
		zeroColumns(panel, width, n, depth)
	}
}

// zeroColumns clears the columns from first on, which are multiplied but not stored: garbage there could be slow.
func zeroColumns(panel []float32, width, first, rows int) {
	if first == width {
		return
	}
	for k := range rows {
		clear(panel[k*width+first : (k+1)*width])
	}
}

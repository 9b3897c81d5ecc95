package attention

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
)

// roundedSize returns the floats of the largest operand in pairs: a matrix of tokens, or one of tokens × tokens in
// pairs of columns or rows.
func (a *Attention) roundedSize() int {
	if !a.pairs {
		return 0
	}
	tokens, dim := a.s.Tokens, a.s.HeadDim
	halfDim, halfTokens := mem.CeilDiv(dim, 2), mem.CeilDiv(tokens, 2)
	return max(tokens*mem.PaddedRow(halfDim), tokens*mem.PaddedRow(halfTokens), halfTokens*mem.PaddedRow(tokens))
}

// byRowsOfPairs is byRows in pairs of elements.
func (h *attentionHead) byRowsOfPairs(c []float32, left, right Rows) {
	tokens, dim, depth := h.s.Tokens, h.s.HeadDim, mem.CeilDiv(h.s.HeadDim, 2)
	row := mem.PaddedRow(depth)
	gemm.PairColumns(h.rounded, row, h.Attention.head(right, h.head), right.Stride, tokens, dim)
	gemm.PackTransposed(h.packed, h.rounded, row, depth, tokens)
	gemm.PairColumns(h.rounded, row, h.Attention.head(left, h.head), left.Stride, tokens, dim)
	p := gemm.SmallProduct(tokens, tokens, depth, h.packed)
	p.Pairs, p.Left, p.C = true, gemm.RowsOf(h.rounded, row).WithEdge(h.edge), gemm.View{Data: c, Row: h.row}
	p.Run()
}

// byPairsOfTokens is byTokens in pairs of tokens.
func (h *attentionHead) byPairsOfTokens(c Rows, weights []float32, transposed bool, right Rows) {
	tokens, dim, depth := h.s.Tokens, h.s.HeadDim, mem.CeilDiv(h.s.Tokens, 2)
	width := gemm.Tile().Cols
	for j := 0; j < dim; j += width {
		src := h.Attention.head(right, h.head)[j:]
		gemm.PairRows(h.packed[j*depth:], width, src, right.Stride, tokens, min(width, dim-j))
	}
	p := gemm.SmallProduct(tokens, dim, depth, h.packed)
	p.Pairs, p.C = true, gemm.View{Data: h.Attention.head(c, h.head), Row: c.Stride}
	if transposed {
		row := mem.PaddedRow(tokens)
		gemm.PairRows(h.rounded, row, weights, h.row, tokens, tokens)
		p.Left = gemm.ColumnsOf(h.rounded, row).WithEdge(h.edge)
	} else {
		row := mem.PaddedRow(depth)
		gemm.PairColumns(h.rounded, row, weights, h.row, tokens, tokens)
		p.Left = gemm.RowsOf(h.rounded, row).WithEdge(h.edge)
	}
	p.Run()
}

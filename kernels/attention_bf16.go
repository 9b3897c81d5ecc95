package kernels

// roundedSize returns the floats of the largest operand in pairs: a matrix of tokens, or one of tokens × tokens in
// pairs of columns or rows.
func (a *Attention) roundedSize() int {
	if !a.pairs {
		return 0
	}
	tokens, dim := a.s.Tokens, a.s.HeadDim
	halfDim, halfTokens := ceilDiv(dim, 2), ceilDiv(tokens, 2)
	return max(tokens*gatheredRow(halfDim), tokens*gatheredRow(halfTokens), halfTokens*gatheredRow(tokens))
}

// byRowsOfPairs is byRows in pairs of elements.
func (h *attentionHead) byRowsOfPairs(c []float32, left, right Rows) {
	tokens, dim, depth := h.s.Tokens, h.s.HeadDim, ceilDiv(h.s.HeadDim, 2)
	row := gatheredRow(depth)
	pairColumns(h.rounded, row, h.Attention.head(right, h.head), right.Stride, tokens, dim)
	packTransposed(h.packed, h.rounded, row, depth, tokens)
	pairColumns(h.rounded, row, h.Attention.head(left, h.head), left.Stride, tokens, dim)
	p := smallProduct(tokens, tokens, depth, h.packed)
	p.pairs, p.left, p.c = true, rowsOf(h.rounded, row).withEdge(h.edge), view{c, h.row}
	p.run()
}

// byPairsOfTokens is byTokens in pairs of tokens.
func (h *attentionHead) byPairsOfTokens(c Rows, weights []float32, transposed bool, right Rows) {
	tokens, dim, depth := h.s.Tokens, h.s.HeadDim, ceilDiv(h.s.Tokens, 2)
	width := tileFor(active).cols
	for j := 0; j < dim; j += width {
		src := h.Attention.head(right, h.head)[j:]
		pairRows(h.packed[j*depth:], width, src, right.Stride, tokens, min(width, dim-j))
	}
	p := smallProduct(tokens, dim, depth, h.packed)
	p.pairs, p.c = true, view{h.Attention.head(c, h.head), c.Stride}
	if transposed {
		row := gatheredRow(tokens)
		pairRows(h.rounded, row, weights, h.row, tokens, tokens)
		p.left = columnsOf(h.rounded, row).withEdge(h.edge)
	} else {
		row := gatheredRow(depth)
		pairColumns(h.rounded, row, weights, h.row, tokens, tokens)
		p.left = rowsOf(h.rounded, row).withEdge(h.edge)
	}
	p.run()
}

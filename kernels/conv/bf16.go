package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// How operands are rounded to pairs: in strips that stay in the first-level cache.
const (
	pairStrip = 8  // rows that are gathered before they are rounded
	pairChunk = 64 // pairs of a panel's columns that are rounded before they are turned
)

// usePairs lets a convolution multiply pairs of bf16, in Winograd's forms as well: there the transforms of the factors
// are rounded, which makes the errors 1.7 times those of the plain sum of pairs in the forward pass, and 5 times in the
// gradients. For filters of one line, whose forms magnify the rounding more, there is the plain sum. Depthwise
// convolutions and the kernels for small groups stay as they are.
func (c *Conv) usePairs() {
	c.jointProduct = nil
	c.forward.pairs = true
	for i := range c.data {
		c.data[i].pairs = c.data[i].pairsWithinTaps()
	}
	c.weights.pairs = true
	c.lined = nil
	if c.s.KH == 1 || c.s.KW == 1 {
		c.winograd = winogradForms{}
	}
	if c.winograd.weights != nil {
		c.winograd.weights.pairs = true
	}
}

// pairsWithinTaps reports whether no pair of a gradient's depth consists of two taps.
func (p *implicitProduct) pairsWithinTaps() bool { return p.kh*p.kw <= 1 || p.channels%2 == 0 }

// pairSpace returns the floats of scratch that rounding needs.
func (p *implicitProduct) pairSpace() int {
	if !p.pairs {
		return 0
	}
	return mem.RoundUp(max(pairStrip*pairStripRow(p.blockDepth()), gemm.Tile().Cols*pairChunk), mem.Line)
}

// pairStripRow is the distance of rows that become the given number of pairs.
func pairStripRow(pairs int) int { return mem.PaddedRow(2 * pairs) }

// fillPairs rounds the pairs [k0,k1) of the columns of the given rows to dst.
func (g *gather) fillPairs(dst []float32, dstRow, row, rows, k0, k1 int, space []float32) {
	lo, hi := 2*k0, min(2*k1, g.depth())
	if g.plain() {
		gemm.PairColumns(dst, dstRow, g.src[row*g.pixel+g.first+lo:], g.pixel, rows, hi-lo)
		return
	}
	stripRow := pairStripRow(k1 - k0)
	for r := 0; r < rows; r += pairStrip {
		strip := min(pairStrip, rows-r)
		g.fill(space, stripRow, row+r, strip, lo, hi)
		gemm.PairColumns(dst[r*dstRow:], dstRow, space, stripRow, strip, hi-lo)
	}
}

// packPairs writes the pairs [k0,k1) of the panel that begins with column j. Columns that fill no panel are left as
// they are: what is multiplied but not stored costs the same whatever it is.
func (p *implicitProduct) packPairs(dst []float32, group, j, k0, k1 int, space []float32) {
	width := gemm.Tile().Cols
	cols := min(width, p.cols-j)
	if p.transposed {
		for k := k0; k < k1; k += pairChunk {
			pairs := min(pairChunk, k1-k)
			src := p.weights[(group*p.cols+j)*p.weightStride+2*k:]
			gemm.PairColumns(space, pairChunk, src, p.weightStride, cols, min(2*pairs, p.depth()-2*k))
			vec.TransposeRows(dst[(k-k0)*width:], width, space, pairChunk, cols, pairs)
		}
		return
	}
	for k, end := 2*k0, min(2*k1, p.depth()); k < end; {
		tap, o := k/p.channels, k%p.channels
		run := min(p.channels-o, end-k)
		src := p.weights[(group*p.channels+o)*p.weightStride+p.tapOffsets[tap]+j:]
		gemm.PairRows(dst[(k/2-k0)*width:], width, src, p.weightStride, run, cols)
		k += run
	}
}

// pairedWeights is a weight gradient as a product of bf16 pairs: two neighbouring pixels make a pair. The work is cut
// as for floats.
type pairedWeights struct{ *weightProduct }

// blockPairs returns the pairs of a block.
func (p pairedWeights) blockPairs() int { return mem.CeilDiv(min(pixelBlock, p.pixels()), 2) }

// takeScratch takes what a task needs besides its operands: both factors in pairs, and a strip of pixels that are
// rounded.
func (p pairedWeights) takeScratch(space *mem.Scratch) (columns, rows, strip []float32) {
	return space.Take(p.blockPairs() * p.widestRow()), space.Take(p.blockPairs() * p.roundedRow()),
		space.Take(pairStrip * p.widestRow())
}

func (p pairedWeights) workerSize() int {
	space := mem.CountingScratch()
	p.takeScratch(&space)
	return space.Size()
}

// roundedRow is the distance of the rounded rows, with room for those of the last tile.
func (p pairedWeights) roundedRow() int {
	return mem.PaddedRow(mem.RoundUp(min(p.rows, weightRows), gemm.Tile().Rows))
}

// multiply computes one task.
func (p pairedWeights) multiply(task int, ws []float32) {
	t := p.task(task)
	depth, pixel := p.depth(), p.groups*p.rows
	source := p.gather
	source.first += t.group * p.channels
	space := mem.NewScratch(ws)
	columns, rows, strip := p.takeScratch(&space)
	m := gemm.Product{Pairs: true, Cols: t.cols}
	m.Left, m.Right = gemm.ColumnsOf(rows, p.roundedRow()), gemm.MatrixOf(columns, p.gatheredRow())
	m.Accumulate = t.add
	for at := t.begin; at < t.end; at += pixelBlock {
		pixels := min(pixelBlock, t.end-at)
		m.Depth = mem.CeilDiv(pixels, 2)
		source.fillPixelPairs(columns, p.gatheredRow(), at, pixels, t.col, t.col+t.cols, strip)
		for o := t.row; o < t.row+t.rows; o += weightRows {
			m.Rows = min(weightRows, t.row+t.rows-o)
			m.C = gemm.View{Data: t.dst[(t.group*p.rows+o)*depth+t.col:], Row: depth}
			gemm.PairRows(rows, p.roundedRow(), p.dy[at*pixel+t.group*p.rows+o:], pixel, pixels, m.Rows)
			m.Ahead = p.readAfter(&t, at, o)
			m.Run()
		}
		m.Accumulate = true
	}
}

// fillPixelPairs rounds the columns [k0,k1) of the given rows, pair by pair, to dst.
func (g *gather) fillPixelPairs(dst []float32, dstRow, row, rows, k0, k1 int, space []float32) {
	if g.plain() {
		gemm.PairRows(dst, dstRow, g.src[row*g.pixel+g.first+k0:], g.pixel, rows, k1-k0)
		return
	}
	for r := 0; r < rows; r += pairStrip {
		strip := min(pairStrip, rows-r)
		g.fill(space, dstRow, row+r, strip, k0, k1)
		gemm.PairRows(dst[r/2*dstRow:], dstRow, space, dstRow, strip, k1-k0)
	}
}

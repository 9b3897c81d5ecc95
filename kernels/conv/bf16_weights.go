package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// pairedWeights is a weight gradient as a product of bf16 pairs: two neighbouring pixels make a pair. The work is cut
// as for floats.
type pairedWeights struct{ *weightProduct }

// blockPairs returns the pairs of a block.
func (p pairedWeights) blockPairs() int { return mem.CeilDiv(min(pixelBlock, p.pixels()), 2) }

// takeScratch takes what a task needs besides its operands: both factors in pairs, and a strip of pixels that are
// rounded.
func (p pairedWeights) takeScratch(space *mem.Scratch) (columns, rows, strip []float32) {
	return space.Take(p.blockPairs() * p.gatheredRow()), space.Take(p.blockPairs() * p.roundedRow()),
		space.Take(pairStrip * p.gatheredRow())
}

func (p pairedWeights) workerSize() int {
	space := mem.CountingScratch()
	p.takeScratch(&space)
	return space.Size()
}

// roundedRow is the distance of the rounded rows, with room for those of the last tile.
func (p pairedWeights) roundedRow() int {
	return mem.PaddedRow(mem.RoundUp(min(p.rows, weightRows), gemm.TileFor(isa.Active()).Rows))
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

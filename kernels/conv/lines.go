package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Windows of few channels are not gathered: copies of a few floats each would take as long as the product. They are
// read from copies of the lines in which they lie, padding included. There a line of a window is a stretch of
// neighbouring floats, at a fixed distance from that of the next position. In the forward pass every line of positions
// ends with a tile of its own, and with a stride of 1 nothing is won.
const (
	maxLinedChannels   = 4
	minLinedPositions  = 48 // in a line, forward
	minSummedPositions = 24 // the same in weight gradients
)

// lined reports whether windows can be read from copies of lines.
func (g *gather) lined() bool {
	return g.channels == g.pixel && g.channels <= maxLinedChannels && !g.plain()
}

// lineSize returns the length of the copy of a line that the given number of windows read, and those that fill the last
// tile.
func (g *gather) lineSize(windows int) int {
	return mem.RoundUp(((windows+gemm.Tile().Rows)*g.sw+g.kw)*g.channels, mem.Line)
}

// fillLine copies the line that the windows [x,x+windows) of line y of image n read with row ky of their taps.
func (g *gather) fillLine(dst []float32, n, y, ky, x, windows int) {
	dst = dst[:((windows-1)*g.sw+g.kw)*g.channels]
	if iy := g.top + y*g.sh + ky; iy >= 0 && iy < g.h {
		g.fillClipped(dst, (n*g.h+iy)*g.w, g.left+x*g.sw, 0)
	} else {
		clear(dst)
	}
}

// laterLines returns lines that the next block reads, after line y of positions.
func (p *implicitProduct) laterLines(n, y int) []float32 {
	line, size := n*p.h+(y+mem.CeilDiv(rowBlock, p.outW))*p.sh, p.w*p.pixel
	return p.src[min(line*size, len(p.src)):min((line+p.sh)*size, len(p.src))]
}

// multipliesLines reports whether the product reads its rows from copies of lines.
func (p *implicitProduct) multipliesLines() bool {
	return p.lined() && p.sw > 1 && p.outW >= minLinedPositions &&
		!p.pairs && !p.inStrassenForm() && p.blockDepth() == p.steps()
}

// multiplyLines multiplies all of the depth, one line of positions after the other.
func (b *productBlock) multiplyLines() {
	g, end := &b.source, b.row+b.m.Rows
	for row := b.row; row < end; {
		x, y, n := row%g.outW, row/g.outW%g.outH, row/(g.outW*g.outH)
		m := b.m
		m.DropRows(row - b.row)
		m.Rows = min(g.outW-x, m.Rows)
		size := g.lineSize(m.Rows)
		for ky := range g.kh {
			g.fillLine(b.gathered[ky*size:], n, y, ky, x, m.Rows)
		}
		m.Depth, m.Stretches = g.kw*g.channels, g.kh
		m.Left = gemm.RowsOf(b.gathered, g.sw*g.channels).InStretches(size)
		m.Ahead = gemm.PrefetchEvenly(b.laterLines(n, y))
		m.Run()
		row += m.Rows
	}
}

// linedWeights is the weight gradient where windows are read from copies of lines, turned: dwᵀ [taps·channels, OutC] =
// windowsᵀ · dy. Each line of taps makes a few rows of it, and dy is read where it is. The lines of positions are cut
// into splits whose sums go to their own slots and are added in order.
type linedWeights struct {
	gather
	n, outC int
	dy      []float32
	sums    []float32 // one slot per split, and one to turn the result in
	scratch []float32 // of all workers
	pieces  int       // of a split's lines of taps, each a task
}

// newLinedWeights returns nil where windows are gathered.
func newLinedWeights(g gather, outC int) *linedWeights {
	if !g.lined() || g.outW < minSummedPositions || outC%gemm.ColumnUnit != 0 {
		return nil
	}
	return &linedWeights{gather: g, outC: outC}
}

// blockSize returns the floats of the lines that a block reads.
func (p *linedWeights) blockSize() int { return ((p.blockLines()-1)*p.sh + p.kh) * p.lineSize(p.outW) }

// blockLines returns how many lines of positions are summed in one block.
func (p *linedWeights) blockLines() int { return max(1, pixelBlock/p.outW) }

func (p *linedWeights) splits() int {
	return max(1, min(maxSums, p.n*p.outH/(p.blockLines()*blocksPerSum)))
}

// slot is the distance of the splits' sums.
func (p *linedWeights) slot() int { return mem.RoundUp(p.depth()*p.outC, mem.Line) }

// takeSums takes the sums of all splits, and a slot in which the result is turned.
func (p *linedWeights) takeSums(space *mem.Scratch) []float32 {
	return space.Take((p.splits() + 1) * p.slot())
}

func (p *linedWeights) workspace(n, threads int) int {
	of := *p
	of.n = n
	space := mem.CountingScratch()
	of.takeSums(&space)
	return space.Size() + threads*of.blockSize()
}

func (p *linedWeights) backwardWeights(pool *parallel.Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	p.n, p.dy, p.src = n, dy, x
	space := mem.NewScratch(ws)
	p.sums = p.takeSums(&space)
	p.scratch = space.Rest
	p.pieces = piecesFor(p.splits(), pool.Threads(), p.kh)
	pool.Run(p.splits()*p.pieces, p)

	slot, size := p.slot(), p.depth()*p.outC
	turned := p.sums[p.splits()*slot:]
	vec.AddRows(p.sums, p.sums[slot:], slot, p.splits()-1, size)
	vec.TransposeRows(turned, p.depth(), p.sums, p.outC, p.depth(), p.outC)
	if accumulate {
		vec.AddScaled(dw[:size], dw, turned, 1)
	} else {
		copy(dw[:size], turned)
	}
}

// Do sums some lines of taps of one split.
func (p *linedWeights) Do(task, worker int) {
	split := task / p.pieces
	firstTap, lastTap := piece{task % p.pieces, p.pieces}.of(p.kh)
	lines := p.scratch[worker*p.blockSize():][:p.blockSize()]
	size, row := p.lineSize(p.outW), p.outW*p.outC
	begin, end := p.n*p.outH*split/p.splits(), p.n*p.outH*(split+1)/p.splits()
	m := gemm.Product{Rows: p.kw * p.channels, Cols: p.outC, Depth: p.outW}
	for line, next := begin, 0; line < end; line = next {
		n, y := line/p.outH, line%p.outH
		next = min(line+p.blockLines(), (n+1)*p.outH, end)
		m.Stretches = next - line
		for i := range (m.Stretches-1)*p.sh + p.kh {
			p.fillLine(lines[i*size:], n, y, i, 0, p.outW)
		}
		m.Right = gemm.MatrixOf(p.dy[line*row:], p.outC)
		for ky := firstTap; ky < lastTap; ky++ {
			m.Left = gemm.ColumnsOf(lines[ky*size:], p.sw*p.channels).InStretches(p.sh * size)
			m.C = gemm.View{Data: p.sums[split*p.slot()+ky*m.Rows*p.outC:], Row: p.outC}
			if m.Ahead = (gemm.Prefetch{}); ky == firstTap {
				m.Ahead = gemm.PrefetchEvenly(p.dy[next*row : min(2*next-line, end)*row])
			}
			m.Run()
		}
		m.Accumulate = true
	}
}

package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// Where windows are not gathered: copies of a few floats each would take as long as the product. They are read from
// copies of the lines they lie in, padding included, where a line of a window is a stretch of neighbouring floats, at a
// fixed distance from that of the next position. Forward every line of positions ends with a tile of its own, and with
// a stride of 1 nothing is won.
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
	return mem.RoundUp(((windows+gemm.TileFor(isa.Active()).Rows)*g.sw+g.kw)*g.channels, mem.Line)
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
		!p.pairs && !p.quartered() && p.blockDepth() == p.steps()
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
		m.Ahead = gemm.Spread(b.laterLines(n, y))
		m.Run()
		row += m.Rows
	}
}

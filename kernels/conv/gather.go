package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/vec"
)

// gather is the left operand of a convolution: a matrix with one row per output position and one column per tap and
// channel, (tap row, tap column, channel) from slowest to fastest. It is never written as a whole; fill copies the
// block that is multiplied next.
type gather struct {
	src             []float32
	h, w            int // source image
	pixel           int // floats from one pixel to the next
	first, channels int // the channels that take part
	kh, kw          int // taps
	sh, sw          int // pixels between the windows of neighbouring positions
	top, left       int // pixel of the first tap of position 0; negative in the padding
	outH, outW      int // positions per image
}

// depth returns the number of columns.
func (g *gather) depth() int { return g.kh * g.kw * g.channels }

// plain reports whether the matrix lies in memory as it is: rows of channels, one pixel apart.
func (g *gather) plain() bool {
	return g.kh == 1 && g.kw == 1 && g.sh == 1 && g.sw == 1 &&
		g.top == 0 && g.left == 0 && g.outH == g.h && g.outW == g.w
}

// direct reports whether a tile can read its rows where they are. Rows whose distance is a large power of two would
// push each other out of the first-level cache.
func (g *gather) direct() bool { return g.plain() && g.pixel%512 != 0 }

// fill copies columns [k0,k1) of the given rows, counted over all images, to dst.
func (g *gather) fill(dst []float32, dstRow, row, rows, k0, k1 int) {
	if g.plain() {
		vec.CopyRows(dst, dstRow, g.src[row*g.pixel+g.first+k0:], g.pixel, rows, k1-k0)
		return
	}
	for rows > 0 {
		x := row % g.outW
		y := row / g.outW % g.outH
		n := row / (g.outW * g.outH)
		run := min(rows, g.outW-x)
		g.fillRun(dst, dstRow, n, y, x, run, k0, k1)
		dst = dst[min(run*dstRow, len(dst)):]
		row += run
		rows -= run
	}
}

// fillRun fills the rows of neighbouring positions x to x+run in line y of image n. It goes segment by segment: those
// are the columns that lie side by side in the image, all taps of a window's line or, if other channels lie between
// them, the channels of one tap.
func (g *gather) fillRun(dst []float32, dstRow, n, y, x, run, k0, k1 int) {
	taps := 1 // of a segment
	if g.channels == g.pixel {
		taps = g.kw
	}
	width := taps * g.channels
	for segment := k0 / width; segment*width < k1; segment++ {
		lo, hi := max(k0, segment*width), min(k1, (segment+1)*width)
		block := dst[lo-k0:]
		ky, kx := segment*taps/g.kw, segment*taps%g.kw
		iy := g.top + y*g.sh + ky
		if iy < 0 || iy >= g.h {
			zeroRows(block, dstRow, run, hi-lo)
			continue
		}
		line := (n*g.h + iy) * g.w
		offset := lo - segment*width // in the segment
		left := g.left + kx
		from, to := g.whole(left, taps, x, x+run)
		for px := x; px < from; px++ {
			g.fillClipped(block[(px-x)*dstRow:][:hi-lo], line, left+px*g.sw, offset)
		}
		if to > from {
			source := g.src[(line+left+from*g.sw)*g.pixel+g.first+offset:]
			vec.CopyRows(block[(from-x)*dstRow:], dstRow, source, g.sw*g.pixel, to-from, hi-lo)
		}
		for px := to; px < x+run; px++ {
			g.fillClipped(block[(px-x)*dstRow:][:hi-lo], line, left+px*g.sw, offset)
		}
	}
}

// whole returns which of the positions [x,end) see a segment of some pixels inside the image, where position 0 sees it
// from pixel left of the line on:
//
//	[x,from)   positions whose segment begins before the line
//	[from,to)  positions whose segment lies inside the line
//	[to,end)   positions whose segment ends after the line; it may begin before the line as well
func (g *gather) whole(left, pixels, x, end int) (from, to int) {
	last := g.w - pixels // where the last segment inside the line begins
	if left > last {
		return x, x
	}
	first := 0
	if left < 0 {
		first = mem.CeilDiv(-left, g.sw)
	}
	from = min(max(first, x), end)
	return from, min(max((last-left)/g.sw+1, from), end)
}

// fillClipped fills one row of a segment, whose first tap is at pixel ix of the line and may be outside of it.
func (g *gather) fillClipped(dst []float32, line, ix, offset int) {
	lo := min(max(-ix*g.channels-offset, 0), len(dst))
	hi := max(lo, min((g.w-ix)*g.channels-offset, len(dst)))
	clear(dst[:lo])
	if hi > lo {
		copy(dst[lo:hi], g.src[(line+ix)*g.pixel+g.first+offset+lo:])
	}
	clear(dst[hi:])
}

func zeroRows(dst []float32, dstRow, rows, cols int) {
	for r := range rows {
		clear(dst[r*dstRow:][:cols])
	}
}

package conv

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
)

// depthwisePanel is a piece of an image as the depthwise kernels read it: some lines of pixels of one block of
// channels, with zeros around the image. What neighbouring outputs read lies side by side, so a line is sorted by the
// remainder of its columns modulo the stride.
type depthwisePanel struct {
	src     []float32
	h, w, c int // source image
	left    int // column of the first pixel; negative in the padding
	stride  int // columns between the windows of neighbouring outputs
	run     int // columns of each remainder
	lines   int // that it has room for

	norm  *norm.Input        // that src is read through, nil for none
	after *norm.GradientRows // of the batch norm that follows: src is their G, they are read instead; nil for none
}

// line returns the floats from one line to the next.
func (p *depthwisePanel) line() int { return p.stride * p.run * channelBlock }

func (p *depthwisePanel) size() int { return p.lines * p.line() }

// at returns where output (0, 0) finds tap (i, j).
func (p *depthwisePanel) at(i, j int) int {
	return i*p.line() + (j%p.stride*p.run+j/p.stride)*channelBlock
}

// fill copies lines of image n, from line top on, of one block of channels to a panel whose columns outside of the
// image are 0. It equals, with column(r, q) = left + q*stride + r,
//
//	for i < lines, r < stride, q < run, k < channelBlock:
//		dst[i*line() + (r*run+q)*channelBlock + k] = src[n, top+i, column(r, q), block*channelBlock + k]
//
// where that is inside the image, and 0 where it is not. Channels that do not exist are left alone. With the batch
// norm before (norm), the pixels are normalised; with the gradient of the one after (after), they are
//
//	after.Scale[c]*src[n, y, x, c] + after.Slope[c]*(after.X[n, y, x, c] - after.Mean[c]) + after.Offset[c]
//
// The copy also fetches the same pixels from ahead floats further on, but with a stride not those of the first
// remainder.
func (p *depthwisePanel) fill(dst []float32, n, top, lines, block, ahead int) {
	from, last := min(max(-top, 0), lines), min(max(p.h-top, 0), lines)
	clear(dst[:from*p.line()])
	clear(dst[last*p.line() : lines*p.line()])
	if from >= last {
		return
	}
	for r := range p.stride {
		column := p.left + r
		first := min(mem.CeilDiv(max(-column, 0), p.stride), p.run)
		pixels := min(max(mem.CeilDiv(p.w-column, p.stride), first), p.run) - first
		if pixels > 0 {
			source := ((n*p.h+top+from)*p.w+column+first*p.stride)*p.c + block*channelBlock
			distance := ahead
			if p.stride > 1 && r == 0 {
				distance = 0
			}
			to := dst[from*p.line()+(r*p.run+first)*channelBlock:]
			p.copyPixels(to, source, pixels, last-from, block*channelBlock, distance)
		}
	}
}

// copyPixels copies every stride-th pixel of some lines, of the block of channels that begins with first. The first of
// them is at source.
func (p *depthwisePanel) copyPixels(dst []float32, source, pixels, lines, first, ahead int) {
	const size = 4
	src := p.src[source:]
	to, toLine := unsafe.SliceData(dst), p.line()*size
	from, fromLine, fromPixel := unsafe.SliceData(src), p.w*p.c*size, p.stride*p.c*size
	kernels, b, after := &copyKernels[isa.Active()], p.norm, p.after
	switch whole := first+channelBlock <= p.c && kernels.plain != nil; {
	case whole && after != nil:
		kernels.gradient(to, toLine, from, &after.X[source], fromLine, fromPixel, pixels, lines, ahead*size,
			&after.Mean[first], &after.Scale[first], &after.Slope[first], &after.Offset[first])
	case whole && b == nil:
		kernels.plain(to, toLine, from, fromLine, fromPixel, pixels, lines, ahead*size)
	case whole && b.Clamps:
		kernels.clamped(to, toLine, from, fromLine, fromPixel, pixels, lines, ahead*size,
			&b.Mean[first], &b.Scale[first], &b.Beta[first], b.Lo, b.Hi)
	case whole:
		kernels.hardSwish(to, toLine, from, fromLine, fromPixel, pixels, lines, ahead*size,
			&b.Mean[first], &b.Scale[first], &b.Beta[first])
	case after != nil:
		p.copyGradient(dst, source, pixels, lines, first)
	default:
		channels := min(channelBlock, p.c-first)
		for i := range lines {
			copyThrough(b, dst[i*p.line():], channelBlock, src[i*p.w*p.c:], p.stride*p.c, pixels, channels, first)
		}
	}
}

// copyGradient copies pixels through the gradient of the batch norm after, one by one.
func (p *depthwisePanel) copyGradient(dst []float32, source, pixels, lines, first int) {
	channels := min(channelBlock, p.c-first)
	for i := range lines {
		for q := range pixels {
			pixel, to := source/p.c+i*p.w+q*p.stride, i*p.line()+q*channelBlock
			p.after.Channels(dst[to:to+channels], pixel, first)
		}
	}
}

// copyKernels are the assembly of copyPixels, by instruction set; strides are in bytes.
var copyKernels = [...]struct {
	plain func(
		dst *float32, dstLine int, src *float32, srcLine, srcPixel, pixels, lines, ahead int)
	clamped func(
		dst *float32, dstLine int, src *float32, srcLine, srcPixel, pixels, lines, ahead int,
		mean, scale, beta *float32, lo, hi float32)
	hardSwish func(
		dst *float32, dstLine int, src *float32, srcLine, srcPixel, pixels, lines, ahead int,
		mean, scale, beta *float32)
	gradient func(
		dst *float32, dstLine int, src, x *float32, srcLine, srcPixel, pixels, lines, ahead int,
		mean, scale, slope, offset *float32)
}{
	isa.AVX2:   {copyPixelsAVX2, copyClampedPixelsAVX2, copyHardSwishPixelsAVX2, copyGradientPixelsAVX2},
	isa.AVX512: {copyPixelsAVX512, copyClampedPixelsAVX512, copyHardSwishPixelsAVX512, copyGradientPixelsAVX512},
}

// distance returns how far the pixels of the next piece are from a piece's, in floats; step is the source lines for
// each line that is computed.
func (p *depthwisePanel) distance(at, next depthwisePiece, step int) int {
	lines := (next.n-at.n)*p.h + (next.begin-at.begin)*step
	return lines*p.w*p.c + (next.block-at.block)*channelBlock
}

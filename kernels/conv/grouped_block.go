package conv

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/norm"
)

// groupedInput is the input of a call, which is copied block by block.
type groupedInput struct {
	groupedPlan
	src     []float32
	through *norm.Input // that it is read through, nil for none
}

// group returns the first of the groups whose input is in a block, and how many there are: fewer in the last section.
func (p *groupedInput) group(at groupedPlace) (first, count int) {
	first = at.vector / p.vectors * p.groups
	return first, min(p.groups, p.shape.groups-first)
}

// fill copies the input channels that some output lines see to a block [line, plane, column, lane]. Its padding is
// clear on the left and right; fill clears the lines above and below the image.
func (p *groupedInput) fill(block []float32, at groupedPlace, lines int) {
	s, width, size := p.shape, p.laneShape.lanes, p.line()
	inside := max(min(p.column, s.w-s.first), 0) // the first column after the image
	before := min(max(-s.first, 0), inside)      // the first column in the image
	top := s.first + s.window.step(at.y)         // the line of the image with which the block begins
	count := s.window.inputs(lines)              // lines of the block
	first := min(max(-top, 0), count)            // the first line in the image
	last := max(min(count, s.h-top), first)      // the first line below the image
	clear(block[:first*size])
	clear(block[last*size : count*size])
	if first == last || inside == before {
		return
	}
	group, groups := p.group(at)
	channel := group * s.channels
	src := p.src[((at.n*s.h+top+first)*s.w+s.first+before)*s.pixel()+channel:]
	for plane := range p.planes {
		dst, src := block[first*size+(plane*p.column+before)*width:], src[plane*p.inner:]
		half := halves{width, p.second, p.through, channel + plane*p.inner}
		if p.second > 0 && groups == p.groups {
			half.copy(dst, size, src, s.w*s.pixel(), s.pixel(), last-first, inside-before)
			continue
		}
		for line := range last - first {
			for q := range groups {
				to, from := dst[line*size+q*p.share:], src[line*s.w*s.pixel()+q*s.channels:]
				half.copyPart(to, from, s.pixel(), inside-before, p.inner, half.channel+q*s.channels)
			}
		}
	}
}

// soon returns the stream of the pixels that a block copies, fetched in the given number of rounds; none if there is no
// such image.
func (p *groupedInput) soon(at groupedPlace, rounds int) fetchStream {
	s := p.shape
	top := s.first + s.window.step(at.y)
	first, last := max(top, 0), min(top+s.window.inputs(min(p.lines, s.outH-at.y)), s.h)
	if at.n >= p.n || first >= last {
		return fetchStream{}
	}
	group, groups := p.group(at)
	from := (at.n*s.h+first)*s.w*s.pixel() + group*s.channels
	return newFetchStream(p.src, from, s.pixel(), (last-first)*s.w, groups*s.channels, rounds)
}

// halves says where a vector of a block comes from: two halves that lie apart in the image, as they are or through a
// batch norm.
type halves struct {
	width, second int         // lanes, and how far the second half is from the first
	norm          *norm.Input // nil for none
	channel       int         // of the norm, at the first half
}

// copy copies lines of pixels; it equals, but for the norm,
//
//	for l < lines, p < pixels, i < width/2:
//		dst[l*dstLine + p*width + i] = src[l*srcLine + p*pixel + i]
//		dst[l*dstLine + p*width + width/2 + i] = src[l*srcLine + p*pixel + second + i]
func (h *halves) copy(dst []float32, dstLine int, src []float32, srcLine, pixel, lines, pixels int) {
	if isa.Active() == isa.AVX512 && h.width == lanes16.lanes {
		const size = 4
		to, from := unsafe.SliceData(dst), unsafe.SliceData(src)
		if b := h.norm; b != nil {
			copyNormalisedHalvesAVX512(to, dstLine*size, from, srcLine*size, pixel*size, h.second*size, lines, pixels,
				&b.Mean[h.channel], &b.Scale[h.channel], &b.Beta[h.channel], b.Lo, b.Hi)
			return
		}
		copyHalvesAVX512(to, dstLine*size, from, srcLine*size, pixel*size, h.second*size, lines, pixels)
		return
	}
	for l := range lines {
		h.copyPart(dst[l*dstLine:], src[l*srcLine:], pixel, pixels, h.width/2, h.channel)
		h.copyPart(dst[l*dstLine+h.width/2:], src[l*srcLine+h.second:], pixel, pixels, h.width/2, h.channel+h.second)
	}
}

// copyPart copies some channels of a line of pixels.
func (h *halves) copyPart(dst, src []float32, pixel, pixels, channels, first int) {
	copyThrough(h.norm, dst, h.width, src, pixel, pixels, channels, first)
}

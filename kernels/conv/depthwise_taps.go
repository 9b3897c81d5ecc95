package conv

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
)

// A tap is where a window finds one of its values, in floats from the output's place in a panel, and the weight of it,
// in floats from the first channel's first weight.
type tap struct{ x, w int }

// sortTriples brings taps of three neighbouring pixels each to the front, for which the kernel reads a pixel once, and
// returns the number of such triples.
func sortTriples(taps []tap) (sorted []tap, triples int) {
	var single []tap
	for len(taps) > 0 {
		if len(taps) >= 3 && taps[1].x == taps[0].x+channelBlock && taps[2].x == taps[1].x+channelBlock {
			sorted, taps, triples = append(sorted, taps[:3]...), taps[3:], triples+1
			continue
		}
		single, taps = append(single, taps[0]), taps[1:]
	}
	return append(sorted, single...), triples
}

// tapSum is a depthwise convolution of some lines of pixels, for the channels of a block. It computes
//
//	for i < lines, p < pixels, c < channels:
//		sum := 0
//		for _, t := range taps: sum += x[i*xLine + p*channelBlock + t.x + c] * w[t.w + c]
//		y[i*yLine + p*yStep + c] = max(sum + bias[c] + add[i*yLine + p*yStep + c], 0)
//		sums[c] += y[i*yLine + p*yStep + c] - shift[c]
//		sums[sumsRow + c] += (y[i*yLine + p*yStep + c] - shift[c])²
//
// with the terms that the flags name. y has to be aligned where it is stored past the caches. Up to seven pixels of x
// after the last one are read.
type tapSum struct {
	channels, pixels, lines int
	x, w, y, bias, add      []float32
	xLine, yStep, yLine     int
	shift, sums             []float32
	sumsRow                 int
	taps                    []tap
	triples                 int // of neighbours, with which taps begin
	flags                   int
	fetching
}

// compute runs the loop: by vectors of every width this instruction set has, then the channels that are left.
func (t *tapSum) compute() {
	c := 0
	if isa.Active() == isa.AVX512 && t.channels == channelBlock {
		t.vector(0, tapSumsAVX512)
		return
	}
	for ; isa.Active() != isa.Generic && c+8 <= t.channels; c += 8 {
		t.vector(c, tapSumsAVX2)
	}
	if c < t.channels {
		t.computePortably(c)
	}
}

// tapSumKernel is an assembly kernel for one vector of channels; its strides are in bytes.
type tapSumKernel func(
	y *float32, yStep, yLine int, x *float32, xLine int, w *float32, taps *int, triples, count int, bias, add *float32,
	soon, also *float32, soonStep, fetches int, shift, sums *float32, sumsRow, pixels, lines, flags int)

// vector runs a kernel on the vector of channels from c on.
func (t *tapSum) vector(c int, kernel tapSumKernel) {
	const size = 4
	var bias, add, shift, sums *float32
	if t.flags&flagBias != 0 {
		bias = unsafe.SliceData(t.bias[c:])
	}
	if t.flags&flagAdd != 0 {
		add = unsafe.SliceData(t.add[c:])
	}
	if t.flags&flagSums != 0 {
		shift, sums = unsafe.SliceData(t.shift[c:]), unsafe.SliceData(t.sums[c:])
	}
	kernel(unsafe.SliceData(t.y[c:]), t.yStep*size, t.yLine*size, unsafe.SliceData(t.x[c:]), t.xLine*size,
		unsafe.SliceData(t.w[c:]), offsets(t.taps), t.triples, len(t.taps)-3*t.triples, bias, add,
		unsafe.SliceData(t.soon), unsafe.SliceData(t.also), t.step*size, t.perTile(t.pixels, t.lines),
		shift, sums, t.sumsRow*size, t.pixels, t.lines, t.flags)
}

// offsets returns the taps as assembly reads them: pairs of integers.
func offsets(taps []tap) *int { return (*int)(unsafe.Pointer(unsafe.SliceData(taps))) }

func (t *tapSum) computePortably(from int) {
	for i := range t.lines {
		for p := range t.pixels {
			x, at := i*t.xLine+p*channelBlock, i*t.yLine+p*t.yStep
			for c := from; c < t.channels; c++ {
				var sum float32
				for _, tap := range t.taps {
					sum += t.x[x+tap.x+c] * t.w[tap.w+c]
				}
				if t.flags&flagBias != 0 {
					sum += t.bias[c]
				}
				if t.flags&flagAdd != 0 {
					sum += t.add[at+c]
				}
				if t.flags&flagReLU != 0 {
					sum = max(sum, 0)
				}
				t.y[at+c] = sum
				if t.flags&flagSums != 0 {
					d := sum - t.shift[c]
					t.sums[c] += d
					t.sums[t.sumsRow+c] += d * d
				}
			}
		}
	}
}

// tapGradient is the gradient of the weights of some taps, a multiple of gradientTaps, over lines of pixels. It
// computes
//
//	for t < len(taps), i < lines, p < pixels, c < channels:
//		sums[t*channelBlock + c] += dy[i*dyLine + p*dyPixel + c] * x[i*xLine + p*channelBlock + taps[t].x + c]
//
// for the pixels rounded up to a multiple of four; dy is 0 for those that are none.
type tapGradient struct {
	channels, pixels, lines int
	sums, dy, x             []float32
	dyPixel, dyLine, xLine  int
	taps                    []tap
	fetching
}

func (t *tapGradient) add() {
	c := 0
	if isa.Active() == isa.AVX512 && t.channels == channelBlock {
		t.vector(0, tapGradientsAVX512)
		return
	}
	for ; isa.Active() != isa.Generic && c+8 <= t.channels; c += 8 {
		t.vector(c, tapGradientsAVX2)
	}
	if c < t.channels {
		t.addPortably(c)
	}
}

// vector runs a kernel on the vector of channels from c on.
func (t *tapGradient) vector(c int, kernel tapGradientKernel) {
	const size = 4
	kernel(unsafe.SliceData(t.sums[c:]), offsets(t.taps), len(t.taps)/gradientTaps,
		unsafe.SliceData(t.dy[c:]), t.dyPixel*size, t.dyLine*size, unsafe.SliceData(t.x[c:]), t.xLine*size,
		unsafe.SliceData(t.soon), unsafe.SliceData(t.also), t.step*size, t.perTile(t.pixels, t.lines),
		t.pixels, t.lines)
}

// tapGradientKernel is an assembly kernel for one vector of channels; its strides are in bytes.
type tapGradientKernel func(
	sums *float32, taps *int, groups int, dy *float32, dyPixel, dyLine int, x *float32, xLine int,
	soon, also *float32, soonStep, fetches, pixels, lines int)

func (t *tapGradient) addPortably(from int) {
	for i := range t.lines {
		for p := range t.pixels {
			dy, x := t.dy[i*t.dyLine+p*t.dyPixel:], t.x[i*t.xLine+p*channelBlock:]
			for j, tap := range t.taps {
				for c := from; c < t.channels; c++ {
					t.sums[j*channelBlock+c] += dy[c] * x[tap.x+c]
				}
			}
		}
	}
}

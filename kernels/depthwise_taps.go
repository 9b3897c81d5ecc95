package kernels

import "unsafe"

// tapSum is a window of taps in a depthwise convolution. For some pixels it computes
//
//	for p < pixels, c < channels:
//		sum := 0
//		for i < rows, j < cols: sum += x[p*xStep + i*xRow + j*xCol + c] * w[first + i*wRow + j*wCol + c]
//		y[p*yStep + c] = max(sum + bias[c] + add[p*yStep + c], 0)
//
// with the terms the flags name.
type tapSum struct {
	channels          int
	rows, cols        int
	x                 []float32
	xStep, xRow, xCol int
	w                 []float32
	first, wRow, wCol int
	y, bias, add      []float32
	yStep, flags      int
}

// compute runs the loop for the given number of pixels: by vectors of every width this instruction set has, then the
// channels that are left.
func (t *tapSum) compute(pixels int) {
	c := 0
	if t.rows > 0 && t.cols > 0 {
		if n := t.channels / 16; active == AVX512 && n > 0 {
			t.vectors(pixels, c, n, tapSum4AVX512, tapSum1AVX512)
			c += n * 16
		}
		if n := (t.channels - c) / 8; active != Generic && n > 0 {
			t.vectors(pixels, c, n, tapSum4AVX2, tapSum1AVX2)
			c += n * 8
		}
	}
	if c < t.channels {
		t.computePortably(pixels, c)
	}
}

// tapSumKernel is an assembly kernel for a fixed number of pixels; its strides are in bytes.
type tapSumKernel func(y *float32, yStep int, x *float32, xStep, xRow, xCol int, w *float32, wRow, wCol, rows, cols int, bias, add *float32, vectors, flags int)

// vectors runs a kernel for four pixels and one for single pixels on n vectors from channel c on.
func (t *tapSum) vectors(pixels, c, n int, four, one tapSumKernel) {
	const size = 4
	var bias, add *float32
	if t.flags&flagBias != 0 {
		bias = unsafe.SliceData(t.bias[c:])
	}
	for p := 0; p < pixels; {
		kernel, step := four, 4
		if pixels-p < step {
			kernel, step = one, 1
		}
		if t.flags&flagAdd != 0 {
			add = unsafe.SliceData(t.add[p*t.yStep+c:])
		}
		kernel(unsafe.SliceData(t.y[p*t.yStep+c:]), t.yStep*size, unsafe.SliceData(t.x[p*t.xStep+c:]), t.xStep*size, t.xRow*size, t.xCol*size,
			unsafe.SliceData(t.w[t.first+c:]), t.wRow*size, t.wCol*size, t.rows, t.cols, bias, add, n, t.flags)
		p += step
	}
}

func (t *tapSum) computePortably(pixels, from int) {
	for p := range pixels {
		for c := from; c < t.channels; c++ {
			var sum float32
			for i := range t.rows {
				for j := range t.cols {
					sum += t.x[p*t.xStep+i*t.xRow+j*t.xCol+c] * t.w[t.first+i*t.wRow+j*t.wCol+c]
				}
			}
			if t.flags&flagBias != 0 {
				sum += t.bias[c]
			}
			if t.flags&flagAdd != 0 {
				sum += t.add[p*t.yStep+c]
			}
			if t.flags&flagReLU != 0 {
				sum = max(sum, 0)
			}
			t.y[p*t.yStep+c] = sum
		}
	}
}

// tapGradient adds the gradient of neighbouring taps over a line of pixels:
//
//	for j < taps, p < pixels, c < channels:
//		dw[j*channels + c] += dy[p*channels + c] * x[p*xStep + j*channels + c]
func tapGradient(dw, dy, x []float32, xStep, taps, pixels, channels int) {
	c := 0
	if n := channels / 16; active == AVX512 && n > 0 {
		tapGradientVectors(dw, dy, x, xStep, taps, pixels, channels, n, &gradientsAVX512)
		c = n * 16
	}
	if n := (channels - c) / 8; active != Generic && n > 0 {
		tapGradientVectors(dw[c:], dy[c:], x[c:], xStep, taps, pixels, channels, n, &gradientsAVX2)
		c += n * 8
	}
	if c == channels {
		return
	}
	for p := range pixels {
		for j := range taps {
			to, from, grad := dw[j*channels:], x[p*xStep+j*channels:], dy[p*channels:]
			for i := c; i < channels; i++ {
				to[i] += grad[i] * from[i]
			}
		}
	}
}

// tapGradientKernel is an assembly kernel for a fixed number of taps; its strides are in bytes.
type tapGradientKernel struct {
	taps int
	add  func(dw *float32, dwCol int, dy *float32, dyStep int, x *float32, xStep, xCol, pixels, vectors int)
}

// The kernels from most taps to one: any number is a sum of these.
var (
	gradientsAVX512 = [...]tapGradientKernel{{7, tapGradient7AVX512}, {5, tapGradient5AVX512}, {3, tapGradient3AVX512}, {1, tapGradient1AVX512}}
	gradientsAVX2   = [...]tapGradientKernel{{7, tapGradient7AVX2}, {5, tapGradient5AVX2}, {3, tapGradient3AVX2}, {1, tapGradient1AVX2}}
)

func tapGradientVectors(dw, dy, x []float32, xStep, taps, pixels, channels, vectors int, kernels *[4]tapGradientKernel) {
	const size = 4
	j := 0
	for _, kernel := range kernels {
		for ; taps-j >= kernel.taps; j += kernel.taps {
			kernel.add(unsafe.SliceData(dw[j*channels:]), channels*size, unsafe.SliceData(dy), channels*size,
				unsafe.SliceData(x[j*channels:]), xStep*size, channels*size, pixels, vectors)
		}
	}
}

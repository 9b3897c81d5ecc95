package pooling

import "math"

// maxWindowGeneric is y[c] = max over ky < height, kx < width of x[ky*rowStride + kx*C + c], for C = len(y); a NaN wins
// over everything before it.
func maxWindowGeneric(y, x []float32, height, width, rowStride int) {
	channels := len(y)
	for c := range y {
		y[c] = float32(math.Inf(-1))
	}
	for ky := range height {
		row := x[ky*rowStride : ky*rowStride+width*channels]
		for ; len(row) > 0; row = row[channels:] {
			for c, v := range row[:channels] {
				if v > y[c] || v != v {
					y[c] = v
				}
			}
		}
	}
}

// maxWindowArgGeneric is maxWindowGeneric, and sets arg[c] to the position first + ky*rowStep + kx of the first
// maximum.
func maxWindowArgGeneric(y []float32, arg []uint8, x []float32, height, width, rowStride, first, rowStep int) {
	channels := len(y)
	arg = arg[:channels]
	for c := range y {
		y[c] = float32(math.Inf(-1))
		arg[c] = uint8(first)
	}
	for ky := range height {
		row := x[ky*rowStride : ky*rowStride+width*channels]
		for kx := range width {
			for c, v := range row[kx*channels : (kx+1)*channels] {
				if v > y[c] || v != v {
					y[c] = v
					arg[c] = uint8(first + ky*rowStep + kx)
				}
			}
		}
	}
}

// maxGradientGeneric adds a gradient where the maxima of a window came from: for each c < len(dy),
//
//	dx[ky*rowStride + kx*channels + c] += dy[c]
//
// for the ky < height and kx < width with first + ky*rowStep + kx = arg[c], if there are any.
func maxGradientGeneric(dx, dy []float32, arg []uint8, height, width, rowStride, channels, first, rowStep int) {
	for c, d := range dy {
		at := int(arg[c]) - first
		if ky, kx := at/rowStep, at%rowStep; at >= 0 && ky < height && kx < width {
			dx[ky*rowStride+kx*channels+c] += d
		}
	}
}

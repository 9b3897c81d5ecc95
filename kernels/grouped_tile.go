package kernels

import "unsafe"

// laneShape is how the kernels of grouped convolutions use vectors: the lanes are neighbouring output channels.
type laneShape struct {
	lanes int // of a vector
	isa   ISA // whose kernels have such vectors
	// Pixels of the two tiles, and of the blocks of a weight gradient, for wide images and for narrow ones.
	tiles  [2]struct{ rows, cols int }
	blocks [2]int
	chunk  int // input channels of a weight gradient at once; a half where it does not divide them
}

// The lane shapes from wide to narrow.
var (
	lanes16 = laneShape{16, AVX512, [2]struct{ rows, cols int }{{2, 8}, {2, 4}}, [2]int{8, 4}, 4}
	lanes8  = laneShape{8, AVX2, [2]struct{ rows, cols int }{{1, 8}, {2, 4}}, [2]int{4, 4}, 2}
)

// narrow returns 1, the index of the tile for narrow images, where it covers the width with fewer pixels than the other.
func (s *laneShape) narrow(width int) int {
	if roundUp(width, s.tiles[1].cols) < roundUp(width, s.tiles[0].cols) {
		return 1
	}
	return 0
}

// groupedTile is one call of a kernel, strides in elements. For r < rows, p < tiles*cols and each lane l
//
//	sum := 0
//	for i < kh, j < taps, q < planes, k < inner:
//		sum += x[r*xRow + i*xLine + q*xPlane + (p*stride+j)*lanes + index[k*lanes + l]] * w[(i*taps+j)*wTap + (q*inner+k)*lanes + l]
//	y[r*yRow + p*yCol + l] = sum
//
// If all lanes are of one group, index[k*lanes + l] is k, and there is no index.
type groupedTile struct {
	lanes               *laneShape
	narrow              int
	taps, stride        int
	y                   []float32
	yRow, yCol          int
	x                   []float32
	xRow, xLine, xPlane int
	w                   []float32
	wTap                int
	index               []int32
	inner, planes, kh   int
	tiles               int
}

// groupedTileKernel is an assembly tile; its strides are in bytes.
type groupedTileKernel func(y *float32, yRow, yCol int, x *float32, xRow, xLine, xPlane int, w *float32, wTap int, index *int32, inner, planes, kh, tiles int)

// groupedTiles are the kernels by the width of the image, the window, and whether lanes are of several groups.
var groupedTiles = [...][2][4][2]groupedTileKernel{
	AVX2: {
		{
			{groupedTile1x8K3S1AVX2, groupedTile1x8K3S1MixedAVX2},
			{groupedTile1x8K3S2AVX2, groupedTile1x8K3S2MixedAVX2},
			{groupedTile1x8K2S1AVX2, groupedTile1x8K2S1MixedAVX2},
			{groupedTile1x8K1S1AVX2, groupedTile1x8K1S1MixedAVX2},
		},
		{
			{groupedTile2x4K3S1AVX2, groupedTile2x4K3S1MixedAVX2},
			{groupedTile2x4K3S2AVX2, groupedTile2x4K3S2MixedAVX2},
			{groupedTile2x4K2S1AVX2, groupedTile2x4K2S1MixedAVX2},
			{groupedTile2x4K1S1AVX2, groupedTile2x4K1S1MixedAVX2},
		},
	},
	AVX512: {
		{
			{groupedTile2x8K3S1AVX512, groupedTile2x8K3S1MixedAVX512},
			{groupedTile2x8K3S2AVX512, groupedTile2x8K3S2MixedAVX512},
			{groupedTile2x8K2S1AVX512, groupedTile2x8K2S1MixedAVX512},
			{groupedTile2x8K1S1AVX512, groupedTile2x8K1S1MixedAVX512},
		},
		{
			{groupedTile2x4K3S1AVX512, groupedTile2x4K3S1MixedAVX512},
			{groupedTile2x4K3S2AVX512, groupedTile2x4K3S2MixedAVX512},
			{groupedTile2x4K2S1AVX512, groupedTile2x4K2S1MixedAVX512},
			{groupedTile2x4K1S1AVX512, groupedTile2x4K1S1MixedAVX512},
		},
	},
}

// groupedWindow returns the index of a window in the tables of kernels.
func groupedWindow(taps, stride int) int {
	if taps == 3 {
		return stride - 1
	}
	return 4 - taps
}

func (t *groupedTile) compute() {
	if active == Generic {
		t.computePortably()
		return
	}
	const size = 4
	mixed := 0
	if t.index != nil {
		mixed = 1
	}
	groupedTiles[t.lanes.isa][t.narrow][groupedWindow(t.taps, t.stride)][mixed](
		unsafe.SliceData(t.y), t.yRow*size, t.yCol*size, unsafe.SliceData(t.x), t.xRow*size, t.xLine*size, t.xPlane*size,
		unsafe.SliceData(t.w), t.wTap*size, unsafe.SliceData(t.index), t.inner, t.planes, t.kh, t.tiles)
}

// laneOf returns index[k*lanes + l].
func laneOf(index []int32, k, l, lanes int) int {
	if index == nil {
		return k
	}
	return int(index[k*lanes+l])
}

func (t *groupedTile) computePortably() {
	shape, lanes := t.lanes.tiles[t.narrow], t.lanes.lanes
	for r := range shape.rows {
		for p := range t.tiles * shape.cols {
			var sum [16]float32
			for i := range t.kh {
				for q := range t.planes {
					x := t.x[r*t.xRow+i*t.xLine+q*t.xPlane+p*t.stride*lanes:]
					w := t.w[i*t.taps*t.wTap+q*t.inner*lanes:]
					for j := range t.taps {
						for k := range t.inner {
							pixel, weights := x[j*lanes:][:lanes], w[j*t.wTap+k*lanes:][:lanes]
							for l, v := range weights {
								sum[l] += pixel[laneOf(t.index, k, l, lanes)] * v
							}
						}
					}
				}
			}
			copy(t.y[r*t.yRow+p*t.yCol:], sum[:lanes])
		}
	}
}

// groupedGradient is one call of a kernel, strides in elements. For j < taps, k < chunk and each lane l
//
//	for r < lines, p < blocks*B:
//		dw[j*dwTap + k*lanes + l] += dy[r*dyLine + p*lanes + l] * x[r*xLine + (p*stride+j)*lanes + index[(first+k)*lanes + l]]
//
// where a block has B pixels, and the index is as in groupedTile.
type groupedGradient struct {
	lanes         *laneShape
	narrow        int
	taps, stride  int
	chunk, first  int
	dw            []float32
	dwTap         int
	dy            []float32
	dyLine        int
	x             []float32
	xLine         int
	index         []int32
	lines, blocks int
}

// groupedGradientKernel is an assembly kernel; its strides are in bytes.
type groupedGradientKernel func(dw *float32, dwTap int, dy *float32, dyLine int, x *float32, xLine int, index *int32, lines, blocks int)

// groupedGradients are the kernels by the width of the image, whether the chunk is a half, the window, and whether lanes
// are of several groups.
var groupedGradients = [...][2][2][2][2]groupedGradientKernel{
	AVX2: {
		{
			{
				{groupedGradient4x2K3S1AVX2, groupedGradient4x2K3S1MixedAVX2},
				{groupedGradient4x2K3S2AVX2, groupedGradient4x2K3S2MixedAVX2},
			},
		},
		{
			{
				{groupedGradient4x2K3S1AVX2, groupedGradient4x2K3S1MixedAVX2},
				{groupedGradient4x2K3S2AVX2, groupedGradient4x2K3S2MixedAVX2},
			},
		},
	},
	AVX512: {
		{
			{
				{groupedGradient8x4K3S1AVX512, groupedGradient8x4K3S1MixedAVX512},
				{groupedGradient8x4K3S2AVX512, groupedGradient8x4K3S2MixedAVX512},
			},
			{
				{groupedGradient8x2K3S1AVX512, groupedGradient8x2K3S1MixedAVX512},
				{groupedGradient8x2K3S2AVX512, groupedGradient8x2K3S2MixedAVX512},
			},
		},
		{
			{
				{groupedGradient4x4K3S1AVX512, groupedGradient4x4K3S1MixedAVX512},
				{groupedGradient4x4K3S2AVX512, groupedGradient4x4K3S2MixedAVX512},
			},
			{
				{groupedGradient4x2K3S1AVX512, groupedGradient4x2K3S1MixedAVX512},
				{groupedGradient4x2K3S2AVX512, groupedGradient4x2K3S2MixedAVX512},
			},
		},
	},
}

func (t *groupedGradient) compute() {
	if active == Generic {
		t.computePortably()
		return
	}
	const size = 4
	x, index, mixed, half := t.x, t.index, 0, 0
	if index != nil {
		index, mixed = index[t.first*t.lanes.lanes:], 1
	} else {
		x = x[t.first:]
	}
	if t.chunk < t.lanes.chunk {
		half = 1
	}
	groupedGradients[t.lanes.isa][t.narrow][half][groupedWindow(t.taps, t.stride)][mixed](
		unsafe.SliceData(t.dw), t.dwTap*size, unsafe.SliceData(t.dy), t.dyLine*size, unsafe.SliceData(x), t.xLine*size,
		unsafe.SliceData(index), t.lines, t.blocks)
}

func (t *groupedGradient) computePortably() {
	lanes, pixels := t.lanes.lanes, t.blocks*t.lanes.blocks[t.narrow]
	for j := range t.taps {
		for k := range t.chunk {
			var sum [16]float32
			for r := range t.lines {
				for p := range pixels {
					dy := t.dy[r*t.dyLine+p*lanes:][:lanes]
					x := t.x[r*t.xLine+(p*t.stride+j)*lanes:][:lanes]
					for l, g := range dy {
						sum[l] += g * x[laneOf(t.index, t.first+k, l, lanes)]
					}
				}
			}
			dw := t.dw[j*t.dwTap+k*lanes:][:lanes]
			for l := range dw {
				dw[l] += sum[l]
			}
		}
	}
}

package conv

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// laneShape is how the kernels of grouped convolutions use vectors: the lanes are neighbouring output channels.
type laneShape struct {
	lanes       int            // of a vector
	isa         isa.Set        // whose kernels have such vectors
	tile, block gemm.TileShape // pixels of a tile, and of a block of a weight gradient: as many columns

	// The kernels by the window, and whether lanes are of several groups.
	tiles     [3][2]groupedTileKernel
	gradients [2][2]groupedGradientKernel
}

// The lane shapes, from wide to narrow; low tiles are for images of few lines.
var (
	lanes16 = laneShape{
		lanes: 16, isa: isa.AVX512, tile: gemm.TileShape{Rows: 4, Cols: 4}, block: gemm.TileShape{Rows: 4, Cols: 4},
		tiles: [3][2]groupedTileKernel{
			{groupedTile4x4Stride1AVX512, groupedTile4x4Stride1MixedAVX512},
			{groupedTile4x4Stride2AVX512, groupedTile4x4Stride2MixedAVX512},
			{groupedTile4x4Turned2AVX512, groupedTile4x4Turned2MixedAVX512},
		},
		gradients: [2][2]groupedGradientKernel{
			{groupedGradient4x4Stride1AVX512, groupedGradient4x4Stride1MixedAVX512},
			{groupedGradient4x4Stride2AVX512, groupedGradient4x4Stride2MixedAVX512},
		},
	}
	lowLanes16 = laneShape{
		lanes: 16, isa: isa.AVX512, tile: gemm.TileShape{Rows: 2, Cols: 4}, block: gemm.TileShape{Rows: 2, Cols: 4},
		tiles: [3][2]groupedTileKernel{
			{groupedTile2x4Stride1AVX512, groupedTile2x4Stride1MixedAVX512},
			{groupedTile2x4Stride2AVX512, groupedTile2x4Stride2MixedAVX512},
			{groupedTile2x4Turned2AVX512, groupedTile2x4Turned2MixedAVX512},
		},
		gradients: [2][2]groupedGradientKernel{
			{groupedGradient2x4Stride1AVX512, groupedGradient2x4Stride1MixedAVX512},
			{groupedGradient2x4Stride2AVX512, groupedGradient2x4Stride2MixedAVX512},
		},
	}
	lanes8 = laneShape{
		lanes: 8, isa: isa.AVX2, tile: gemm.TileShape{Rows: 2, Cols: 4}, block: gemm.TileShape{Rows: 1, Cols: 4},
		tiles: [3][2]groupedTileKernel{
			{groupedTile2x4Stride1AVX2, groupedTile2x4Stride1MixedAVX2},
			{groupedTile2x4Stride2AVX2, groupedTile2x4Stride2MixedAVX2},
			{groupedTile2x4Turned2AVX2, groupedTile2x4Turned2MixedAVX2},
		},
		gradients: [2][2]groupedGradientKernel{
			{groupedGradient1x4Stride1AVX2, groupedGradient1x4Stride1MixedAVX2},
			{groupedGradient1x4Stride2AVX2, groupedGradient1x4Stride2MixedAVX2},
		},
	}
)

// each visits the inputs that an output sees, with the taps through which it does.
func (w groupedWindow) each(output int, visit func(input, tap int)) {
	first := w.step(output)
	for input := first; input < first+groupedTaps; input++ {
		if tap, ok := w.tap(output, input); ok {
			visit(input, tap)
		}
	}
}

// kernel returns the index of a window in the tables of kernels.
func (w groupedWindow) kernel() int {
	if w.turned {
		return 2
	}
	return w.stride - 1
}

// groupedTile is one call of a kernel, strides in elements. For r < rows, p < tiles*cols and each lane l
//
//	sum := 0
//	for q < planes, k < inner:
//		for each line that r sees through tap i, and each column that p sees through tap j:
//			sum += x[line*xLine + q*xPlane + column*lanes + index[k*lanes + l]] * w[(((q*inner+k)*3+i)*3+j)*lanes + l]
//	y[r*yRow + p*yCol + l] = sum
//
// If all lanes are of one group, index[k*lanes + l] is k, and there is no index.
type groupedTile struct {
	lanes         *laneShape
	window        groupedWindow
	y             []float32
	yRow, yCol    int
	x             []float32
	xLine, xPlane int
	w             []float32
	index         []int32
	inner, planes int
	tiles         int
	past          bool        // store past the caches: only where y is aligned, and a vector is a cache line
	soon          fetchStream // every tile fetches a share of it
}

// fetchStream is what a kernel fetches into the second-level cache while it computes, in rounds: each fetches count
// pixels, and lines cache lines of each.
type fetchStream struct {
	at                  []float32
	pixel, count, lines int
}

// newFetchStream returns the stream of some pixels, from an element of src on, in the given number of rounds.
func newFetchStream(src []float32, from, pixel, pixels, channels, rounds int) fetchStream {
	return fetchStream{src[from:], pixel, mem.CeilDiv(pixels, rounds), mem.CeilDiv(from%mem.Line+channels, mem.Line)}
}

// after returns what is left after some rounds.
func (f fetchStream) after(rounds int) fetchStream {
	f.at = f.at[min(rounds*f.count*f.pixel, len(f.at)):]
	return f
}

// arguments returns the stream as kernels take it: they fetch at least one line.
func (f *fetchStream) arguments() (at *float32, pixel, count, lines int) {
	const size = 4
	return unsafe.SliceData(f.at), f.pixel * size, max(f.count, 1), max(f.lines, 1)
}

// groupedTileKernel is an assembly tile; its strides are in bytes.
type groupedTileKernel func(
	y *float32, yRow, yCol int, x *float32, xLine, xPlane int, w *float32, index *int32,
	inner, planes, tiles int, past bool,
	soon *float32, soonPixel, soonCount, soonLines int)

func (t *groupedTile) compute() {
	if isa.Active() == isa.Generic {
		t.computePortably()
		return
	}
	const size = 4
	mixed := 0
	if t.index != nil {
		mixed = 1
	}
	soon, soonPixel, soonCount, soonLines := t.soon.arguments()
	t.lanes.tiles[t.window.kernel()][mixed](
		unsafe.SliceData(t.y), t.yRow*size, t.yCol*size, unsafe.SliceData(t.x), t.xLine*size, t.xPlane*size,
		unsafe.SliceData(t.w), unsafe.SliceData(t.index), t.inner, t.planes, t.tiles,
		t.past, soon, soonPixel, soonCount, soonLines)
	t.soon = t.soon.after(t.tiles)
}

// laneOf returns index[k*lanes + l].
func laneOf(index []int32, k, l, lanes int) int {
	if index == nil {
		return k
	}
	return int(index[k*lanes+l])
}

func (t *groupedTile) computePortably() {
	lanes := t.lanes.lanes
	for r := range t.lanes.tile.Rows {
		for p := range t.tiles * t.lanes.tile.Cols {
			var sum [16]float32
			for q := range t.planes {
				t.window.each(r, func(line, i int) {
					t.window.each(p, func(column, j int) {
						pixel := t.x[line*t.xLine+q*t.xPlane+column*lanes:][:lanes]
						for k := range t.inner {
							w := t.w[(((q*t.inner+k)*groupedTaps+i)*groupedTaps+j)*lanes:][:lanes]
							for l, v := range w {
								sum[l] += pixel[laneOf(t.index, k, l, lanes)] * v
							}
						}
					})
				})
			}
			copy(t.y[r*t.yRow+p*t.yCol:], sum[:lanes])
		}
	}
}

// groupedGradient is one call of a kernel, strides in elements. For k < inner, taps i and j, and each lane l
//
//	for r < bands*rows, p < blocks*cols that see a line through tap i and a column through tap j:
//		dw[((k*3+i)*3+j)*lanes + l] += dy[r*dyLine + p*lanes + l] * x[line*xLine + column*lanes + index[k*lanes + l]]
//
// where a block has rows × cols pixels, and the index is as in groupedTile.
type groupedGradient struct {
	lanes         *laneShape
	window        groupedWindow
	dw            []float32
	dy            []float32
	dyLine        int
	x             []float32
	xLine         int
	index         []int32
	inner         int
	bands, blocks int

	soonDy, soonX fetchStream // every block fetches a share of them for every channel
}

// groupedGradientKernel is an assembly kernel; its strides are in bytes.
type groupedGradientKernel func(
	dw *float32, dy *float32, dyLine int, x *float32, xLine int, index *int32, inner, bands, blocks int,
	soonDy *float32, soonDyPixel, soonDyCount, soonDyLines int, soonX *float32, soonXPixel, soonXCount, soonXLines int)

func (t *groupedGradient) compute() {
	if isa.Active() == isa.Generic {
		t.computePortably()
		return
	}
	const size = 4
	mixed := 0
	if t.index != nil {
		mixed = 1
	}
	soonDy, soonDyPixel, soonDyCount, soonDyLines := t.soonDy.arguments()
	soonX, soonXPixel, soonXCount, soonXLines := t.soonX.arguments()
	t.lanes.gradients[t.window.kernel()][mixed](
		unsafe.SliceData(t.dw), unsafe.SliceData(t.dy), t.dyLine*size, unsafe.SliceData(t.x), t.xLine*size,
		unsafe.SliceData(t.index), t.inner, t.bands, t.blocks,
		soonDy, soonDyPixel, soonDyCount, soonDyLines, soonX, soonXPixel, soonXCount, soonXLines)
}

func (t *groupedGradient) computePortably() {
	lanes := t.lanes.lanes
	for r := range t.bands * t.lanes.block.Rows {
		t.window.each(r, func(line, i int) {
			for p := range t.blocks * t.lanes.block.Cols {
				dy := t.dy[r*t.dyLine+p*lanes:][:lanes]
				t.window.each(p, func(column, j int) {
					x := t.x[line*t.xLine+column*lanes:][:lanes]
					for k := range t.inner {
						dw := t.dw[((k*groupedTaps+i)*groupedTaps+j)*lanes:][:lanes]
						for l, g := range dy {
							dw[l] += g * x[laneOf(t.index, k, l, lanes)]
						}
					}
				})
			}
		})
	}
}

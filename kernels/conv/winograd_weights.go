package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Blocking of weight gradients in Winograd's form.
const (
	gradientFloats   = 1 << 21 // wanted in the transformed tiles of a chunk: they stay in the last-level cache
	minGradientTiles = 192     // of a chunk, which is the depth of the products
	maxGradientTiles = 768
	gradientDepth    = 256 // tiles that are multiplied at once
	gradientColumns  = 128 // columns of a task
	transformTiles   = 8   // tiles of a task
)

// winogradWeights is a weight gradient in Winograd's form. Chunk by chunk, the tiles of inputs and output gradients are
// transformed, and the products of the chunk are added to the sums [position, OutC, channels]. The gradient of the
// weights is a transform of those.
type winogradWeights struct {
	operands *weightProduct
	grid     tileGrid
	minTiles int
	pairs    bool // multiply pairs of bf16: two neighbouring tiles become one, in the place of the first

	// The call in flight.
	chunk, tiles      int         // the first tile of the chunk, and how many
	inputs, gradients transformed // of the chunk
	products          transformed // the sums, with output channels in place of tiles
}

// The stages of a call.
type (
	transformChunk winogradWeights
	multiplyChunk  winogradWeights
	finishGradient winogradWeights
)

func newWinogradWeights(p *weightProduct, form *winogradForm, minTiles int) *winogradWeights {
	return &winogradWeights{operands: p, grid: newTileGrid(&p.gather, form), minTiles: minTiles}
}

// outputs returns the number of output channels of all groups.
func (w *winogradWeights) outputs() int { return w.operands.groups * w.operands.rows }

// takeChunk returns how many tiles make a chunk of n images, equal but for the last, and takes the blocks that these
// become.
func (w *winogradWeights) takeChunk(n int, space *mem.Scratch) (tiles int, inputs, gradients, products transformed) {
	// The last register tile reads rows that do not exist, and the last panel a little more than the inputs.
	shape := gemm.Tile()
	outputs := w.outputs() - w.operands.rows + mem.RoundUp(w.operands.rows, shape.Rows)
	inputRow, gradientRow := mem.PaddedRow(w.operands.pixel), mem.PaddedRow(outputs)
	limit := gradientFloats / w.grid.positions / (inputRow + gradientRow)
	tiles = mem.EqualParts(n*w.grid.perImage(), min(max(limit, minGradientTiles), maxGradientTiles))
	products = transformedRows(w.outputs(), w.operands.channels)
	gradients, inputs = transformedRows(tiles, gradientRow), transformedRows(tiles, inputRow)
	products.data = space.Take(w.grid.positions * products.step)
	gradients.data = space.Take(w.grid.positions * gradients.step)
	inputs.data = space.Take(w.grid.positions*inputs.step + 2*shape.Cols)
	return tiles, inputs, gradients, products
}

func (w *winogradWeights) workspace(n, _ int) int {
	space := mem.CountingScratch()
	w.takeChunk(n, &space)
	return space.Size()
}

func (w *winogradWeights) backwardWeights(p *parallel.Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	o, space := w.operands, mem.NewScratch(ws)
	o.n, o.src, o.dy, o.dw, o.accumulate = n, x, dy, dw, accumulate
	var chunk int
	chunk, w.inputs, w.gradients, w.products = w.takeChunk(n, &space)
	blocks, all := w.blocks(), n*w.grid.perImage()
	for w.chunk = 0; w.chunk < all; w.chunk += chunk {
		w.tiles = min(chunk, all-w.chunk)
		p.Run(mem.CeilDiv(w.tiles, transformTiles), (*transformChunk)(w))
		p.Run(blocks.tasks(), (*multiplyChunk)(w))
	}
	p.Run(w.outputs(), (*finishGradient)(w))
}

// blocks cuts the products into tasks, with positions in place of blocks of rows.
func (w *winogradWeights) blocks() blockGrid {
	return blockGrid{
		rowBlocks: w.grid.positions, groups: w.operands.groups, cols: w.operands.channels, columnBlock: gradientColumns,
	}
}

// Do transforms some tiles of the inputs and of the gradients.
func (j *transformChunk) Do(task, _ int) {
	w := (*winogradWeights)(j)
	begin, end := task*transformTiles, min((task+1)*transformTiles, w.tiles)
	x, dy, pixel, outputs := &w.inputs, &w.gradients, w.operands.pixel, w.outputs()
	for t := begin; t < end; t++ {
		w.grid.input.spreadTile(x.at(0, t), x.step, w.grid.inputTile(w.chunk+t, 0), pixel)
		w.grid.outputGradient.spreadTile(dy.at(0, t), dy.step, w.gradient(w.chunk+t), outputs)
	}
	for i := 0; w.pairs && i < w.grid.positions; i++ {
		gemm.PairRows(x.at(i, begin), 2*x.row, x.at(i, begin), x.row, end-begin, pixel)
		gemm.PairRows(dy.at(i, begin), 2*dy.row, dy.at(i, begin), dy.row, end-begin, outputs)
	}
}

// gradient returns a tile of the outputs' gradients.
func (w *winogradWeights) gradient(tile int) tileSource {
	n, y, x := w.grid.corner(tile)
	outH, outW, pixel := w.operands.outH, w.operands.outW, w.outputs()
	return tileSource{
		data: w.operands.dy[((n*outH+y)*outW+x)*pixel:], row: outW * pixel, col: pixel,
		rows: existing(y, outH), cols: existing(x, outW),
	}
}

// Do adds the products of one position, group and block of columns.
func (j *multiplyChunk) Do(task, _ int) {
	w := (*winogradWeights)(j)
	o, blocks := w.operands, w.blocks()
	position, group, col, cols := blocks.task(task)
	m := gemm.Product{
		Rows: o.rows, Cols: cols, Pairs: w.pairs,
		C: gemm.View{Data: w.products.at(position, group*o.rows)[col:], Row: w.products.row},
	}
	m.Accumulate = w.chunk > 0
	steps, gradientRow, inputRow := w.tiles, w.gradients.row, w.inputs.row
	if w.pairs {
		steps, gradientRow, inputRow = mem.CeilDiv(steps, 2), 2*gradientRow, 2*inputRow
	}
	gradients, inputs := w.gradients.at(position, 0)[group*o.rows:], w.inputs.at(position, 0)[group*o.channels+col:]
	for t, depth := 0, mem.EqualParts(steps, gradientDepth); t < steps; t += depth {
		m.Depth = min(depth, steps-t)
		m.Left = gemm.ColumnsOf(gradients[t*gradientRow:], gradientRow)
		m.Right = gemm.MatrixOf(inputs[t*inputRow:], inputRow)
		m.Run()
		m.Accumulate = true
	}
}

// Do transforms the sums of one output channel to the gradient of its weights.
func (j *finishGradient) Do(task, _ int) {
	w := (*winogradWeights)(j)
	o := w.operands
	filter := o.dw[task*o.depth():]
	dst := tileTarget{data: filter, row: o.kw * o.channels, col: o.channels, rows: o.kh, cols: o.kw}
	if o.accumulate {
		dst.add, dst.flags = filter, flagAdd
	}
	w.grid.filterGradient.collectTile(dst, w.products.at(0, task), w.products.step, o.channels)
}

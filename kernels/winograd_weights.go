package kernels

// Blocking of weight gradients in Winograd's form.
const (
	gradientFloats  = 1 << 21 // wanted in the transformed tiles of a chunk: they stay in the last-level cache
	minGradientTile = 192     // tiles of a chunk, which is the depth of the products
	maxGradientTile = 768
	gradientDepth   = 256 // tiles that are multiplied at once
	gradientColumns = 128 // columns of a task
	transformTiles  = 8   // tiles of a task
)

// winogradWeights is a weight gradient in Winograd's form. Chunk by chunk, the tiles of inputs and output gradients are
// transformed, and the products of the chunk are added to the sums [position, OutC, channels], of which the gradient of
// the weights is a transform.
type winogradWeights struct {
	*weightProduct
	grid     tileGrid
	minTiles int
	pairs    bool // multiply pairs of bf16: of neighbouring tiles, where the first of them is

	chunk, tiles      int       // the first tile of the chunk in flight, and how many
	inputs, gradients []float32 // of the chunk: [position, tile, channel]
	products          []float32
}

// The stages.
type (
	transformChunk winogradWeights
	multiplyChunk  winogradWeights
	finishGradient winogradWeights
)

func newWinogradWeights(p *weightProduct, form *winogradForm, minTiles int) *winogradWeights {
	return &winogradWeights{weightProduct: p, grid: newTileGrid(&p.gather, form), minTiles: minTiles}
}

func (w *winogradWeights) allTiles() int { return w.n * w.grid.perImage() }

// outputs returns the number of output channels of all groups.
func (w *winogradWeights) outputs() int { return w.groups * w.rows }

func (w *winogradWeights) inputRow() int { return gatheredRow(w.pixel) }

// gradientRow leaves room for the rows of the last register tile.
func (w *winogradWeights) gradientRow() int {
	return gatheredRow(w.outputs() - w.rows + roundUp(w.rows, tileFor(active).rows))
}

// chunkTiles returns the tiles of a chunk, equal but for the last.
func (w *winogradWeights) chunkTiles() int {
	limit := gradientFloats / w.grid.positions / (w.inputRow() + w.gradientRow())
	return equalBlocks(w.allTiles(), min(max(limit, minGradientTile), maxGradientTile))
}

func (w *winogradWeights) inputStep() int { return tileStep(w.chunkTiles(), w.inputRow()) }

func (w *winogradWeights) gradientStep() int { return tileStep(w.chunkTiles(), w.gradientRow()) }

// productStep returns the distance between the sums of the positions.
func (w *winogradWeights) productStep() int { return tileStep(w.outputs(), w.channels) }

func (w *winogradWeights) workspace(n, _ int) int {
	direct := *w.weightProduct
	direct.n = n
	of := *w
	of.weightProduct = &direct
	return of.size()
}

// size returns the floats of the transformed tiles and the sums.
func (w *winogradWeights) size() int {
	return w.grid.positions*(w.inputStep()+w.gradientStep()+w.productStep()) + 3*cacheLine + 2*tileFor(active).cols
}

func (w *winogradWeights) backwardWeights(p *Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	w.n, w.src, w.dy, w.dw, w.keep = n, x, dy, dw, accumulate
	space := newScratch(ws)
	w.products = space.take(w.grid.positions * w.productStep())
	w.gradients = space.take(w.grid.positions * w.gradientStep())
	w.inputs = space.rest // of which the last panel may read a little more than there is
	for w.chunk = 0; w.chunk < w.allTiles(); w.chunk += w.chunkTiles() {
		w.tiles = min(w.chunkTiles(), w.allTiles()-w.chunk)
		p.Run(ceilDiv(w.tiles, transformTiles), (*transformChunk)(w))
		p.Run(w.grid.positions*w.groups*w.columnBlocks(), (*multiplyChunk)(w))
	}
	p.Run(w.outputs(), (*finishGradient)(w))
}

// columnBlocks returns into how many tasks the columns of a position are cut.
func (w *winogradWeights) columnBlocks() int { return ceilDiv(w.channels, gradientColumns) }

// Do transforms some tiles of the inputs and of the gradients.
func (j *transformChunk) Do(task, _ int) {
	w := (*winogradWeights)(j)
	begin, end := task*transformTiles, min((task+1)*transformTiles, w.tiles)
	for t := begin; t < end; t++ {
		w.grid.input.spreadTile(w.inputs[t*w.inputRow():], w.inputStep(), w.grid.inputTile(w.chunk+t, 0), w.pixel)
		w.grid.outputGradient.spreadTile(w.gradients[t*w.gradientRow():], w.gradientStep(), w.gradient(w.chunk+t), w.outputs())
	}
	for i := 0; w.pairs && i < w.grid.positions; i++ {
		inputs, gradients := w.inputs[i*w.inputStep()+begin*w.inputRow():], w.gradients[i*w.gradientStep()+begin*w.gradientRow():]
		pairRows(inputs, 2*w.inputRow(), inputs, w.inputRow(), end-begin, w.pixel)
		pairRows(gradients, 2*w.gradientRow(), gradients, w.gradientRow(), end-begin, w.outputs())
	}
}

// gradient returns a tile of the outputs' gradients.
func (w *winogradWeights) gradient(tile int) tileSource {
	n, y, x := w.grid.corner(tile)
	return tileSource{
		data: w.dy[((n*w.outH+y)*w.outW+x)*w.outputs():], row: w.outW * w.outputs(), col: w.outputs(),
		rows: existing(y, w.outH), cols: existing(x, w.outW),
	}
}

// Do adds the products of one position, group and block of columns.
func (j *multiplyChunk) Do(task, _ int) {
	w := (*winogradWeights)(j)
	blocks := w.columnBlocks()
	position, group, col := task/(blocks*w.groups), task/blocks%w.groups, task%blocks*gradientColumns
	m := product{
		rows: w.rows, cols: min(gradientColumns, w.channels-col), pairs: w.pairs,
		c: view{w.products[position*w.productStep()+group*w.rows*w.channels+col:], w.channels},
	}
	m.accumulate = w.chunk > 0
	steps, gradientRow, inputRow := w.tiles, w.gradientRow(), w.inputRow()
	if w.pairs {
		steps, gradientRow, inputRow = ceilDiv(steps, 2), 2*gradientRow, 2*inputRow
	}
	gradients := w.gradients[position*w.gradientStep()+group*w.rows:]
	inputs := w.inputs[position*w.inputStep()+group*w.channels+col:]
	for t, depth := 0, equalBlocks(steps, gradientDepth); t < steps; t += depth {
		m.depth = min(depth, steps-t)
		m.left, m.right = columnsOf(gradients[t*gradientRow:], gradientRow), matrixOf(inputs[t*inputRow:], inputRow)
		m.run()
		m.accumulate = true
	}
}

// Do transforms the sums of one output channel to the gradient of its weights.
func (j *finishGradient) Do(task, _ int) {
	w := (*winogradWeights)(j)
	filter := w.dw[task*w.depth():]
	dst := tileTarget{data: filter, row: w.kw * w.channels, col: w.channels, rows: w.kh, cols: w.kw}
	if w.keep {
		dst.add, dst.flags = filter, flagAdd
	}
	w.grid.filterGradient.collectTile(dst, w.products[task*w.channels:], w.productStep(), w.channels)
}

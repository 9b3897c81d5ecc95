package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Blocking of weight gradients.
const (
	pixelBlock   = 384 // pixels that are summed in one block, an even number
	weightRows   = 264 // output channels at a time, for which dy stays in the second-level cache; whole tiles
	weightCols   = 288 // upper bound of the columns of a task
	wantSums     = 24  // tasks wanted; where there are fewer, pixels are split, then rows, then columns again
	maxSums      = 16  // splits of the pixels, each with its own partial sums
	fewestRows   = 96  // lower bound of the rows of a task, if they are split
	fewestCols   = 64  // the same for columns
	sumChunk     = 1 << 13
	blocksPerSum = 4 // blocks of pixels a split has at least
)

// weightProduct is the weight gradient as a product: dw [OutC, taps·channels] = dyᵀ · gathered pixels. The pixels are
// cut into splits whose sums go to their own slots and are added in order.
type weightProduct struct {
	gather
	n          int
	threads    int // of the call in flight, for which rows and columns are cut
	groups     int
	rows       int  // output channels of a group
	pairs      bool // pixels are multiplied in pairs of bf16
	dy         []float32
	dw         []float32
	sums       []float32 // one slot of len(dw) per split, if there is more than one
	accumulate bool      // add to dw
}

func (p *weightProduct) pixels() int { return p.n * p.outH * p.outW }

// wideBlocks returns the least number of parts into which the columns are cut. Parts of pairs may be wider: they take
// half the space, and each part rounds the rows again.
func (p *weightProduct) wideBlocks() int {
	limit := weightCols
	if p.pairs {
		limit *= 2
	}
	return mem.CeilDiv(p.depth(), limit)
}

// splits returns the number of parts into which the pixels are cut.
func (p *weightProduct) splits() int {
	blocks := mem.CeilDiv(p.pixels(), pixelBlock)
	return max(1, min(p.missing(1), maxSums, blocks/blocksPerSum))
}

// missing returns the number of parts into which tasks have to be cut further, if there are the given number of them
// for each wide block of columns.
func (p *weightProduct) missing(tasks int) int {
	return mem.CeilDiv(wantSums, tasks*p.wideBlocks()*p.groups)
}

// parts returns into how many parts such tasks are cut: those that are missing or, where they leave threads without
// work, up to so many.
func (p *weightProduct) parts(tasks, most int) int {
	missing := p.missing(tasks)
	all := tasks * missing * p.wideBlocks() * p.groups
	return missing * piecesFor(all, max(p.threads, 1), most/missing)
}

func (p *weightProduct) size() int { return p.groups * p.rows * p.depth() }

// slotSize returns the floats of a split's own sums.
func (p *weightProduct) slotSize() int { return mem.RoundUp(p.size(), mem.Line) }

// takeSums takes the sums of all splits. One split needs none.
func (p *weightProduct) takeSums(splits int, space *mem.Scratch) []float32 {
	if splits == 1 {
		return nil
	}
	return space.Take(splits * p.slotSize())
}

// rowBlock returns the output channels of a task, whole tiles. Every task copies its columns where they have to be
// copied, so there the channels are not cut further.
func (p *weightProduct) rowBlock() int {
	fewest := fewestRows
	if p.pairs || !p.plain() {
		fewest = weightRows
	}
	parts := p.parts(p.splits(), p.rows/fewest)
	return mem.RoundUp(max(mem.CeilDiv(p.rows, parts), fewest), gemm.Tile().Rows)
}

func (p *weightProduct) rowBlocks() int { return mem.CeilDiv(p.rows, p.rowBlock()) }

// columnBlock returns the columns of a task, whole panels.
func (p *weightProduct) columnBlock() int {
	cols := mem.CeilDiv(p.depth(), p.wideBlocks())
	parts := p.parts(p.splits()*p.rowBlocks(), cols/fewestCols)
	return mem.RoundUp(min(cols, max(mem.CeilDiv(cols, parts), fewestCols)), gemm.Tile().Cols)
}

func (p *weightProduct) columnBlocks() int { return mem.CeilDiv(p.depth(), p.columnBlock()) }

func (p *weightProduct) tasks() int { return p.splits() * p.groups * p.columnBlocks() * p.rowBlocks() }

// gatheredRow is the distance of gathered pixels, an odd number of cache lines.
func (p *weightProduct) gatheredRow() int { return mem.PaddedRow(p.columnBlock()) }

// widestRow is the largest that gatheredRow is with any number of threads.
func (p *weightProduct) widestRow() int {
	return mem.PaddedRow(mem.RoundUp(mem.CeilDiv(p.depth(), p.wideBlocks()), gemm.Tile().Cols))
}

// weightScratch is what a task needs besides its operands.
type weightScratch struct {
	rows    []float32 // of dyᵀ, packed, or those that fill no tile
	columns []float32 // packed or gathered
}

func (p *weightProduct) takeScratch(space *mem.Scratch) weightScratch {
	block := min(pixelBlock, p.pixels())
	rows := gemm.Tile().Rows
	if p.packsRows() {
		rows = mem.RoundUp(min(p.rows, weightRows), rows)
	}
	return weightScratch{rows: space.Take(block * rows), columns: space.Take(block * p.widestRow())}
}

func (p *weightProduct) workerSize() int {
	space := mem.CountingScratch()
	p.takeScratch(&space)
	return space.Size()
}

// packsRows reports whether the rows of dyᵀ are packed.
func (p *weightProduct) packsRows() bool { return p.groups*p.rows >= gemm.Tuned().PackedRows }

// packsColumns reports whether columns that tiles could read where they are are packed.
func (p *weightProduct) packsColumns() bool { return p.pixel >= gemm.Tuned().PackedColumns }

// weightTask is a part of the sums: those of some channels over some pixels.
type weightTask struct {
	group      int
	row, rows  int       // output channels of the group
	col, cols  int       // taps and channels
	begin, end int       // pixels
	dst        []float32 // where the sums of all channels go
	add        bool      // dst holds something that they are added to
}

// task returns a task. The rows of the same columns follow each other.
func (p *weightProduct) task(index int) weightTask {
	var t weightTask
	next := func(parts int) int {
		part := index % parts
		index /= parts
		return part
	}
	t.row = next(p.rowBlocks()) * p.rowBlock()
	t.rows = min(p.rowBlock(), p.rows-t.row)
	t.col = next(p.columnBlocks()) * p.columnBlock()
	t.cols = min(p.columnBlock(), p.depth()-t.col)
	t.group = next(p.groups)
	split, splits := index, p.splits()
	blocks := mem.CeilDiv(p.pixels(), pixelBlock)
	t.begin, t.end = blocks*split/splits*pixelBlock, min(blocks*(split+1)/splits*pixelBlock, p.pixels())
	t.dst, t.add = p.dw, p.accumulate
	if splits > 1 {
		t.dst, t.add = p.sums[split*p.slotSize():], false
	}
	return t
}

// multiply computes one task.
func (p *weightProduct) multiply(task int, ws []float32) {
	t := p.task(task)
	depth, pixel := p.depth(), p.groups*p.rows
	source := p.gather
	source.first += t.group * p.channels
	m := gemm.Product{Cols: t.cols}
	m.Accumulate = t.add
	m.Stream = !p.accumulate && p.pixels() <= pixelBlock && mem.PastCaches(p.size())
	space := mem.NewScratch(ws)
	scratch := p.takeScratch(&space)
	lastRow := t.row + t.rows
	for at := t.begin; at < t.end; at += pixelBlock {
		m.Depth = min(pixelBlock, t.end-at)
		m.Right = p.columns(&source, &t, at, m.Depth, scratch.columns)
		for o := t.row; o < lastRow; o += weightRows {
			m.Rows = min(weightRows, lastRow-o)
			m.C = gemm.View{Data: t.dst[(t.group*p.rows+o)*depth+t.col:], Row: depth}
			rows := p.dy[at*pixel+t.group*p.rows+o:]
			if p.packsRows() {
				gemm.PackColumns(scratch.rows, rows, pixel, m.Depth, m.Rows)
				m.Left = gemm.BandsOf(scratch.rows, m.Depth)
			} else {
				m.Left = gemm.ColumnsOf(rows, pixel).WithEdge(scratch.rows)
			}
			m.Ahead = p.readAfter(&t, at, o)
			m.Run()
		}
		m.Accumulate = true
	}
}

// columns returns the columns of a task at a block of pixels of the group, as the right factor.
func (p *weightProduct) columns(source *gather, t *weightTask, at, pixels int, space []float32) gemm.RightFactor {
	if !p.directColumns(at + pixels) {
		source.fill(space, p.gatheredRow(), at, pixels, t.col, t.col+t.cols)
		return gemm.MatrixOf(space, p.gatheredRow())
	}
	columns := source.src[at*source.pixel+source.first+t.col:]
	if p.packsColumns() {
		gemm.PackByRows(space, columns, source.pixel, pixels, t.cols)
		return gemm.PanelsOf(space, pixels*gemm.Tile().Cols)
	}
	return gemm.MatrixOf(columns, source.pixel)
}

// readAfter returns what is read after the product of a block of pixels and of rows.
func (p *weightProduct) readAfter(t *weightTask, at, row int) gemm.Prefetch {
	next := min(at+pixelBlock, t.end)
	switch below := row + weightRows; {
	case p.groups > 1:
	case t.cols == p.depth() && t.rows == p.rows && p.rows <= weightRows: // all that follows in memory
		last := min(next+pixelBlock, t.end)
		dy := p.dy[next*p.rows : last*p.rows]
		if !p.plain() {
			return gemm.PrefetchEvenly(dy)
		}
		return gemm.PrefetchEvenly(dy, p.src[next*p.pixel:last*p.pixel])
	case below < t.row+t.rows:
		rows, more := p.stripsOfRows(t, at, below)
		return gemm.PrefetchStrips(rows, more)
	case next < t.end:
		rows, more := p.stripsOfRows(t, next, t.row)
		if !p.plain() {
			return gemm.PrefetchStrips(rows, more)
		}
		cols, moreCols := p.stripsOfPixels(p.src[next*p.pixel+t.col:], p.pixel, t.cols)
		return gemm.PrefetchStrips(rows, more, cols, moreCols)
	}
	return gemm.Prefetch{}
}

// stripsOfRows returns the rows of dyᵀ from the given one on, beginning with pixel at.
func (p *weightProduct) stripsOfRows(t *weightTask, at, row int) (first, second gemm.PrefetchBlock) {
	return p.stripsOfPixels(p.dy[at*p.rows+row:], p.rows, min(weightRows, t.row+t.rows-row))
}

// stripsOfPixels returns columns of pixels. A step of the depth is one pixel, or a pair of them: then there are strips
// of the first and of the second.
func (p *weightProduct) stripsOfPixels(data []float32, pixel, cols int) (first, second gemm.PrefetchBlock) {
	if !p.pairs {
		return gemm.StripsOf(data, pixel, cols), gemm.PrefetchBlock{}
	}
	if first = gemm.StripsOf(data, 2*pixel, cols); len(data) >= pixel+cols {
		second = gemm.StripsOf(data[pixel:], 2*pixel, cols)
	}
	return first, second
}

// directColumns reports whether tiles read their columns of the pixels before end where they are. The narrowest tile
// may read into the next pixel, which then has to exist.
func (p *weightProduct) directColumns(end int) bool {
	return p.plain() && (end < p.pixels() || p.channels%gemm.ColumnUnit == 0)
}

// addTasks returns the number of tasks that add the splits' sums.
func (p *weightProduct) addTasks(splits int) int {
	if splits == 1 {
		return 0
	}
	return mem.CeilDiv(p.size(), sumChunk)
}

// addTask adds a part of them.
func (p *weightProduct) addTask(task, splits int) {
	lo, hi := task*sumChunk, min((task+1)*sumChunk, p.size())
	if !p.accumulate {
		clear(p.dw[lo:hi])
	}
	vec.AddRows(p.dw[lo:hi], p.sums[lo:], p.slotSize(), splits, hi-lo)
}

// channelSum is the gradient of a bias: db[c] = Σ dy[r,c], in float32 over a block of rows, in float64 over the blocks.
type channelSum struct {
	rows, channels int
	dy             []float32
	sums           []float32 // [partials, channels]
}

func (p *channelSum) tasks() int { return parallel.Partials(p.rows) }

// takeSums takes the sums over the given number of rows.
func (p *channelSum) takeSums(rows int, space *mem.Scratch) []float32 {
	return space.Take(parallel.Partials(rows) * mem.RoundUp(p.channels, mem.Line))
}

// Do adds up one part of the rows.
func (p *channelSum) Do(task, _ int) {
	begin := task * parallel.PartialRows(p.rows)
	rows := min(parallel.PartialRows(p.rows), p.rows-begin)
	sum := p.sums[task*mem.RoundUp(p.channels, mem.Line):][:p.channels]
	clear(sum)
	vec.AddRows(sum, p.dy[begin*p.channels:], p.channels, rows, p.channels)
}

// finish adds the blocks' sums, to db itself if accumulate is set.
func (p *channelSum) finish(db []float32, accumulate bool) {
	for c := range p.channels {
		sum := 0.0
		for task := range p.tasks() {
			sum += float64(p.sums[task*mem.RoundUp(p.channels, mem.Line)+c])
		}
		if accumulate {
			sum += float64(db[c])
		}
		db[c] = float32(sum)
	}
}

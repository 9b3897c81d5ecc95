package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Blocking of the whole backward pass of 1×1 convolutions, and where it pays: dy has to be larger than dx, and the
// weights small, as their gradient is added up once for every block.
const (
	jointFloats       = 1 << 17 // of dy in a block: whole blocks of rows, in the second-level cache
	jointSplits       = 16      // upper bound of the splits of the pixels, each with its own partial sums
	maxJointDepth     = 1024
	maxJointWeights   = 1 << 18
	fewestJointPixels = 128 // of an image
)

// jointProduct is the whole backward pass of a 1×1 convolution that a batch norm follows. The pixels are cut into
// splits, those into blocks: of each block, dy is computed, multiplied by the weights, and by the input for the
// weights' gradient, whose sums over a split go to their own slot.
type jointProduct struct {
	data    implicitProduct
	weights weightProduct

	args      *Joint    // of the call in flight
	wave      jointWave // of many threads
	scratch   []float32 // of all workers
	perWorker int
}

// The stages of a call.
type (
	jointPack     jointProduct
	jointMultiply jointProduct
	jointAdd      jointProduct
)

// newJointProduct returns the whole backward pass of a convolution with such a data gradient and weight gradient, nil
// if they are not both one product of rows that lie in memory.
func newJointProduct(data implicitProduct, weights weightProduct) *jointProduct {
	if !data.plain() || !weights.plain() || data.groups > 1 {
		return nil
	}
	j := &jointProduct{data: data, weights: weights}
	j.data.given = true
	return j
}

// useJoint lets a convolution compute its whole backward pass at once, where that pays.
func (c *Conv) useJoint() {
	depth, size, pixels := c.s.OutC, c.s.OutC*c.s.C, c.s.H*c.s.W
	if depth > c.s.C && depth <= maxJointDepth && size <= maxJointWeights && pixels >= fewestJointPixels {
		c.jointProduct = newJointProduct(c.data[0], c.weights.weightProduct)
	}
}

// depth returns the channels of dy.
func (j *jointProduct) depth() int { return j.data.depth() }

// row is the distance of the pixels of dy.
func (j *jointProduct) row() int {
	if j.depth()%512 == 0 {
		return mem.PaddedRow(j.depth())
	}
	return j.depth()
}

// pixels returns the pixels of a block.
func (j *jointProduct) pixels() int {
	return rowBlock * min(max(1, jointFloats/(j.depth()*rowBlock)), pixelBlock/rowBlock)
}

func (j *jointProduct) blocks() int { return mem.CeilDiv(j.data.rows(), j.pixels()) }

func (j *jointProduct) perSplit() int { return mem.CeilDiv(j.blocks(), jointSplits) }

func (j *jointProduct) splits() int { return mem.CeilDiv(j.blocks(), j.perSplit()) }

func (j *jointProduct) dySize() int { return mem.RoundUp(j.pixels()*j.row(), mem.Line) }

// workerSize returns the scratch of a worker: dy of a block, and what either product needs.
func (j *jointProduct) workerSize() int {
	dy, sum := mem.CountingScratch(), mem.CountingScratch()
	dy.Take(j.dySize())
	j.takeSumScratch(&sum)
	return dy.Size() + max(j.data.workerSize(), sum.Size())
}

// takeSumScratch takes what a block of pixels of the weights' gradient needs: the edge of dyᵀ, and the place of the
// input where that is copied.
func (j *jointProduct) takeSumScratch(space *mem.Scratch) (edge, columns []float32) {
	return space.Take(gemm.EdgeSize(j.pixels())), space.Take(j.pixels() * mem.PaddedRow(j.weights.depth()))
}

// takeCall takes the packed weights and the sums of the weights' gradient.
func (j *jointProduct) takeCall(space *mem.Scratch) (packed, sums []float32) {
	return space.Take(j.data.packedSize()), j.weights.takeSums(j.splits(), space)
}

func (j *jointProduct) workspace(n, threads int) int {
	of := *j
	of.data, of.weights.n = of.data.sized(n), n
	space := mem.CountingScratch()
	of.takeCall(&space)
	of.takeWave(threads, &space)
	waiting := mem.RoundUp(rowBlock*j.data.dstPixel, mem.Line) // where sums are taken for a batch norm before
	return space.Size() + threads*(of.workerSize()+waiting)
}

// blocksOf returns the number of blocks of the sums over n samples.
func (j *jointProduct) blocksOf(n int) int {
	data := j.data.sized(n)
	return data.rowBlocks()
}

// run computes both gradients, and returns the number of blocks of the sums.
func (j *jointProduct) run(p *parallel.Pool, n int, args *Joint, before *norm.GradientSums, ws []float32) int {
	d, w := &j.data, &j.weights
	d.n, w.n, j.args = n, n, args
	d.src, d.weights, d.dst, d.add, d.norm = args.DY.G, args.W, args.DX, args.Add, before
	w.src, w.dw, w.accumulate = args.X, args.DW, args.Accumulate
	space := mem.NewScratch(ws)
	packed, sums := j.takeCall(&space)
	w.sums = sums
	d.start(packed)
	j.wave = j.takeWave(p.Threads(), &space)
	j.scratch, j.perWorker = space.Rest, j.workerSize()
	p.Run(d.packTasks(), (*jointPack)(j))
	if j.wave.perSplit > 0 {
		j.runWaves(p)
	} else {
		p.Run(j.splits(), (*jointMultiply)(j))
	}
	if tasks := w.addTasks(j.splits()); tasks > 0 {
		p.Run(tasks, (*jointAdd)(j))
	}
	d.norm = nil
	return d.rowBlocks()
}

func (k *jointPack) Do(task, worker int) {
	k.data.packTask(task, k.scratch[worker*k.perWorker:][:k.perWorker])
}

// Do computes a split.
func (k *jointMultiply) Do(split, worker int) {
	j := (*jointProduct)(k)
	space := j.scratchOf(worker)
	dy := space.Take(j.dySize())
	slot, add := j.slot(split)
	for block := range j.perSplit() {
		at, pixels := j.block(split, block)
		j.multiplyPixels(dy, at, pixels, space.Rest)
		j.sumPixels(slot, dy, at, pixels, 0, j.weights.rows, add, space.Rest)
		add = true
	}
}

func (j *jointProduct) scratchOf(worker int) mem.Scratch {
	return mem.NewScratch(j.scratch[worker*j.perWorker:][:j.perWorker])
}

// slot returns where the sums of a split go, and whether they are added to what is there.
func (j *jointProduct) slot(split int) (slot []float32, add bool) {
	if j.splits() == 1 {
		return j.args.DW, j.args.Accumulate
	}
	return j.weights.sums[split*j.weights.slotSize():][:j.weights.size()], false
}

// block returns the first pixel of a block of a split, and how many it has: none after the last.
func (j *jointProduct) block(split, block int) (at, pixels int) {
	at = (split*j.perSplit() + block) * j.pixels()
	return at, max(0, min(j.pixels(), j.data.rows()-at))
}

// multiplyPixels computes dy of some pixels, and their data gradient.
func (j *jointProduct) multiplyPixels(dy []float32, at, pixels int, ws []float32) {
	for r := 0; r < pixels; r += rowBlock {
		j.multiplyRows(dy[r*j.row():], at+r, ws)
	}
}

// multiplyRows computes a block of rows of dy, and of the data gradient.
func (j *jointProduct) multiplyRows(dy []float32, row int, ws []float32) {
	var b productBlock
	b.begin(&j.data, row/rowBlock, wholeTask, ws)
	j.args.DY.Rows(dy, j.row(), row, b.m.Rows)
	b.rowsGiven = gemm.View{Data: dy, Row: j.row()}
	j.fetchNext(&b, row+b.m.Rows)
	b.multiply()
}

// fetchNext has the tiles of a block fetch what the block of rows from the given one on is computed from.
func (j *jointProduct) fetchNext(b *productBlock, row int) {
	last := min(row+rowBlock, j.data.rows())
	from := func(x []float32, pixel int) []float32 { return x[row*pixel : last*pixel] }
	b.m.Ahead = gemm.PrefetchEvenly(b.before, from(j.args.DY.G, j.depth()), from(j.args.DY.X, j.depth()),
		from(j.args.X, j.weights.pixel))
}

// sumPixels adds the gradient of the weights of some output channels over a block of pixels.
func (j *jointProduct) sumPixels(slot, dy []float32, at, pixels, first, last int, add bool, ws []float32) {
	if pixels == 0 {
		return
	}
	w := &j.weights
	space := mem.NewScratch(ws)
	m := gemm.Product{Cols: w.depth(), Depth: pixels}
	m.Accumulate = add
	edge, columns := j.takeSumScratch(&space)
	if w.directColumns(at + pixels) {
		m.Right = gemm.MatrixOf(w.src[at*w.pixel:], w.pixel)
	} else {
		row := mem.PaddedRow(w.depth())
		m.Right = gemm.MatrixOf(columns, row)
		w.fill(columns, row, at, pixels, 0, w.depth())
	}
	for o := first; o < last; o += weightRows {
		m.Rows = min(weightRows, last-o)
		m.Left = gemm.ColumnsOf(dy[o:], j.row()).WithEdge(edge)
		m.C = gemm.View{Data: slot[o*w.depth():], Row: w.depth()}
		m.Run()
	}
}

func (k *jointAdd) Do(task, _ int) { k.weights.addTask(task, (*jointProduct)(k).splits()) }

package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// productPass is a forward pass or a data gradient as matrix products. First the weights of all its parts are packed,
// then blocks of them are multiplied.
type productPass struct {
	operands []*implicitProduct // what the parts multiply, in a form of their own
	parts    []blockedProduct

	kept keptWeights // packed for all calls that they serve

	pieces    int       // of every task, in the call in flight
	scratch   []float32 // of all workers
	perWorker int
}

// blockedProduct is a product whose weights are packed before blocks of it are multiplied, or in blocks.
type blockedProduct interface {
	of(n int) blockedProduct // a copy for n images, to ask for sizes and the form
	form() Form
	packedSize() int        // floats of packed weights
	packsAhead() bool       // each call packs them before it multiplies, unless they are kept
	start(packed []float32) // nil if blocks pack what they need
	packTasks() int
	packTask(task int, ws []float32)
	tasks() int      // none of them is cut
	mostPieces() int // into which a task can be cut
	multiply(task int, of piece, ws []float32)
	workerSize() int // scratch that a task of either kind needs
}

// add appends a part that multiplies the given operands.
func (m *productPass) add(operands *implicitProduct, part blockedProduct) {
	m.operands, m.parts = append(m.operands, operands), append(m.parts, part)
}

// The stages of a call.
type (
	packParts     productPass
	multiplyParts productPass
)

func (m *productPass) workspace(n, threads int) int {
	space, perWorker := mem.CountingScratch(), 0
	for _, part := range m.parts {
		if part = part.of(n); part.packsAhead() {
			space.Take(part.packedSize())
		}
		perWorker = max(perWorker, part.workerSize())
	}
	return space.Size() + threads*perWorker
}

func (m *productPass) forward(p *parallel.Pool, n int, y, x, w []float32, e Epilogue, ws []float32) {
	f := m.operands[0]
	f.n, f.src, f.weights, f.dst, f.add, f.bias, f.relu = n, x, w, y, e.Add, e.Bias, e.Act == act.ReLU
	f.follows = e.follows()
	m.run(p, ws)
}

func (m *productPass) backwardData(p *parallel.Pool, n int, dx, dy, w, add, ws []float32) {
	for _, phase := range m.operands {
		phase.n, phase.src, phase.weights, phase.dst, phase.add = n, dy, w, dx, add
	}
	m.run(p, ws)
}

// run packs the weights and multiplies.
func (m *productPass) run(p *parallel.Pool, ws []float32) {
	space := mem.NewScratch(ws)
	packTasks, tasks := 0, 0
	m.perWorker = 0
	for _, part := range m.parts {
		switch {
		case m.kept.samples == m.operands[0].n:
			part.start(m.kept.packed)
		case part.packsAhead():
			part.start(space.Take(part.packedSize()))
			packTasks += tasksAhead(part)
		default:
			part.start(nil)
		}
		tasks += part.tasks()
		m.perWorker = max(m.perWorker, part.workerSize())
	}
	m.scratch = space.Rest
	if packTasks > 0 {
		p.Run(packTasks, (*packParts)(m))
	}
	if f := m.operands[0]; f.summed.Sums != nil {
		f.summed.run(p, f.firstTasks(), tasks, (*multiplyParts)(m), f.dst[:rowBlock*f.dstPixel], f.cols)
		return
	}
	(*multiplyParts)(m).run(p, tasks)
}

// run runs some tasks, in pieces where there are too few for the threads.
func (m *multiplyParts) run(p *parallel.Pool, tasks int) {
	most := m.parts[0].mostPieces()
	for _, part := range m.parts {
		most = min(most, part.mostPieces())
	}
	m.pieces = piecesFor(tasks, p.Threads(), most)
	p.Run(tasks*m.pieces, m)
}

func (m *packParts) Do(task, worker int) {
	pass := (*productPass)(m)
	part, task := pass.partOf(task, tasksAhead)
	part.packTask(task, pass.scratchOf(worker))
}

func (m *multiplyParts) Do(task, worker int) {
	pass := (*productPass)(m)
	of := piece{task % pass.pieces, pass.pieces}
	part, task := pass.partOf(task/pass.pieces+pass.operands[0].summed.first, blockedProduct.tasks)
	part.multiply(task, of, pass.scratchOf(worker))
}

// tasksAhead returns how many tasks pack a part's weights before it multiplies.
func tasksAhead(part blockedProduct) int {
	if !part.packsAhead() {
		return 0
	}
	return part.packTasks()
}

// partOf returns the part that a task of a stage belongs to, and the task's number among those of the part. tasks
// returns how many tasks of the stage a part has.
func (m *productPass) partOf(task int, tasks func(blockedProduct) int) (blockedProduct, int) {
	i := 0
	for n := tasks(m.parts[i]); task >= n; n = tasks(m.parts[i]) {
		task -= n
		i++
	}
	return m.parts[i], task
}

func (m *productPass) scratchOf(worker int) []float32 {
	return m.scratch[worker*m.perWorker:][:m.perWorker]
}

// weightPass is a weight gradient as a matrix product of floats, or of pairs of bf16.
type weightPass struct {
	weightProduct

	scratch   []float32 // of all workers, in the call in flight
	perWorker int
}

// The stages of a call.
type (
	sumWeights weightPass
	addSums    weightPass
)

// multiplier returns what multiplies a task.
func (w *weightPass) multiplier() interface {
	workerSize() int
	multiply(task int, ws []float32)
} {
	if w.pairs {
		return pairedWeights{&w.weightProduct}
	}
	return &w.weightProduct
}

func (w *weightPass) workspace(n, threads int) int {
	of := *w
	of.n = n
	space := mem.CountingScratch()
	of.takeSums(of.splits(), &space)
	return space.Size() + threads*of.multiplier().workerSize()
}

func (w *weightPass) backwardWeights(p *parallel.Pool, n int, dw, dy, x []float32, accumulate bool, ws []float32) {
	w.n, w.src, w.dy, w.dw, w.accumulate = n, x, dy, dw, accumulate
	space := mem.NewScratch(ws)
	w.sums = w.takeSums(w.splits(), &space)
	w.scratch, w.perWorker, w.threads = space.Rest, w.multiplier().workerSize(), p.Threads()
	p.Run(w.tasks(), (*sumWeights)(w))
	if tasks := w.addTasks(w.splits()); tasks > 0 {
		p.Run(tasks, (*addSums)(w))
	}
}

func (j *sumWeights) Do(task, worker int) {
	(*weightPass)(j).multiplier().multiply(task, j.scratch[worker*j.perWorker:][:j.perWorker])
}

func (j *addSums) Do(task, _ int) {
	w := &j.weightProduct
	w.addTask(task, w.splits())
}

// blockGrid cuts products into tasks: blocks of rows, and blocks of columns of a group. Those of the same rows follow
// each other, group by group.
type blockGrid struct {
	rowBlocks         int
	groups            int
	cols, columnBlock int // of a group
}

func (g *blockGrid) tasks() int { return g.rowBlocks * g.groups * mem.CeilDiv(g.cols, g.columnBlock) }

// task returns the block of rows, the group and the columns of a task.
func (g *blockGrid) task(index int) (rowBlock, group, col, cols int) {
	columnBlocks := mem.CeilDiv(g.cols, g.columnBlock)
	col = index % columnBlocks * g.columnBlock
	return index / (columnBlocks * g.groups), index / columnBlocks % g.groups, col, min(g.columnBlock, g.cols-col)
}

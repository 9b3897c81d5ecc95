package norm

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// gradientBlockRows is [parallel.BlockRows] for the sums of gradients, which add up row by row, and so round more
// often.
const gradientBlockRows = 16

// channelsPerTask is how many channels a task has that adds up partial sums.
const channelsPerTask = 16

// rowSums is a reduction over rows: each task leaves two partial sums for every channel in its slot.
type rowSums struct {
	rows, c   int
	perTask   int // rows
	tasks     int
	slots     []float64 // [tasks, 2, c]
	spare     int       // rows of a worker's scratch
	perWorker int       // floats of it
	workers   []float32
}

// newRowSums lays out the sums of rows of c channels, with spare rows of scratch for each worker.
func newRowSums(rows, c, spare int) rowSums {
	s := rowSums{rows: rows, c: c, perTask: parallel.PartialRows(rows), tasks: parallel.Partials(rows), spare: spare}
	counter := mem.CountingScratch()
	s.takeScratch(&counter)
	s.perWorker = counter.Size()
	return s
}

// workspace returns how many floats of scratch the sums need.
func (s *rowSums) workspace(threads int) int {
	return mem.Float64Size(2*s.tasks*s.c) + threads*s.perWorker
}

// use takes the slots and the scratch of the workers from a workspace.
func (s *rowSums) use(ws []float32) { s.slots, s.workers = mem.TakeFloat64(ws, 2*s.tasks*s.c) }

// sumScratch is what a worker needs.
type sumScratch struct {
	one, other []float32 // [c], the two sums over a block of rows
	spare      []float32 // [spare, c]
}

func (s *rowSums) takeScratch(space *mem.Scratch) sumScratch {
	return sumScratch{one: space.Take(s.c), other: space.Take(s.c), spare: space.Take(s.spare * s.c)}
}

// task returns the rows [first,last) of a task and its two partial sums, cleared.
func (s *rowSums) task(task int) (first, last int, one, other []float64) {
	slot := s.slots[2*task*s.c : 2*(task+1)*s.c]
	clear(slot)
	return task * s.perTask, min((task+1)*s.perTask, s.rows), slot[:s.c], slot[s.c:]
}

// worker returns the scratch of a worker.
func (s *rowSums) worker(worker int) sumScratch {
	space := mem.NewScratch(s.workers[worker*s.perWorker:][:s.perWorker])
	own := s.takeScratch(&space)
	own.one, own.other = own.one[:s.c], own.other[:s.c]
	return own
}

// partial returns what a task has left for the channels [first,last).
func (s *rowSums) partial(task, first, last int) (one, other []float64) {
	return s.slots[2*task*s.c+first : 2*task*s.c+last], s.slots[(2*task+1)*s.c+first : (2*task+1)*s.c+last]
}

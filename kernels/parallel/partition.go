package parallel

import "github.com/reidbench/reidbench/kernels/mem"

// How work is cut. All of it depends on shapes only, so that results do not depend on the number of threads.
const (
	TaskFloats   = 1 << 14 // values in a task of a pointwise kernel: with two operands, half of a first-level cache
	BlockRows    = 128     // rows that a reduction adds up in float32 before it goes on in float64
	GradientRows = 16      // the same for those that add up row by row, and so round more often
	MaxPartials  = 64      // tasks, and so partial sums, of a reduction over rows
	FinishBlocks = 256     // channels in a task that adds partial sums
)

// SizeTasks returns into how many tasks a pointwise kernel cuts size values.
func SizeTasks(size int) int { return mem.CeilDiv(size, TaskFloats) }

// SizeRange returns the values [lo,hi) of such a task.
func SizeRange(task, size int) (lo, hi int) {
	return task * TaskFloats, min((task+1)*TaskFloats, size)
}

// RowsPerTask returns how many rows of c values make a task of a pointwise kernel.
func RowsPerTask(c int) int { return max(1, TaskFloats/c) }

// PartialRows returns how many rows, a multiple of BlockRows, make a task of a reduction over rows.
func PartialRows(rows int) int {
	return BlockRows * max(1, mem.CeilDiv(mem.CeilDiv(rows, BlockRows), MaxPartials))
}

// Partials returns how many tasks that gives.
func Partials(rows int) int { return mem.CeilDiv(rows, PartialRows(rows)) }

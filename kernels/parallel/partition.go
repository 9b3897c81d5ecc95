package parallel

import "github.com/reidbench/reidbench/kernels/mem"

// TaskFloats is how many values a task of a pointwise kernel has: with two operands, half of a first-level cache.
const TaskFloats = 1 << 14

// BlockRows is how many rows a reduction adds up in float32 before it goes on in float64.
const BlockRows = 128

// maxPartials is how many tasks, and so partial sums, a reduction over rows has at most.
const maxPartials = 64

// Tasks returns into how many tasks a pointwise kernel cuts size values.
func Tasks(size int) int { return mem.CeilDiv(size, TaskFloats) }

// Range returns the values [lo,hi) of a task of a pointwise kernel of the given size.
func Range(task, size int) (lo, hi int) {
	return task * TaskFloats, min((task+1)*TaskFloats, size)
}

// RowsPerTask returns how many rows of c values make a task of a pointwise kernel.
func RowsPerTask(c int) int { return max(1, TaskFloats/c) }

// PartialRows returns how many rows, a multiple of BlockRows, make a task of a reduction over the given number of rows.
func PartialRows(rows int) int {
	return BlockRows * max(1, mem.CeilDiv(mem.CeilDiv(rows, BlockRows), maxPartials))
}

// Partials returns how many tasks, and so partial sums, a reduction over the given number of rows has.
func Partials(rows int) int { return mem.CeilDiv(rows, PartialRows(rows)) }

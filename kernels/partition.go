package kernels

// How work is cut. All of it depends on shapes only, so that results do not depend on the number of threads.
const (
	taskFloats   = 1 << 14 // values in a task of a pointwise kernel: with two operands, half of a first-level cache
	blockRows    = 128     // rows that a reduction adds up in float32 before it goes on in float64
	gradientRows = 16      // the same for those that add up row by row, and so round more often
	maxPartials  = 64      // tasks, and so partial sums, of a reduction over rows
	finishBlocks = 256     // channels in a task that adds partial sums
)

// sizeTasks returns into how many tasks a pointwise kernel cuts size values.
func sizeTasks(size int) int { return ceilDiv(size, taskFloats) }

// sizeRange returns the values [lo,hi) of such a task.
func sizeRange(task, size int) (lo, hi int) {
	return task * taskFloats, min((task+1)*taskFloats, size)
}

// rowsPerTask returns how many rows of c values make a task of a pointwise kernel.
func rowsPerTask(c int) int { return max(1, taskFloats/c) }

// partialRows returns how many rows, a multiple of blockRows, make a task of a reduction over rows.
func partialRows(rows int) int {
	return blockRows * max(1, ceilDiv(ceilDiv(rows, blockRows), maxPartials))
}

// partials returns how many tasks that gives.
func partials(rows int) int { return ceilDiv(rows, partialRows(rows)) }

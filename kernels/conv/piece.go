package conv

import (
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/mem"
)

// Tasks are cut in pieces where there are too few of them for the threads.
const (
	busyEnough  = 85 // percent of the threads' time in use, for which nothing is cut further
	piecePanels = 2  // how many panels of columns a piece has at least: it gathers all rows for them
)

// piece is one of several equal parts of what is cut.
type piece struct{ index, pieces int }

// wholeTask is all of it.
var wholeTask = piece{0, 1}

// of returns which of n things are in the piece.
func (p piece) of(n int) (first, last int) {
	return p.index * n / p.pieces, (p.index + 1) * n / p.pieces
}

// columns returns which of a number of columns are in the piece: whole panels, but for the last.
func (p piece) columns(cols int) (first, last int) {
	width := gemm.Tile().Cols
	first, last = p.of(mem.CeilDiv(cols, width))
	return min(first*width, cols), min(last*width, cols)
}

func (p piece) last() bool { return p.index == p.pieces-1 }

// piecesFor returns into how many pieces, at most so many, each of some equal tasks is cut for a number of threads:
// into the fewest with which the threads are busy enough, or else those with which they are busiest.
func piecesFor(tasks, threads, most int) int {
	best, busiest := 1, 0
	for pieces := 1; pieces <= most; pieces++ {
		percent := busy(tasks*pieces, threads)
		if percent > busiest {
			best, busiest = pieces, percent
		}
		if percent >= busyEnough {
			break
		}
	}
	return best
}

// busy returns how many percent of the time of a number of threads some equal tasks take.
func busy(tasks, threads int) int { return 100 * tasks / max(mem.RoundUp(tasks, threads), 1) }

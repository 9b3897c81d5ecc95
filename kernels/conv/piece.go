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
		all := tasks * pieces
		busy := 100 * all / max(mem.RoundUp(all, threads), 1)
		if busy > busiest {
			best, busiest = pieces, busy
		}
		if busy >= busyEnough {
			break
		}
	}
	return best
}

package mem_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/kernels/mem"
)

func TestAlign(t *testing.T) {
	slab := mem.Allocate(4 * mem.Line)
	for skip := range 2*mem.Line + 1 {
		got := mem.Align(slab[skip:])
		if want := len(slab) - mem.RoundUp(skip, mem.Line); len(got) != want || !mem.Aligned(got) {
			t.Errorf("%d floats after a cache line: %d floats, aligned %t, want %d",
				skip, len(got), mem.Aligned(got), want)
		}
	}
	if got := mem.Align(slab[1:3]); len(got) != 0 {
		t.Errorf("two floats without a cache line's beginning: %d floats are left, want none", len(got))
	}
}

func TestAligned(t *testing.T) {
	slab := mem.Allocate(2 * mem.Line)
	for first := range 2 * mem.Line {
		if got, want := mem.Aligned(slab[first:]), first%mem.Line == 0; got != want {
			t.Errorf("%d floats after a cache line: aligned %t, want %t", first, got, want)
		}
	}
}

func TestPaddedRow(t *testing.T) {
	for depth := 1; depth <= 10*mem.Line; depth++ {
		row := mem.PaddedRow(depth)
		if row%mem.Line != 0 || row/mem.Line%2 == 0 {
			t.Errorf("rows of %d lie %d floats apart: not an odd number of cache lines", depth, row)
		}
		if row < depth || row-depth >= 2*mem.Line {
			t.Errorf("rows of %d lie %d floats apart: want the next two lines at most", depth, row)
		}
	}
}

// A workspace of the size that was counted is enough wherever it begins, and one of a cache line less is not
// everywhere.
func TestScratchCountsWhatItTakes(t *testing.T) {
	sizes := []int{5, 0, mem.Line, 3*mem.Line + 1}
	take := func(space *mem.Scratch) (pieces [][]float32) {
		for _, n := range sizes {
			pieces = append(pieces, space.Take(n))
		}
		return pieces
	}
	counter := mem.CountingScratch()
	for i, piece := range take(&counter) {
		if piece != nil {
			t.Errorf("piece %d of a scratch that counts has %d floats, want nil", i, len(piece))
		}
	}
	slab := mem.Allocate(counter.Size() + mem.Line)
	for skip := range mem.Line {
		clear(slab)
		space := mem.NewScratch(slab[skip:][:counter.Size()])
		for i, piece := range take(&space) {
			if len(piece) != mem.RoundUp(sizes[i], mem.Line) || len(piece) > 0 && !mem.Aligned(piece) {
				t.Errorf("piece %d of %d floats: %d floats, aligned %t", i, sizes[i], len(piece), mem.Aligned(piece))
			}
			for j := range piece {
				if piece[j]++; piece[j] != 1 {
					t.Fatalf("float %d of piece %d is another piece's, too", j, i)
				}
			}
			_ = append(piece, 7) // must not write to the next piece
		}
		if space.Size() != counter.Size() {
			t.Errorf("taken %d floats, counted %d", space.Size(), counter.Size())
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a workspace that is a cache line too small is not noticed")
		}
	}()
	space := mem.NewScratch(slab[1:][:counter.Size()-mem.Line])
	take(&space)
}

func TestTakeFloat64(t *testing.T) {
	const n = 5
	slab := mem.Allocate(mem.Float64Size(n) + 4)
	for first := range 2 { // at a multiple of 8 bytes, and not
		ws := slab[first:]
		clear(ws)
		values, rest := mem.TakeFloat64(ws, n)
		for i := range values {
			values[i] = float64(i) + 1.0/3
		}
		if want := len(ws) - mem.Float64Size(n); len(rest) != want {
			t.Errorf("%d floats are left, want %d", len(rest), want)
		}
		if diff := cmp.Diff(make([]float32, len(rest)), rest); diff != "" {
			t.Errorf("the rest is overwritten (-want +got):\n%s", diff)
		}
		want := []float64{1.0 / 3, 1 + 1.0/3, 2 + 1.0/3, 3 + 1.0/3, 4 + 1.0/3}
		if diff := cmp.Diff(want, values); diff != "" {
			t.Errorf("values (-want +got):\n%s", diff)
		}
	}
}

package gemm

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/kernels/mem"
)

// fetchedTimes returns how often the tiles of a product fetch each float of x, which blocks of f are parts of.
func fetchedTimes(f Prefetch, x []float32, tiles, steps int) []int {
	f.start(tiles, steps)
	times := make([]int, len(x))
	for tile := 0; tile < tiles; {
		piece, bands := f.next(tile, tiles-tile)
		if bands < 1 || bands > tiles-tile {
			panic("tiles that do not exist")
		}
		for band := range bands {
			if piece.at == nil {
				continue
			}
			from := cap(x) - cap(piece.at) + band*piece.perBand
			for step := range steps {
				lo, hi := from+step*piece.perStep, from+min((step+1)*piece.perStep, piece.perBand)
				for i := lo; i < min(hi, len(x)); i++ {
					times[i]++
				}
			}
		}
		tile += bands
	}
	return times
}

// What is spread is fetched once, as the blocks of it may end within a tile's share.
func TestPrefetchSpread(t *testing.T) {
	for _, tiles := range []int{1, 2, 5, 40} {
		for _, steps := range []int{1, 7, 64} {
			x := make([]float32, 1000)
			want := make([]int, len(x))
			for i := range want {
				want[i] = 1
			}
			requests := map[string]Prefetch{"all": PrefetchEvenly(x)}
			if tiles > 1 {
				requests["two"] = PrefetchEvenly(x[:600]).ByFirst(1).Then(x[600:])
			}
			for name, f := range requests {
				if diff := cmp.Diff(want, fetchedTimes(f, x, tiles, steps)); diff != "" {
					t.Errorf("%s, %d tiles of %d steps (-want +got):\n%s", name, tiles, steps, diff)
				}
			}
		}
	}
}

// Strips are fetched in the order in which they were given, one at a time, by tiles as far apart as possible.
func TestPrefetchStrips(t *testing.T) {
	const row, tiles = 200, 20
	first, second := make([]float32, 10*row), make([]float32, 10*row)
	f := PrefetchStrips(StripsOf(first, row, 3*2*mem.Line), PrefetchBlock{}, StripsOf(second, row, mem.Line))
	f.start(tiles, 10)
	type fetch struct{ Tile, Matrix, Offset, PerStep int }
	var got []fetch
	for tile := 0; tile < tiles; {
		piece, bands := f.next(tile, tiles-tile)
		if piece.at != nil {
			matrix := 1
			if &piece.at[len(piece.at)-1] == &second[len(second)-1] {
				matrix = 2
			}
			got = append(got, fetch{tile, matrix, len(first) - len(piece.at), piece.perStep})
		}
		tile += bands
	}
	want := []fetch{{0, 1, 0, row}, {5, 1, 2 * mem.Line, row}, {10, 1, 4 * mem.Line, row}, {15, 2, 0, row}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("strips (-want +got):\n%s", diff)
	}
}

package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
)

// naiveTile is the loop in tile's documentation, in float64.
func naiveTile(t *tile, r, j int, c float64) float64 {
	sum := 0.0
	for s := range t.stretches {
		for k := range t.depth {
			a := t.left.Data[s*t.left.stretch+r*t.left.Row+k*t.left.step]
			sum += float64(a) * float64(t.b.Data[(s*t.depth+k)*t.b.Row+j])
		}
	}
	if t.flags&flagAccumulate != 0 {
		sum += c
	}
	if t.flags&flagBias != 0 {
		sum += float64(t.bias[j])
	}
	if t.flags&flagAdd != 0 {
		sum += float64(t.add.Data[r*t.add.Row+j])
	}
	if t.flags&flagReLU != 0 {
		sum = max(sum, 0)
	}
	if t.flags&flagCap != 0 {
		sum = min(sum, 6)
	}
	return sum
}

// randomTile returns a tile of the given size with random strides and a random number of bands, without operands.
func randomTile(rng *rand.Rand, rows, cols, depth, flags int) tile {
	shape := Tile()
	c := tile{
		TileShape: TileShape{rows, cols}, depth: depth, stretches: 1 + rng.IntN(3), bands: 1, flags: flags,
		left: LeftFactor{Row: depth + 3, step: 1, stretch: rng.IntN(100)},
		b:    View{Row: shape.Cols + 1}, c: View{Row: cols + 2}, add: View{Row: cols + 1},
	}
	if rng.IntN(2) == 0 {
		c.left.Row, c.left.step = 1, shape.Rows+1
	}
	if rows == shape.Rows {
		c.bands, c.left.band = 1+rng.IntN(3), rng.IntN(100)
	}
	c.bandSteps = bandSteps{c: rows * c.c.Row, from: rows * c.c.Row, add: rows * c.add.Row}
	return c
}

// sizes returns the lengths of A and of B, which are read in whole tiles.
func (t *tile) sizes() (a, b int) {
	l, shape := &t.left, Tile()
	return (t.bands-1)*l.band + (t.stretches-1)*l.stretch + (shape.Rows-1)*l.Row + (t.depth-1)*l.step + 1,
		(t.stretches*t.depth-1)*t.b.Row + shape.Cols
}

// checkTile computes a tile of the given size and compares it with the loop.
func checkTile(t *testing.T, rng *rand.Rand, rows, cols, depth, flags int, special float32) {
	t.Helper()
	shape := Tile()
	c := randomTile(rng, rows, cols, depth, flags)
	c.bias = kerneltest.Guarded(t, rng, cols)
	c.sums = ColumnSums{kerneltest.Guarded(t, rng, shape.Cols), kerneltest.Guarded(t, rng, 2*shape.Cols), shape.Cols}
	all := c.bands * rows
	sizeA, sizeB := c.sizes()
	c.left.Data, c.b.Data = kerneltest.Guarded(t, rng, sizeA), kerneltest.Guarded(t, rng, sizeB)
	c.c.Data = kerneltest.Guarded(t, rng, (all-1)*c.c.Row+cols)
	c.add.Data = kerneltest.Guarded(t, rng, (all-1)*c.add.Row+cols)
	c.from = c.c
	if rng.IntN(2) == 0 {
		c.from.Row = cols + 3
		c.from.Data, c.bandSteps.from = kerneltest.Guarded(t, rng, (all-1)*c.from.Row+cols), rows*c.from.Row
	}
	if special != 0 {
		for _, x := range [][]float32{c.left.Data, c.b.Data, c.add.Data} {
			x[rng.IntN(len(x))] = special
		}
	}
	c.ahead = fetched{c.b.Data, rng.IntN(3), rng.IntN(100)} // what is fetched changes nothing
	before, from, sums := slices.Clone(c.c.Data), slices.Clone(c.from.Data), kerneltest.ToFloat64(c.sums.Sums)
	c.compute()
	name := fmt.Sprintf("rows %d cols %d depth %d flags %b", rows, cols, depth, flags)
	if flags&flagSums != 0 {
		for j := range cols {
			for r := range all {
				d := float64(c.c.Data[r*c.c.Row+j]) - float64(c.sums.Shift[j])
				sums[j] += d
				sums[c.sums.Row+j] += d * d
			}
			squares := c.sums.Row + j
			tolerance := kerneltest.SumTolerance(all) * (1 + math.Abs(sums[squares])) // by the size of the squares
			for _, at := range []int{j, squares} {
				if got := float64(c.sums.Sums[at]); !kerneltest.Near(got, sums[at], tolerance) {
					t.Fatalf("%s: sums[%d] = %g, want %g", name, at, got, sums[at])
				}
			}
		}
	}
	for i, got := range c.c.Data {
		r, j := i/c.c.Row, i%c.c.Row
		want := float64(before[i])
		if j < cols {
			band := c.bandAt(r / rows)
			want = naiveTile(&band, r%rows, j, float64(from[r*c.from.Row+j]))
		}
		if !kerneltest.Near(float64(got), want, kerneltest.SumTolerance(c.stretches*depth)) {
			t.Fatalf("%s: c[%d,%d] = %g, want %g", name, r, j, got, want)
		}
	}
}

func TestTile(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		shape := Tile()
		for rows := 1; rows <= shape.Rows; rows++ {
			for cols := 1; cols <= shape.Cols; cols++ {
				for flags := range flagSums << 1 {
					checkTile(t, rng, rows, cols, 1+rng.IntN(20), flags, 0)
				}
			}
		}
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for flags := range flagSums << 1 {
				checkTile(t, rng, shape.Rows, shape.Cols-1, 7, flags, special)
			}
		}
	})
}

func FuzzTile(f *testing.F) {
	f.Add(uint64(1), uint8(12), uint8(32), uint16(100), uint8(15))
	f.Add(uint64(2), uint8(5), uint8(17), uint16(1), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols uint8, depth uint16, flags uint8) {
		for set := range kerneltest.Sets(isa.Generic) {
			shape := tileFor(set)
			r, c, k := 1+int(rows)%shape.Rows, 1+int(cols)%shape.Cols, 1+int(depth)%600
			checkTile(t, rand.New(rand.NewPCG(seed, 0)), r, c, k, int(flags)%(flagSums<<1), 0)
		}
	})
}

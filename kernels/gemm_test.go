package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// naiveTile is the loop in tile's documentation, in float64.
func naiveTile(t *tile, r, j int, c float64) float64 {
	sum := 0.0
	for s := range t.stretches {
		for k := range t.depth {
			a := t.left.data[s*t.left.stretch+r*t.left.row+k*t.left.step]
			sum += float64(a) * float64(t.b.data[(s*t.depth+k)*t.b.row+j])
		}
	}
	if t.flags&flagAccumulate != 0 {
		sum += c
	}
	if t.flags&flagBias != 0 {
		sum += float64(t.bias[j])
	}
	if t.flags&flagAdd != 0 {
		sum += float64(t.add.data[r*t.add.row+j])
	}
	if t.flags&flagReLU != 0 {
		sum = max(sum, 0)
	}
	return sum
}

// randomTile returns a tile of the given size with random strides and a random number of bands, without operands.
func randomTile(rng *rand.Rand, rows, cols, depth, flags int) tile {
	shape := tileFor(active)
	c := tile{
		tileShape: tileShape{rows, cols}, depth: depth, stretches: 1 + rng.IntN(3), bands: 1, flags: flags,
		left: leftFactor{row: depth + 3, step: 1, stretch: rng.IntN(100)},
		b:    view{row: shape.cols + 1}, c: view{row: cols + 2}, add: view{row: cols + 1},
	}
	if rng.IntN(2) == 0 {
		c.left.row, c.left.step = 1, shape.rows+1
	}
	if rows == shape.rows {
		c.bands, c.left.band = 1+rng.IntN(3), rng.IntN(100)
	}
	c.bandSteps = bandSteps{c: rows * c.c.row, from: rows * c.c.row, add: rows * c.add.row}
	return c
}

// sizes returns the lengths of A and of B, of which whole tiles are read.
func (t *tile) sizes() (a, b int) {
	l, shape := &t.left, tileFor(active)
	return (t.bands-1)*l.band + (t.stretches-1)*l.stretch + (shape.rows-1)*l.row + (t.depth-1)*l.step + 1,
		(t.stretches*t.depth-1)*t.b.row + shape.cols
}

// checkTile computes a tile of the given size and compares it with the loop.
func checkTile(t *testing.T, rng *rand.Rand, rows, cols, depth, flags int, special float32) {
	t.Helper()
	shape := tileFor(active)
	c := randomTile(rng, rows, cols, depth, flags)
	c.bias = guarded(t, rng, cols)
	c.sums = columnSums{guarded(t, rng, shape.cols), guarded(t, rng, 2*shape.cols), shape.cols}
	all := c.bands * rows
	sizeA, sizeB := c.sizes()
	c.left.data, c.b.data = guarded(t, rng, sizeA), guarded(t, rng, sizeB)
	c.c.data = guarded(t, rng, (all-1)*c.c.row+cols)
	c.add.data = guarded(t, rng, (all-1)*c.add.row+cols)
	c.from = c.c
	if rng.IntN(2) == 0 {
		c.from.row = cols + 3
		c.from.data, c.bandSteps.from = guarded(t, rng, (all-1)*c.from.row+cols), rows*c.from.row
	}
	if special != 0 {
		for _, x := range [][]float32{c.left.data, c.b.data, c.add.data} {
			x[rng.IntN(len(x))] = special
		}
	}
	c.ahead = fetched{c.b.data, rng.IntN(3), rng.IntN(100)} // what is fetched changes nothing
	before, from, sums := slices.Clone(c.c.data), slices.Clone(c.from.data), toFloat64(c.sums.sums)
	c.compute()
	name := fmt.Sprintf("rows %d cols %d depth %d flags %b", rows, cols, depth, flags)
	if flags&flagSums != 0 {
		for j := range cols {
			for r := range all {
				d := float64(c.c.data[r*c.c.row+j]) - float64(c.sums.shift[j])
				sums[j] += d
				sums[c.sums.row+j] += d * d
			}
			squares := c.sums.row + j
			tolerance := sumTolerance(all) * (1 + math.Abs(sums[squares])) // by the size of the squares
			for _, at := range []int{j, squares} {
				if got := float64(c.sums.sums[at]); !near(got, sums[at], tolerance) {
					t.Fatalf("%s: sums[%d] = %g, want %g", name, at, got, sums[at])
				}
			}
		}
	}
	for i, got := range c.c.data {
		r, j := i/c.c.row, i%c.c.row
		want := float64(before[i])
		if j < cols {
			band := c.bandAt(r / rows)
			want = naiveTile(&band, r%rows, j, float64(from[r*c.from.row+j]))
		}
		if !near(float64(got), want, sumTolerance(c.stretches*depth)) {
			t.Fatalf("%s: c[%d,%d] = %g, want %g", name, r, j, got, want)
		}
	}
}

func TestGemmTile(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		shape := tileFor(active)
		for rows := 1; rows <= shape.rows; rows++ {
			for cols := 1; cols <= shape.cols; cols++ {
				for flags := range flagSums << 1 {
					checkTile(t, rng, rows, cols, 1+rng.IntN(20), flags, 0)
				}
			}
		}
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for flags := range flagSums << 1 {
				checkTile(t, rng, shape.rows, shape.cols-1, 7, flags, special)
			}
		}
	})
}

func FuzzGemmTile(f *testing.F) {
	f.Add(uint64(1), uint8(12), uint8(32), uint16(100), uint8(15))
	f.Add(uint64(2), uint8(5), uint8(17), uint16(1), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols uint8, depth uint16, flags uint8) {
		for isa := Generic; isa <= Detected(); isa++ {
			setISA(t, isa)
			shape := tileFor(isa)
			r, c, k := 1+int(rows)%shape.rows, 1+int(cols)%shape.cols, 1+int(depth)%600
			checkTile(t, rand.New(rand.NewPCG(seed, 0)), r, c, k, int(flags)%(flagSums<<1), 0)
		}
	})
}

func TestGemmLayout(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for _, rows := range []int{1, 2, 7, 8, 9, 17, 33} {
			for cols := 1; cols <= 40; cols++ {
				srcRow, dstRow := cols+rng.IntN(3), max(rows, cols)+rng.IntN(3)
				src := guarded(t, rng, (rows-1)*srcRow+cols)
				src[rng.IntN(len(src))] = float32(math.NaN())
				plain := guarded(t, rng, (rows-1)*dstRow+cols)
				copyRows(plain, dstRow, src, srcRow, rows, cols)
				turned := guarded(t, rng, (cols-1)*dstRow+rows)
				transposeRows(turned, dstRow, src, srcRow, rows, cols)
				sums, wantSums := guarded(t, rng, cols), make([]float64, cols)
				for k := range cols {
					wantSums[k] = float64(sums[k])
					for r := range rows {
						wantSums[k] += float64(src[r*srcRow+k])
					}
				}
				addRows(sums, src, srcRow, rows, cols)
				compare(t, "addRows", sums, wantSums, sumTolerance(rows))
				for r := range rows {
					for k := range cols {
						want := math.Float32bits(src[r*srcRow+k])
						if got := math.Float32bits(plain[r*dstRow+k]); got != want {
							t.Fatalf("copyRows %d×%d: element %d,%d = %x, want %x", rows, cols, r, k, got, want)
						}
						if got := math.Float32bits(turned[k*dstRow+r]); got != want {
							t.Fatalf("transposeRows %d×%d: element %d,%d = %x, want %x", rows, cols, r, k, got, want)
						}
					}
				}
			}
		}
	})
}

func TestGemmProduct(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		for range 200 {
			rows, cols, depth := 1+rng.IntN(40), 1+rng.IntN(80), 1+rng.IntN(50)
			a := guarded(t, rng, rows*depth)
			b := guarded(t, rng, cols*depth)
			c := guarded(t, rng, rows*cols)
			packed, edge := make([]float32, panelSize(cols, depth)), make([]float32, edgeSize(depth))
			p := smallProduct(rows, cols, depth, packed)
			p.left, p.c = rowsOf(a, depth).withEdge(edge), view{c, cols}
			if rng.IntN(2) == 0 {
				p.left = columnsOf(a, rows).withEdge(edge)
			}
			bRow, bCol := cols, 1
			if rng.IntN(2) == 0 {
				bRow, bCol = 1, depth
				packTransposed(packed, b, depth, depth, cols)
			} else {
				packPlain(packed, b, cols, depth, cols)
			}
			p.run()
			for r := range rows {
				for j := range cols {
					want := 0.0
					for k := range depth {
						want += float64(a[r*p.left.row+k*p.left.step]) * float64(b[k*bRow+j*bCol])
					}
					if !near(float64(c[r*cols+j]), want, sumTolerance(depth)) {
						t.Fatalf("%d×%d×%d: c[%d,%d] = %g, want %g", rows, cols, depth, r, j, c[r*cols+j], want)
					}
				}
			}
		}
	})
}

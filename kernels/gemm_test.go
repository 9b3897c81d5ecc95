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
	for s := range t.more + 1 {
		for k := range t.depth {
			sum += float64(t.a[s*t.aMore+r*t.aRow+k*t.aDepth]) * float64(t.b[(s*t.depth+k)*t.bDepth+j])
		}
	}
	if t.flags&flagAccumulate != 0 {
		sum += c
	}
	if t.flags&flagBias != 0 {
		sum += float64(t.bias[j])
	}
	if t.flags&flagAdd != 0 {
		sum += float64(t.add[r*t.addRow+j])
	}
	if t.flags&flagReLU != 0 {
		sum = max(sum, 0)
	}
	return sum
}

// checkTile computes a tile of the given size and compares it with the loop.
func checkTile(t *testing.T, rng *rand.Rand, rows, cols, depth, flags int, special float32) {
	t.Helper()
	shape := tileFor(active)
	c := tile{
		depth: depth, rows: rows, cols: cols, flags: flags,
		aRow: depth + 3, aDepth: 1, bDepth: shape.cols + 1, cRow: cols + 2, addRow: cols + 1,
		bias: guarded(t, rng, cols), shift: guarded(t, rng, shape.cols), sums: guarded(t, rng, 2*shape.cols), sumsRow: shape.cols,
		soonDepth: rng.IntN(3),
	}
	if rng.IntN(2) == 0 {
		c.aRow, c.aDepth = 1, shape.rows+1
	}
	c.more, c.aMore = rng.IntN(3), rng.IntN(100)
	if c.bands = 1; rows == shape.rows {
		c.bands, c.aBand = 1+rng.IntN(3), rng.IntN(100)
	}
	all := c.bands * rows
	c.a = guarded(t, rng, (c.bands-1)*c.aBand+c.more*c.aMore+(shape.rows-1)*c.aRow+(depth-1)*c.aDepth+1)
	c.b = guarded(t, rng, ((c.more+1)*depth-1)*c.bDepth+shape.cols)
	c.c = guarded(t, rng, (all-1)*c.cRow+cols)
	c.add = guarded(t, rng, (all-1)*c.addRow+cols)
	c.from, c.fromRow = c.c, c.cRow
	if rng.IntN(2) == 0 {
		c.fromRow = cols + 3
		c.from = guarded(t, rng, (all-1)*c.fromRow+cols)
	}
	if special != 0 {
		c.a[rng.IntN(len(c.a))], c.b[rng.IntN(len(c.b))], c.add[rng.IntN(len(c.add))] = special, special, special
	}
	c.soon = c.b // what is fetched changes nothing
	before, from, sums := slices.Clone(c.c), slices.Clone(c.from), toFloat64(c.sums)
	c.compute()
	if flags&flagSums != 0 {
		for j := range cols {
			for r := range all {
				d := float64(c.c[r*c.cRow+j]) - float64(c.shift[j])
				sums[j] += d
				sums[c.sumsRow+j] += d * d
			}
			for _, at := range []int{j, c.sumsRow + j} {
				if !near(float64(c.sums[at]), sums[at], sumTolerance(all)*(1+math.Abs(sums[c.sumsRow+j]))) { // by the size of the squares
					t.Fatalf("rows %d cols %d depth %d flags %b: sums[%d] = %g, want %g", rows, cols, depth, flags, at, c.sums[at], sums[at])
				}
			}
		}
	}
	for i, got := range c.c {
		r, j := i/c.cRow, i%c.cRow
		want := float64(before[i])
		if j < cols {
			band := c.bandAt(r / rows)
			want = naiveTile(&band, r%rows, j, float64(from[r*c.fromRow+j]))
		}
		if !near(float64(got), want, sumTolerance((c.more+1)*depth)) {
			t.Fatalf("rows %d cols %d depth %d flags %b: c[%d,%d] = %g, want %g", rows, cols, depth, flags, r, j, got, want)
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
			checkTile(t, rand.New(rand.NewPCG(seed, 0)), 1+int(rows)%shape.rows, 1+int(cols)%shape.cols, 1+int(depth)%600, int(flags)%(flagSums<<1), 0)
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
			shape := tileFor(active)
			a := guarded(t, rng, rows*depth)
			b := guarded(t, rng, cols*depth)
			c := guarded(t, rng, rows*cols)
			packed := make([]float32, depth*roundUp(cols, shape.cols))
			p := product{
				rows: rows, cols: cols, depth: depth,
				a: a, aTile: shape.rows * depth, aRow: depth, aDepth: 1,
				edge: make([]float32, edgeSize(depth)),
				b:    packed, bPanel: depth * shape.cols, bDepth: shape.cols,
				c: c, cRow: cols,
			}
			if rng.IntN(2) == 0 { // A as columns
				p.aTile, p.aRow, p.aDepth = shape.rows, 1, rows
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
						want += float64(a[r*p.aRow+k*p.aDepth]) * float64(b[k*bRow+j*bCol])
					}
					if !near(float64(c[r*cols+j]), want, sumTolerance(depth)) {
						t.Fatalf("%d×%d×%d: c[%d,%d] = %g, want %g", rows, cols, depth, r, j, c[r*cols+j], want)
					}
				}
			}
		}
	})
}

func BenchmarkGemm(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, n := range []int{128, 512, 1024} {
			b.Run(fmt.Sprintf("%d³/threads=%d", n, threads), func(b *testing.B) {
				p := NewPool(threads)
				defer p.Close()
				g := NewGemm(n, n, FP32)
				x, y, z := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
				ws := make([]float32, g.Workspace(n, threads))
				g.Run(p, n, z, x, y, ws)
				for b.Loop() {
					g.Run(p, n, z, x, y, ws)
				}
				reportSpeed(b, p, int64(n)*int64(n)*int64(n))
			})
		}
	}
}

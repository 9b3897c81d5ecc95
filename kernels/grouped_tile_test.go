package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// groupedCase says which kernels of grouped convolutions a test runs.
type groupedCase struct {
	shape        *laneShape
	narrow       int
	taps, stride int
	share        int // lanes that see the same input channels
	planes       int
	kh, tiles    int
}

func (c groupedCase) String() string {
	return fmt.Sprintf("%d lanes, narrow %d, %d taps, stride %d, share %d, %d planes, %d lines, %d tiles", c.shape.lanes, c.narrow, c.taps,
		c.stride, c.share, c.planes, c.kh, c.tiles)
}

func (c groupedCase) index() []int32 {
	if c.share == c.shape.lanes {
		return nil
	}
	var index []int32
	for k := range c.share {
		for l := range c.shape.lanes {
			index = append(index, int32(l/c.share*c.share+k))
		}
	}
	return index
}

// check holds the assembly of a tile and of a weight gradient against the portable loops, all memory around the results
// included.
func (c groupedCase) check(t *testing.T, rng *rand.Rand, special bool) {
	t.Helper()
	lanes, tile := c.shape.lanes, c.shape.tiles[c.narrow]
	column := max(c.tiles*tile.cols, c.tiles*c.shape.blocks[c.narrow])*c.stride + c.taps
	line := c.planes * column * lanes
	const lines = 3 // of the gradient
	x, _ := fenced(rng, max(c.kh+tile.rows, lines)*line, special)
	w, _ := fenced(rng, c.kh*c.taps*c.planes*c.share*lanes, special)
	yCol := lanes + 3
	yRow := c.tiles*tile.cols*yCol + 5
	y, memory := fenced(rng, tile.rows*yRow, false)
	want := append([]float32(nil), memory...)
	g := groupedTile{
		lanes: c.shape, narrow: c.narrow, taps: c.taps, stride: c.stride, y: y, yRow: yRow, yCol: yCol,
		x: x, xRow: line, xLine: line, xPlane: column * lanes, w: w, wTap: c.planes * c.share * lanes,
		index: c.index(), inner: c.share, planes: c.planes, kh: c.kh, tiles: c.tiles,
	}
	g.compute()
	g.y = want[(len(want)-len(y))/2:]
	g.computePortably()
	c.compare(t, "tile", memory, want)
	if c.taps < 3 {
		return
	}

	dyLine := c.tiles * c.shape.blocks[c.narrow] * lanes
	dy, _ := fenced(rng, lines*dyLine, special)
	for _, chunk := range []int{c.shape.chunk, c.shape.chunk / 2} {
		if chunk%2 != 0 || c.share%chunk != 0 {
			continue
		}
		for first := 0; first < c.share; first += chunk {
			dwTap := chunk*lanes + 7
			dw, memory := fenced(rng, c.taps*dwTap, false)
			want := append([]float32(nil), memory...)
			g := groupedGradient{
				lanes: c.shape, narrow: c.narrow, taps: c.taps, stride: c.stride, chunk: chunk, first: first, dw: dw, dwTap: dwTap,
				dy: dy, dyLine: dyLine, x: x, xLine: line, index: c.index(), lines: lines, blocks: c.tiles,
			}
			g.compute()
			g.dw = want[(len(want)-len(dw))/2:]
			g.computePortably()
			c.compare(t, "gradient", memory, want)
		}
	}
}

func (c groupedCase) compare(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if !near(float64(got[i]), float64(want[i]), sumTolerance(c.kh*c.taps*c.planes*c.share+3*c.tiles*8)) {
			t.Fatalf("%s: %s[%d] = %g, want %g", c, what, i, got[i], want[i])
		}
	}
}

func TestGroupedKernelsEqualPortableLoop(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		if active == Generic {
			t.Skip("nothing to compare")
		}
		rng := newRand()
		for _, shape := range []*laneShape{&lanes8, &lanes16} {
			for _, w := range [][2]int{{3, 1}, {3, 2}, {2, 1}, {1, 1}} {
				for share := 2; share <= shape.lanes && shape.isa <= active; share *= 2 {
					for i := range 8 {
						c := groupedCase{shape: shape, narrow: i % 2, taps: w[0], stride: w[1], share: share, planes: 1 + i/4, kh: 1 + i%3, tiles: 1 + i/2%2}
						c.check(t, rng, i%3 == 2)
					}
				}
			}
		}
	})
}

func FuzzGroupedKernelsEqualPortableLoop(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(0), uint8(2), uint8(1), uint8(1), uint8(2))
	f.Add(uint64(2), uint8(4), uint8(1), uint8(4), uint8(2), uint8(3), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, window, narrow, share, planes, kh, tiles uint8) {
		w := [][2]int{{3, 1}, {3, 2}, {2, 1}, {1, 1}}[window%4]
		for isa := AVX2; isa <= Detected(); isa++ {
			setISA(t, isa)
			for _, shape := range []*laneShape{&lanes8, &lanes16} {
				if shape.isa > isa {
					continue
				}
				c := groupedCase{shape: shape, narrow: int(narrow % 2), taps: w[0], stride: w[1], share: min(2<<(share%4), shape.lanes),
					planes: 1 + int(planes%4), kh: 1 + int(kh%5), tiles: 1 + int(tiles%4)}
				c.check(t, rand.New(rand.NewPCG(seed, 1)), seed%3 == 0)
			}
		}
	})
}

package conv

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
)

// groupedCase says which kernels of grouped convolutions a test runs.
type groupedCase struct {
	shape  *laneShape
	window groupedWindow
	share  int // lanes that see the same input channels
	planes int
	tiles  int
}

func (c groupedCase) String() string {
	return fmt.Sprintf("%d lanes, tile %v, %+v, share %d, %d planes, %d tiles",
		c.shape.lanes, c.shape.tile, c.window, c.share, c.planes, c.tiles)
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
	const bands, taps = 2, groupedTaps * groupedTaps // of the gradient
	lanes, tile, block := c.shape.lanes, c.shape.tile, c.shape.block
	column := c.window.inputs(c.tiles * tile.Cols)
	line := c.planes * column * lanes
	x, _ := kerneltest.Fenced(rng, c.window.inputs(max(tile.Rows, bands*block.Rows))*line, special)
	w, _ := kerneltest.Fenced(rng, taps*c.planes*c.share*lanes, special)
	yCol := lanes + 3
	yRow := c.tiles*tile.Cols*yCol + 5
	y, memory := kerneltest.Fenced(rng, tile.Rows*yRow, false)
	want := append([]float32(nil), memory...)
	g := groupedTile{
		lanes: c.shape, window: c.window, y: y, yRow: yRow, yCol: yCol, x: x, xLine: line, xPlane: column * lanes, w: w,
		index: c.index(), inner: c.share, planes: c.planes, tiles: c.tiles,
	}
	g.compute()
	g.y = want[(len(want)-len(y))/2:]
	g.computePortably()
	c.compare(t, "tile", memory, want)
	if c.window.turned {
		return
	}

	dyLine := c.tiles*block.Cols*lanes + 7
	dy, _ := kerneltest.Fenced(rng, bands*block.Rows*dyLine, special)
	dw, memory := kerneltest.Fenced(rng, taps*c.share*lanes, false)
	want = append([]float32(nil), memory...)
	d := groupedGradient{
		lanes: c.shape, window: c.window, dw: dw, dy: dy, dyLine: dyLine, x: x, xLine: line, index: c.index(),
		inner: c.share, bands: bands, blocks: c.tiles,
	}
	d.compute()
	d.dw = want[(len(want)-len(dw))/2:]
	d.computePortably()
	c.compare(t, "gradient", memory, want)
}

func (c groupedCase) compare(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		tolerance := kerneltest.SumTolerance(9*c.planes*c.share + 2*16*c.tiles)
		if !kerneltest.Near(float64(got[i]), float64(want[i]), tolerance) {
			t.Fatalf("%s: %s[%d] = %g, want %g", c, what, i, got[i], want[i])
		}
	}
}

var groupedTestLanes = []*laneShape{&lanes8, &lanes16, &lowLanes16}

var groupedTestWindows = []groupedWindow{{stride: 1}, {stride: 2}, {stride: 2, turned: true}}

func TestGroupedKernelsEqualPortableLoop(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		if isa.Active() == isa.Generic {
			t.Skip("nothing to compare")
		}
		rng := kerneltest.NewRand()
		for _, shape := range groupedTestLanes {
			for _, window := range groupedTestWindows {
				for share := 2; share <= shape.lanes && shape.isa <= isa.Active(); share *= 2 {
					for i := range 8 {
						c := groupedCase{shape: shape, window: window, share: share, planes: 1 + i/4, tiles: 1 + i%4}
						c.check(t, rng, i%3 == 2)
					}
				}
			}
		}
	})
}

func FuzzGroupedKernelsEqualPortableLoop(f *testing.F) {
	f.Add(uint64(1), uint8(2), uint8(2), uint8(1), uint8(2))
	f.Add(uint64(2), uint8(1), uint8(4), uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, window, share, planes, tiles uint8) {
		for set := range kerneltest.Sets(isa.AVX2) {
			for _, shape := range groupedTestLanes {
				if shape.isa > set {
					continue
				}
				c := groupedCase{shape: shape, window: groupedTestWindows[int(window)%len(groupedTestWindows)],
					share: min(2<<(share%4), shape.lanes), planes: 1 + int(planes%4), tiles: 1 + int(tiles%4)}
				c.check(t, rand.New(rand.NewPCG(seed, 1)), seed%3 == 0)
			}
		}
	})
}

// The generator has the same rule for windows, but for the name of its package.
func TestGroupedWindowIsTheGenerators(t *testing.T) {
	text := func(name string) string {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(data), "\n")
		return rest
	}
	if diff := cmp.Diff(text("grouped_window.go"), text("../_gen/grouped_window.go")); diff != "" {
		t.Errorf("../_gen/grouped_window.go differs (-here +there):\n%s", diff)
	}
}

// A window is that of a convolution with a padding of one pixel: output o sees pixel o*stride - 1 + tap. Turned, inputs
// and outputs change places: pixel o is seen by output i of the convolution through tap o + 1 - i*stride.
func TestGroupedWindow(t *testing.T) {
	const outputs = 4
	for _, w := range groupedTestWindows {
		for output := range outputs {
			for tap := range groupedTaps {
				input, aligned := output*w.stride+tap, true // input 0 is the padding
				if w.turned {
					input, aligned = (output+1-tap)/w.stride, (output+1-tap)%w.stride == 0 && output+1 >= tap
				}
				if !aligned {
					continue
				}
				if got, ok := w.tap(output, input); got != tap || !ok {
					t.Errorf("%+v: output %d sees input %d through tap %d, %t, want %d", w, output, input, got, ok, tap)
				}
				if input >= w.inputs(outputs) {
					t.Errorf("%+v: %d outputs see input %d, but inputs are %d", w, outputs, input, w.inputs(outputs))
				}
			}
		}
		if first, _ := w.tap(outputs, w.step(outputs)); !w.turned && first != 0 {
			t.Errorf("%+v: %d outputs on, the first tap is at %d", w, outputs, first)
		}
	}
}

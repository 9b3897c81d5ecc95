package conv

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// tapSumFlags are the flags whose terms the portable loop has.
const tapSumFlags = flagBias | flagAdd | flagReLU | flagSums

// randomTaps returns taps that read up to reach pixels away, and the number of pixels of weights they need.
func randomTaps(rng *rand.Rand, count, reach int) []tap {
	taps := make([]tap, count)
	for i := range taps {
		// Weights are backwards, as for gradients.
		taps[i] = tap{x: rng.IntN(reach+1) * channelBlock, w: (count - 1 - i) * channelBlock}
	}
	return taps
}

// checkTapSum compares the vector kernels with the portable loop for one size.
func checkTapSum(t *testing.T, rng *rand.Rand, channels, pixels, lines, taps, flags int, special float32) {
	t.Helper()
	const reach = 5 // pixels
	s := tapSum{
		channels: channels, pixels: pixels, lines: lines, flags: flags, taps: randomTaps(rng, taps, reach),
		xLine: (mem.RoundUp(pixels, 4) + reach) * channelBlock,
		yStep: channelBlock + 3, yLine: (channelBlock+3)*pixels + 1,
	}
	if flags&flagStream != 0 {
		s.yStep, s.yLine = channelBlock, channelBlock*pixels
	}
	for i := range taps / 3 { // some neighbours
		if first := s.taps[3*i]; rng.IntN(2) == 0 && first.x <= (reach-2)*channelBlock {
			s.taps[3*i+1].x, s.taps[3*i+2].x = first.x+channelBlock, first.x+2*channelBlock
		}
	}
	s.taps, s.triples = sortTriples(s.taps)
	s.x = kerneltest.Guarded(t, rng, lines*s.xLine)
	s.w = kerneltest.Guarded(t, rng, max(1, taps)*channelBlock)
	s.bias = kerneltest.Guarded(t, rng, channels)
	s.y = kerneltest.Guarded(t, rng, (lines-1)*s.yLine+(pixels-1)*s.yStep+channels)
	if flags&flagStream != 0 {
		s.y = mem.Align(kerneltest.Guarded(t, rng, len(s.y)+channelBlock))[:len(s.y)]
	}
	s.add = kerneltest.Guarded(t, rng, len(s.y))
	s.fetching = fetch(s.y, 0, rng.IntN(20), rng.IntN(20))
	s.sumsRow = channels + 1
	s.shift, s.sums = kerneltest.Guarded(t, rng, channels), kerneltest.Guarded(t, rng, s.sumsRow+channels)
	if special != 0 {
		s.x[rng.IntN(len(s.x))], s.w[rng.IntN(len(s.w))], s.add[rng.IntN(len(s.add))] = special, special, special
	}
	want := append([]float32(nil), s.y...)
	portable := s
	portable.y, portable.sums = want, append([]float32(nil), s.sums...)
	portable.computePortably(0)
	s.compute()
	kerneltest.Compare(t, "y", s.y, kerneltest.ToFloat64(want), kerneltest.SumTolerance(taps+2))
	largest := 1.0 // of the sums: rounding is relative to it
	for _, v := range portable.sums {
		largest = max(largest, math.Abs(float64(v)))
	}
	tolerance := largest * kerneltest.SumTolerance(taps+2+lines*pixels)
	kerneltest.Compare(t, "sums", s.sums, kerneltest.ToFloat64(portable.sums), tolerance)
}

func TestDepthwiseTapSum(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(29, 30))
		for channels := 1; channels <= channelBlock; channels++ {
			for pixels := 1; pixels <= 20; pixels++ {
				flags := rng.Int() & tapSumFlags
				checkTapSum(t, rng, channels, pixels, 1+rng.IntN(4), rng.IntN(50), flags, 0)
			}
		}
		for pixels := 1; pixels <= 20; pixels++ {
			checkTapSum(t, rng, channelBlock, pixels, 3, 9, flagStream|flagAdd, 0)
		}
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for _, flags := range []int{0, flagBias, flagAdd, flagReLU, flagBias | flagAdd | flagReLU} {
				checkTapSum(t, rng, 11, 6, 2, 9, flags, special)
				checkTapSum(t, rng, channelBlock, 6, 2, 9, flags, special)
			}
		}
	})
}

// checkTapGradient compares the vector kernels with the loop for one size.
func checkTapGradient(t *testing.T, rng *rand.Rand, channels, pixels, lines, groups int, special float32) {
	t.Helper()
	const reach = 5 // pixels
	g := tapGradient{
		channels: channels, pixels: pixels, lines: lines, taps: randomTaps(rng, groups*gradientTaps, reach),
		dyPixel: channelBlock + rng.IntN(3), xLine: (mem.RoundUp(pixels, 4) + reach) * channelBlock,
	}
	g.dyLine = mem.RoundUp(pixels, 4)*g.dyPixel + rng.IntN(3)
	if rng.IntN(2) == 0 {
		soon := kerneltest.Guarded(t, rng, 10)
		g.fetching = fetching{soon, soon[9:], 1 << 10, rng.IntN(20)} // beyond which nothing may happen
	}
	g.sums = kerneltest.Guarded(t, rng, len(g.taps)*channelBlock)
	g.dy, g.x = kerneltest.Guarded(t, rng, lines*g.dyLine), kerneltest.Guarded(t, rng, lines*g.xLine)
	for i := range lines {
		clear(g.dy[i*g.dyLine+pixels*g.dyPixel : (i+1)*g.dyLine])
	}
	if special != 0 {
		g.x[rng.IntN(pixels*channelBlock)], g.dy[rng.IntN(pixels*channelBlock)] = special, special
	}
	want := kerneltest.ToFloat64(g.sums)
	for i := range lines {
		for p := range mem.RoundUp(pixels, 4) {
			for j, tap := range g.taps {
				for c := range channels {
					dy, x := g.dy[i*g.dyLine+p*g.dyPixel+c], g.x[i*g.xLine+p*channelBlock+tap.x+c]
					want[j*channelBlock+c] += float64(dy) * float64(x)
				}
			}
		}
	}
	g.add()
	kerneltest.Compare(t, "sums", g.sums, want, kerneltest.SumTolerance(lines*pixels+1))
}

func TestDepthwiseTapGradient(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(31, 32))
		for channels := 1; channels <= channelBlock; channels++ {
			for pixels := 1; pixels <= 20; pixels++ {
				checkTapGradient(t, rng, channels, pixels, 1+rng.IntN(4), 1+rng.IntN(4), 0)
			}
		}
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			checkTapGradient(t, rng, 11, 8, 1, 2, special)
			checkTapGradient(t, rng, channelBlock, 8, 1, 2, special)
		}
	})
}

func TestDepthwiseFetching(t *testing.T) {
	const step = 3
	src := make([]float32, 100)
	for _, test := range []struct{ at, pixels, parts, want int }{
		{0, 33, 1, 0}, {0, 32, 1, 32}, {7, 16, 4, 16}, {7, 10, 4, 10},
		{1, 3, 4, 4}, {0, 0, 1, 0}, {40, 20, 2, 0}, {200, 1, 1, 0},
	} {
		var seen []int
		for part := range test.parts {
			f := fetch(src, test.at, test.pixels, step).part(part, test.parts)
			for i := range f.count {
				for _, from := range [][]float32{f.soon, f.also} {
					seen = append(seen, (len(src)-len(from)-test.at)/step+i)
				}
			}
		}
		slices.Sort(seen)
		var want []int
		for pixel := range test.want {
			want = append(want, pixel)
		}
		if !slices.Equal(seen, want) {
			t.Errorf("fetching %d pixels from %d in %d parts: pixels %v, want the first %d",
				test.pixels, test.at, test.parts, seen, test.want)
		}
	}
}

// The pieces of the tasks are, one after the other, all blocks of all bands of all images.
func TestDepthwiseSchedule(t *testing.T) {
	for _, s := range []depthwiseSchedule{
		newDepthwiseSchedule(16, 1, nearPanels, func(lines int) int { return lines }),
		newDepthwiseSchedule(40, 23, 5, func(lines int) int { return lines }),
		newDepthwiseSchedule(24, 64, 100, func(lines int) int { return 20 * lines }),
	} {
		const images = 3
		at := s.piece(0)
		for task := range images * s.tasks {
			if first := s.piece(task); at != first {
				t.Fatalf("%+v: task %d begins with %+v, but %+v follows", s, task, first, at)
			}
			for at != s.piece(task+1) {
				next := s.following(at)
				want := depthwisePiece{at.n, at.begin, at.lines, at.block + 1}
				switch {
				case at.block < s.blocks-1:
				case at.begin+at.lines < s.h:
					want = depthwisePiece{n: at.n, begin: at.begin + at.lines, lines: next.lines}
				default:
					want = depthwisePiece{n: at.n + 1, lines: next.lines}
				}
				if next != want || next.lines < 1 || next.lines > s.lines || next.begin+next.lines > s.h {
					t.Fatalf("%+v: %+v follows %+v", s, next, at)
				}
				at = next
			}
		}
		if at.n != images || at.begin != 0 || at.block != 0 {
			t.Errorf("%+v: the tasks of %d images end before %+v", s, images, at)
		}
	}
}

// checkPanel compares a panel with its definition.
func checkPanel(t *testing.T, rng *rand.Rand, channels, stride, left, run, top, lines int) {
	t.Helper()
	p := depthwisePanel{
		h: 1 + rng.IntN(6), w: 1 + rng.IntN(12), c: channels, left: left, stride: stride, run: run, lines: lines,
	}
	const images = 2
	p.src = kerneltest.Guarded(t, rng, images*p.h*p.w*p.c)
	dst := kerneltest.Guarded(t, rng, p.size())
	clear(dst)
	n, block := rng.IntN(images), rng.IntN(mem.CeilDiv(channels, channelBlock))
	want := kerneltest.ToFloat64(dst)
	for i := range lines {
		for r := range stride {
			for q := range run {
				y, x := top+i, left+q*stride+r
				for k := range min(channelBlock, channels-block*channelBlock) {
					if y >= 0 && y < p.h && x >= 0 && x < p.w {
						v := p.src[((n*p.h+y)*p.w+x)*p.c+block*channelBlock+k]
						want[i*p.line()+(r*run+q)*channelBlock+k] = float64(v)
					}
				}
			}
		}
	}
	p.fill(dst, n, top, lines, block, rng.IntN(1000))
	kerneltest.Compare(t, "panel", dst, want, 0)
}

func TestDepthwisePanel(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(33, 34))
		for channels := 1; channels <= 40; channels++ {
			for stride := 1; stride <= 3; stride++ {
				for top := -5; top <= 5; top++ {
					checkPanel(t, rng, channels, stride, rng.IntN(9)-6, 1+rng.IntN(12), top, 1+rng.IntN(6))
				}
			}
		}
	})
}

func FuzzDepthwise(f *testing.F) {
	f.Add(uint64(1), uint8(24), uint8(7), uint8(3), uint8(5), uint8(8))
	f.Fuzz(func(t *testing.T, seed uint64, channels, pixels, lines, taps, flags uint8) {
		for range kerneltest.Sets(isa.Generic) {
			rng := rand.New(rand.NewPCG(seed, 0))
			n, p, l := 1+int(channels)%channelBlock, 1+int(pixels)%30, 1+int(lines)%6
			checkTapSum(t, rng, n, p, l, int(taps)%60, int(flags)&tapSumFlags, 0)
			checkTapGradient(t, rng, n, p, l, 1+int(taps)%10, 0)
			checkPanel(t, rng, 1+int(channels)%50, 1+int(flags)%3, -int(taps)%7, p, 3-int(lines)%10, l)
		}
	})
}

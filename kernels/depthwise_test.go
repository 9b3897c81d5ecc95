package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// checkTapSum compares the vector kernels with the portable loop for one size.
func checkTapSum(t *testing.T, rng *rand.Rand, channels, pixels, rows, cols, flags int, special float32) {
	t.Helper()
	s := tapSum{
		channels: channels, rows: rows, cols: cols, flags: flags,
		xStep: 2 * (channels + 1), xRow: 2*(channels+1)*(pixels+cols) + 3, xCol: channels + 1,
		wRow: -cols * (channels + 2), wCol: -(channels + 2), first: (rows*cols - 1) * (channels + 2), // backwards, as for gradients
		yStep: channels + 3,
	}
	s.x = guarded(t, rng, (pixels-1)*s.xStep+(rows-1)*s.xRow+(cols-1)*s.xCol+channels)
	s.w = guarded(t, rng, s.first+channels)
	s.bias = guarded(t, rng, channels)
	s.add = guarded(t, rng, (pixels-1)*s.yStep+channels)
	s.y = guarded(t, rng, len(s.add))
	if special != 0 {
		s.x[rng.IntN(len(s.x))], s.w[rng.IntN(len(s.w))], s.add[rng.IntN(len(s.add))] = special, special, special
	}
	want := append([]float32(nil), s.y...)
	portable := s
	portable.y = want
	portable.computePortably(pixels, 0)
	s.compute(pixels)
	compare(t, "y", s.y, widen(want), sumTolerance(rows*cols))
}

func TestDepthwiseTapSum(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(29, 30))
		for channels := 1; channels <= 50; channels++ {
			for _, pixels := range []int{1, 3, 4, 9} {
				checkTapSum(t, rng, channels, pixels, 1+rng.IntN(7), 1+rng.IntN(7), rng.IntN(flagReLU<<1)&^flagAccumulate, 0)
			}
		}
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for _, flags := range []int{0, flagBias, flagAdd, flagReLU, flagBias | flagAdd | flagReLU} {
				checkTapSum(t, rng, 27, 6, 3, 3, flags, special)
			}
		}
	})
}

// checkTapGradient compares the vector kernels with the loop for one size.
func checkTapGradient(t *testing.T, rng *rand.Rand, channels, pixels, taps int, special float32) {
	t.Helper()
	xStep := 2*channels + 1
	dw, dy := guarded(t, rng, taps*channels), guarded(t, rng, pixels*channels)
	x := guarded(t, rng, (pixels-1)*xStep+taps*channels)
	if special != 0 {
		x[rng.IntN(len(x))], dy[rng.IntN(len(dy))] = special, special
	}
	want := widen(dw)
	for j := range taps {
		for p := range pixels {
			for c := range channels {
				want[j*channels+c] += float64(dy[p*channels+c]) * float64(x[p*xStep+j*channels+c])
			}
		}
	}
	tapGradient(dw, dy, x, xStep, taps, pixels, channels)
	compare(t, "dw", dw, want, sumTolerance(pixels+1))
}

func TestDepthwiseTapGradient(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(31, 32))
		for channels := 1; channels <= 50; channels++ {
			for taps := 1; taps <= 12; taps++ {
				checkTapGradient(t, rng, channels, 1+rng.IntN(12), taps, 0)
			}
		}
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			checkTapGradient(t, rng, 27, 5, 3, special)
		}
	})
}

func FuzzDepthwise(f *testing.F) {
	f.Add(uint64(1), uint8(24), uint8(7), uint8(3), uint8(5), uint8(8))
	f.Fuzz(func(t *testing.T, seed uint64, channels, pixels, rows, cols, flags uint8) {
		for isa := Generic; isa <= Detected(); isa++ {
			setISA(t, isa)
			rng := rand.New(rand.NewPCG(seed, 0))
			n, p := 1+int(channels)%100, 1+int(pixels)%20
			checkTapSum(t, rng, n, p, 1+int(rows)%8, 1+int(cols)%8, int(flags)%(flagReLU<<1)&^flagAccumulate, 0)
			checkTapGradient(t, rng, n, p, 1+int(cols)%12, 0)
		}
	})
}

package pooling

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
)

// checkWindow holds the assembly's maximum over a window, and its position, against the portable loop.
func checkWindow(t *testing.T, rng *rand.Rand, height, width, c int, special bool) {
	t.Helper()
	const gap, first, rowStep, untouched = 3, 2, 11, 99
	rowStride := width*c + gap
	x, _ := kerneltest.Fenced(rng, height*rowStride, special)
	y, plain, want := kerneltest.Guarded(t, rng, c), kerneltest.Guarded(t, rng, c), make([]float32, c)
	arg, wantArg := make([]uint8, c+2), make([]uint8, c)
	arg[0], arg[c+1] = untouched, untouched
	maxWindowArgGeneric(want, wantArg, x, height, width, rowStride, first, rowStep)
	maxWindowArg(y, arg[1:c+1], x, height, width, rowStride, first, rowStep)
	maxWindow(plain, x, height, width, rowStride)
	for j := range c {
		same := kerneltest.WithinRounding(y[j], want[j], 0) && kerneltest.WithinRounding(plain[j], want[j], 0)
		if arg[j+1] != wantArg[j] || !same {
			t.Errorf("%d×%d window, channel %d of %d: %g and %g at %d, want %g at %d",
				height, width, j, c, plain[j], y[j], arg[j+1], want[j], wantArg[j])
			return
		}
	}
	if arg[0] != untouched || arg[c+1] != untouched {
		t.Errorf("%d×%d window of %d channels: a position is written outside of arg", height, width, c)
	}
}

// checkMaxGradient holds the assembly's gradient of a window against the portable loop. Some positions lie outside of
// the window.
func checkMaxGradient(t *testing.T, rng *rand.Rand, height, width, c int) {
	t.Helper()
	const gap, first, rowStep = 3, 2, 11
	rowStride := width*c + gap
	dx := kerneltest.Guarded(t, rng, height*rowStride)
	dy, _ := kerneltest.Fenced(rng, c, true)
	arg := make([]uint8, c)
	for j := range arg {
		arg[j] = uint8(first + rng.IntN(height)*rowStep + rng.IntN(width+2) - 1)
	}
	want := slices.Clone(dx)
	maxGradientGeneric(want, dy, arg, height, width, rowStride, c, first, rowStep)
	maxGradient(dx, dy, arg, height, width, rowStride, first, rowStep)
	for i, w := range want {
		if g := dx[i]; !kerneltest.WithinRounding(g, w, 0) {
			t.Errorf("%d×%d window of %d channels: [%d] = %g, want %g", height, width, c, i, g, w)
			return
		}
	}
}

func TestMaxWindowEqualsPortableLoop(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		if isa.Active() == isa.Generic {
			t.Skip("nothing to compare")
		}
		rng := kerneltest.NewRand()
		for c := 1; c <= 70; c++ {
			for _, special := range []bool{false, true} {
				checkWindow(t, rng, 3, 3, c, special)
				checkWindow(t, rng, 1, 2, c, special)
				checkWindow(t, rng, 2, 1, c, special)
				checkMaxGradient(t, rng, 3, 3, c)
				checkMaxGradient(t, rng, 1, 2, c)
			}
		}
	})
}

func FuzzMaxWindowEqualsPortableLoop(f *testing.F) {
	f.Add(uint8(3), uint8(3), uint8(64), uint64(1))
	f.Add(uint8(1), uint8(7), uint8(5), uint64(2))
	f.Fuzz(func(t *testing.T, height, width, c uint8, seed uint64) {
		for set := range kerneltest.Sets(isa.AVX2) {
			t.Run(set.String(), func(t *testing.T) {
				checkWindow(t, rand.New(rand.NewPCG(seed, 0)), 1+int(height%9), 1+int(width%9), 1+int(c), seed%2 == 0)
				checkMaxGradient(t, rand.New(rand.NewPCG(seed, 1)), 1+int(height%9), 1+int(width%9), 1+int(c))
			})
		}
	})
}

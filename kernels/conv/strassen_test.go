package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
)

// strassenSlack is how many times larger the errors of Strassen's form may be than those of the plain product, which
// sumTolerance bounds: its factors are sums of up to three values of unit size and its results of up to six products,
// and most of their sum cancels.
const strassenSlack = 4

// strassenShapes have rows, columns and depths that are cut into unequal quadrants and tiles that are not full, into
// several tasks, and several blocks of the depth.
var strassenShapes = []Shape{
	{H: 16, W: 12, C: 64, OutC: 64, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 17, W: 11, C: 26, OutC: 150, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 20, W: 10, C: 512, OutC: 36, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 5, W: 31, C: 2300, OutC: 40, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	{H: 19, W: 14, C: 24, OutC: 88, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
	{H: 14, W: 13, C: 40, OutC: 72, KH: 1, KW: 7, SH: 1, SW: 1, PW: 3, Groups: 1},
	{H: 12, W: 12, C: 96, OutC: 160, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 2},
	{H: 9, W: 9, C: 70, OutC: 34, KH: 1, KW: 1, SH: 2, SW: 2, Groups: 1},
}

func newStrassenCase(t *testing.T, rng *rand.Rand, s Shape, n, threads int) *convCase {
	t.Helper()
	c := newConvCase(t, rng, s, n, threads)
	c.c.winograd = winogradForms{}
	c.c.useStrassen(1, 2)
	c.slack = strassenSlack
	c.ws = kerneltest.Guarded(t, rng, c.c.Workspace(n, threads))
	return c
}

func TestStrassenConv(t *testing.T) {
	for _, s := range strassenShapes {
		t.Run(convName(s), func(t *testing.T) {
			for _, n := range []int{1, 3} {
				rng := rand.New(rand.NewPCG(41, 42))
				c := newStrassenCase(t, rng, s, n, 2)
				if !c.c.forward.strassen {
					t.Fatal("not in Strassen's form")
				}
				c.multiply()
				kerneltest.ForEachISA(t, func(t *testing.T) { c.check(t, rng) })
			}
		})
	}
}

func FuzzStrassenConv(f *testing.F) {
	f.Add(uint64(1), uint8(13), uint8(11), uint16(64), uint16(64), false)
	f.Add(uint64(2), uint8(9), uint8(30), uint16(50), uint16(130), true)
	f.Fuzz(func(t *testing.T, seed uint64, h, w uint8, in, out uint16, taps bool) {
		s := Shape{
			H: 1 + int(h)%40, W: 1 + int(w)%40, C: 1 + int(in)%300, OutC: 1 + int(out)%300,
			KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1,
		}
		if taps {
			s.KW, s.PW, s.C, s.OutC = 3, 1, 1+s.C%80, 1+s.OutC%80
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		c := newStrassenCase(t, rng, s, 1, 2)
		c.multiply()
		for range kerneltest.Sets(isa.Generic) {
			c.check(t, rng)
		}
	})
}

func TestStrassenConvSameBitsForAnyThreads(t *testing.T) {
	testSameBitsForAnyThreads(t, newStrassenCase, strassenShapes)
}

func TestStrassenConvDoesNotAllocate(t *testing.T) {
	testDoesNotAllocate(t, newStrassenCase, strassenShapes[:2])
}

func TestStrassenConvWorkspaceServesSmallerBatches(t *testing.T) {
	testWorkspaceServesSmallerBatches(t, newStrassenCase, []Shape{
		{H: 1, W: 30, C: 40, OutC: 200, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
		{H: 10, W: 9, C: 130, OutC: 70, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	})
}

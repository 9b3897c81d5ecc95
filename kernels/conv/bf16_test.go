package conv

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

// newPairCase is a convolution of bf16 pairs, in the direct form throughout, whose operands are bf16 values: their
// products are exact, and what is left of the error is that of a sum of float32.
func newPairCase(t *testing.T, rng *rand.Rand, s Shape, n, threads int) *convCase {
	t.Helper()
	c := newConvCase(t, rng, s, n, threads)
	c.c.winograd, c.c.grouped = winogradForms{}, nil
	c.c.usePairs()
	for _, operand := range [][]float32{c.x, c.w, c.y} {
		roundToBF16(operand)
	}
	c.ws = kerneltest.Guarded(t, rng, c.c.Workspace(n, threads))
	return c
}

// roundToBF16 rounds values to bf16. Each is rounded as the first of a pair, which is the lower half of its bits.
func roundToBF16(x []float32) {
	gemm.PairColumns(x, 1, x, 1, len(x), 1)
	for i, pair := range x {
		x[i] = math.Float32frombits(math.Float32bits(pair) << 16)
	}
}

// pairShapes are dense convolutions of even and odd depths and numbers of pixels.
func pairShapes() []Shape {
	shapes := slices.DeleteFunc(slices.Clone(convShapes), Shape.Depthwise)
	return append(shapes,
		Shape{H: 13, W: 11, C: 7, OutC: 33, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
		Shape{H: 7, W: 13, C: 6, OutC: 7, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		Shape{H: 1, W: 7, C: 1301, OutC: 751, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	)
}

func TestPairConv(t *testing.T) {
	for _, s := range pairShapes() {
		t.Run(convName(s), func(t *testing.T) {
			for _, n := range []int{1, 3} {
				rng := rand.New(rand.NewPCG(25, 26))
				c := newPairCase(t, rng, s, n, 2)
				c.multiply()
				c.check(t, rng)
			}
		})
	}
}

// TestPairWinogradConv: both factors are transforms that are rounded to 8 bits. Their errors are up to 2⁻⁹ of a factor,
// which makes 2⁻¹⁰·√2 of a product in the root mean square, and add like a random walk. The way back from largeForm
// makes them five times larger, and more in the corners of a tile.
func TestPairWinogradConv(t *testing.T) {
	for _, shape := range winogradShapes {
		t.Run(convName(shape.s), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(31, 32))
			c := newConvCase(t, rng, shape.s, shape.n, 2)
			c.c.usePairs()
			c.slack, c.rounding = 2*winogradFactor, math.Sqrt2/1024
			c.multiply()
			c.check(t, rng)
		})
	}
}

func FuzzPairConv(f *testing.F) {
	type u = uint8
	f.Add(uint64(1), u(5), u(6), u(3), u(4), u(3), u(3), u(1), u(2), u(1), u(1), u(1))
	f.Add(uint64(2), u(9), u(9), u(0), u(0), u(5), u(5), u(2), u(2), u(2), u(2), u(2))
	f.Fuzz(func(t *testing.T, seed uint64, h, w, in, out, kh, kw, sh, sw, ph, pw, groups uint8) {
		g := 1 + int(groups)%3
		s := Shape{
			H: 1 + int(h)%14, W: 1 + int(w)%14, C: g * (1 + int(in)%40), OutC: g * (1 + int(out)%40),
			KH: 1 + int(kh)%7, KW: 1 + int(kw)%7,
			SH: 1 + int(sh)%4, SW: 1 + int(sw)%4, PH: int(ph) % 5, PW: int(pw) % 5, Groups: g,
		}
		if s.validate() != nil || s.Depthwise() {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		c := newPairCase(t, rng, s, 2, 2)
		c.multiply()
		c.check(t, rng)
	})
}

func TestPairConvSameBitsForAnyThreads(t *testing.T) {
	for _, s := range []Shape{
		{H: 24, W: 16, C: 24, OutC: 40, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		{H: 16, W: 12, C: 64, OutC: 64, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	} {
		var want [][]float32
		for _, threads := range []int{1, 2, 7, 24} {
			rng := rand.New(rand.NewPCG(27, 28))
			c := newPairCase(t, rng, s, 8, threads)
			y, dx, dw := make([]float32, c.outLen), make([]float32, c.inLen), make([]float32, s.Weights())
			step := func() {
				c.c.Forward(c.p, c.n, y, c.x, c.w, Epilogue{Bias: c.bias, Act: act.ReLU}, c.ws)
				c.c.BackwardData(c.p, c.n, dx, c.y, c.w, nil, c.ws)
				c.c.BackwardWeights(c.p, c.n, dw, nil, c.y, c.x, false, c.ws)
			}
			// Of three, since one that the runtime makes for a thread that sleeps is none of a step.
			if allocs := testing.AllocsPerRun(3, step); allocs != 0 {
				t.Errorf("%s: %v allocations per step", convName(s), allocs)
			}
			got := [][]float32{y, dx, dw}
			if want == nil {
				want = got
			}
			for i := range got {
				if !slices.Equal(got[i], want[i]) {
					t.Errorf("%s: result %d with %d threads differs from that with one", convName(s), i, threads)
				}
			}
		}
	}
}

func TestPairConvWorkspaceServesSmallerBatches(t *testing.T) {
	s := Shape{H: 1, W: 30, C: 40, OutC: 200, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}
	c := newPairCase(t, rand.New(rand.NewPCG(29, 30)), s, 17, 2)
	for n := 1; n <= c.n; n++ { // a workspace that is too short panics
		c.c.Forward(c.p, n, c.add, c.x, c.w, Epilogue{}, c.ws)
		c.c.BackwardData(c.p, n, c.inputAdd, c.y, c.w, nil, c.ws)
		c.c.BackwardWeights(c.p, n, c.w, c.bias, c.y, c.x, false, c.ws)
	}
}

// BenchmarkPairConv compares pairs of bf16 with floats, as Conv chooses their form and in the direct one.
func BenchmarkPairConv(b *testing.B) {
	kerneltest.NeedBF16(b)
	for _, layer := range []struct {
		n int
		s Shape
	}{
		{32, Shape{H: 1, W: 129, C: 768, OutC: 3072, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{32, Shape{H: 1, W: 129, C: 384, OutC: 384, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{8, Shape{H: 64, W: 32, C: 64, OutC: 256, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{8, Shape{H: 64, W: 32, C: 256, OutC: 64, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{32, Shape{H: 16, W: 8, C: 1024, OutC: 256, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{32, Shape{H: 8, W: 4, C: 512, OutC: 2048, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{8, Shape{H: 32, W: 16, C: 512, OutC: 1024, KH: 1, KW: 1, SH: 2, SW: 2, Groups: 1}},
		{8, Shape{H: 256, W: 128, C: 3, OutC: 64, KH: 7, KW: 7, SH: 2, SW: 2, PH: 3, PW: 3, Groups: 1}},
		{32, Shape{H: 1, W: 1, C: 9216, OutC: 4096, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{8, Shape{H: 64, W: 32, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{8, Shape{H: 32, W: 16, C: 128, OutC: 128, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{32, Shape{H: 16, W: 8, C: 256, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{32, Shape{H: 8, W: 4, C: 512, OutC: 512, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{4, Shape{H: 128, W: 64, C: 64, OutC: 128, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{8, Shape{H: 64, W: 32, C: 128, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{8, Shape{H: 64, W: 32, C: 32, OutC: 32, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{32, Shape{H: 16, W: 8, C: 128, OutC: 128, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	} {
		for _, form := range []string{"floats", "pairs", "direct pairs"} {
			c, err := New(layer.s)
			if err != nil {
				b.Fatal(err)
			}
			switch form {
			case "pairs":
				c.usePairs()
			case "direct pairs":
				c.winograd = winogradForms{}
				c.usePairs()
			}
			benchmarkDirections(b, form+"/"+convName(layer.s), c, layer.n, 2)
		}
	}
}

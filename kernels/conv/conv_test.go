package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// convCase is a convolution with its data.
type convCase struct {
	s             Shape
	n             int
	x, w, y       []float32 // y stands for the gradient of the output as well
	bias, add     []float32
	inputAdd      []float32
	terms         int // products per output
	pixels        int // products per weight
	dataTerms     int // products per input
	p             *parallel.Pool
	ws            []float32
	c             *Conv
	outLen, inLen int
	slack         float64 // how much more than the error of a plain sum is allowed
	mixed         int     // products of other results that take part in the rounding of one
	rounding      float64 // of every factor: the error that is allowed for each product
	// The three results by definition, in float64.
	product, dataProduct, weightProduct []float64
}

func newConvCase(t *testing.T, rng *rand.Rand, s Shape, n, threads int) *convCase {
	t.Helper()
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	p := parallel.NewPool(threads)
	t.Cleanup(p.Close)
	out, in := n*s.OutH()*s.OutW()*s.OutC, n*s.H*s.W*s.C
	return &convCase{
		s: s, n: n, c: c, p: p, slack: 1, outLen: out, inLen: in,
		x: kerneltest.Guarded(t, rng, in), w: kerneltest.Guarded(t, rng, s.Weights()),
		y: kerneltest.Guarded(t, rng, out), bias: kerneltest.Guarded(t, rng, s.OutC),
		add: kerneltest.Guarded(t, rng, out), inputAdd: kerneltest.Guarded(t, rng, in),
		terms: s.KH * s.KW * s.C / s.Groups, dataTerms: s.KH * s.KW * s.OutC / s.Groups,
		pixels: n * s.OutH() * s.OutW(),
		ws:     kerneltest.Guarded(t, rng, c.Workspace(n, threads)),
	}
}

// tolerance bounds the error of a sum of n products.
func (c *convCase) tolerance(n int) float64 {
	return c.slack * (kerneltest.SumTolerance(n+c.mixed) + 8*c.rounding*math.Sqrt(float64(n)))
}

// multiply computes the three results by definition.
func (c *convCase) multiply() {
	c.product, c.dataProduct = make([]float64, c.outLen), make([]float64, c.inLen)
	c.weightProduct = make([]float64, c.s.Weights())
	eachProduct(c.s, c.n, func(yi, xi, wi int) {
		y, x, w := float64(c.y[yi]), float64(c.x[xi]), float64(c.w[wi])
		c.product[yi] += x * w
		c.dataProduct[xi] += y * w
		c.weightProduct[wi] += y * x
	})
}

// check compares all directions with the definition.
func (c *convCase) check(t *testing.T, rng *rand.Rand) {
	t.Helper()
	c.ws = kerneltest.Guarded(t, rng, c.c.Workspace(c.n, c.p.Threads()))
	c.checkForward(t, rng)
	c.checkBackwardData(t, rng)
	c.checkBackwardWeights(t, rng)
}

func (c *convCase) checkForward(t *testing.T, rng *rand.Rand) {
	t.Helper()
	for variant := range 4 {
		e := Epilogue{}
		want := slices.Clone(c.product)
		got := kerneltest.Guarded(t, rng, c.outLen)
		if variant&1 != 0 {
			e.Bias, e.Act = c.bias, act.ReLU
		}
		if variant&2 != 0 { // added in place
			e.Add = got
			for i := range want {
				want[i] += float64(got[i])
			}
		}
		if variant == 3 {
			e.Add = c.add
			for i := range want {
				want[i] = c.product[i] + float64(c.add[i])
			}
		}
		if e.Bias != nil {
			for i := range want {
				want[i] = max(want[i]+float64(c.bias[i%c.s.OutC]), 0)
			}
		}
		c.c.Forward(c.p, c.n, got, c.x, c.w, e, c.ws)
		kerneltest.Compare(t, fmt.Sprintf("variant %d: y", variant), got, want, c.tolerance(c.terms))
	}
}

func (c *convCase) checkBackwardData(t *testing.T, rng *rand.Rand) {
	t.Helper()
	got := kerneltest.Guarded(t, rng, c.inLen)
	c.c.BackwardData(c.p, c.n, got, c.y, c.w, nil, c.ws)
	kerneltest.Compare(t, "dx", got, c.dataProduct, c.tolerance(c.dataTerms))
	for _, add := range [][]float32{c.inputAdd, got} {
		want := kerneltest.ToFloat64(add)
		for i := range want {
			want[i] += c.dataProduct[i]
		}
		// The sum with what is added, of about the products' size √terms, is rounded once or twice more.
		c.c.BackwardData(c.p, c.n, got, c.y, c.w, add, c.ws)
		kerneltest.Compare(t, "dx with add", got, want, c.tolerance(c.dataTerms)+1e-6*math.Sqrt(float64(c.dataTerms)))
	}
}

func (c *convCase) checkBackwardWeights(t *testing.T, rng *rand.Rand) {
	t.Helper()
	dw, db := c.weightProduct, make([]float64, c.s.OutC)
	for i, v := range c.y {
		db[i%c.s.OutC] += float64(v)
	}
	got, gotBias := kerneltest.Guarded(t, rng, len(dw)), kerneltest.Guarded(t, rng, len(db))
	for range 2 { // what was there before must not matter
		c.c.BackwardWeights(c.p, c.n, got, gotBias, c.y, c.x, false, c.ws)
		kerneltest.Compare(t, "dw", got, dw, c.tolerance(c.pixels))
		kerneltest.Compare(t, "db", gotBias, db, c.tolerance(c.pixels))
	}
	wantWeights, wantBias := kerneltest.ToFloat64(got), kerneltest.ToFloat64(gotBias)
	for i := range dw {
		wantWeights[i] += dw[i]
	}
	for i := range db {
		wantBias[i] += db[i]
	}
	c.c.BackwardWeights(c.p, c.n, got, gotBias, c.y, c.x, true, c.ws)
	kerneltest.Compare(t, "dw accumulated", got, wantWeights, 2*c.tolerance(c.pixels))
	kerneltest.Compare(t, "db accumulated", gotBias, wantBias, 2*c.tolerance(c.pixels))
	c.c.BackwardWeights(c.p, c.n, got, nil, c.y, c.x, false, c.ws)
	kerneltest.Compare(t, "dw without bias", got, dw, c.tolerance(c.pixels))
}

func TestConv(t *testing.T) {
	for _, s := range convShapes {
		t.Run(convName(s), func(t *testing.T) {
			for _, n := range []int{1, 3} {
				rng := rand.New(rand.NewPCG(7, 8))
				c := newConvCase(t, rng, s, n, 2)
				c.multiply()
				kerneltest.ForEachISA(t, func(t *testing.T) { c.check(t, rng) })
			}
		})
	}
}

// The data and weight gradients are the adjoints of the convolution: ⟨conv(x,w), dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩. The three
// inner products are taken in float64, so they differ by the float32 rounding of one factor only: relative to the size
// of the terms that is 2⁻²⁴ times the length of a sum, and errors of different terms average out. Winograd's forms
// have two to three times those errors.
func TestConvAdjoint(t *testing.T) {
	for _, s := range []Shape{
		{H: 32, W: 16, C: 24, OutC: 88, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		{H: 32, W: 16, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
		{H: 16, W: 8, C: 256, OutC: 512, KH: 1, KW: 1, SH: 2, SW: 2, Groups: 1},
		{H: 64, W: 32, C: 64, OutC: 64, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 64},
	} {
		t.Run(convName(s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(9, 10))
				c := newConvCase(t, rng, s, 4, 2)
				y, dx, dw := make([]float32, c.outLen), make([]float32, c.inLen), make([]float32, s.Weights())
				c.c.Forward(c.p, c.n, y, c.x, c.w, Epilogue{}, c.ws)
				c.c.BackwardData(c.p, c.n, dx, c.y, c.w, nil, c.ws)
				c.c.BackwardWeights(c.p, c.n, dw, nil, c.y, c.x, false, c.ws)
				product, size := inner(y, c.y)
				tolerance := size * 1e-6
				if c.c.winograd.weights.pays(c.n) {
					tolerance *= 4
				}
				for what, pair := range map[string][2][]float32{"⟨x,dx⟩": {c.x, dx}, "⟨w,dw⟩": {c.w, dw}} {
					if got, _ := inner(pair[0], pair[1]); math.Abs(got-product) > tolerance {
						t.Errorf("%s = %.9g, want ⟨y,dy⟩ = %.9g ± %g", what, got, product, tolerance)
					}
				}
			})
		})
	}
}

// inner returns the inner product and the root of the sum of its squared terms.
func inner(a, b []float32) (product, size float64) {
	for i := range a {
		term := float64(a[i]) * float64(b[i])
		product += term
		size += term * term
	}
	return product, math.Sqrt(size)
}

// caseMaker is newConvCase, or the like for another form.
type caseMaker func(t *testing.T, rng *rand.Rand, s Shape, n, threads int) *convCase

func TestConvSameBitsForAnyThreads(t *testing.T) {
	testSameBitsForAnyThreads(t, newConvCase, []Shape{
		{H: 24, W: 16, C: 24, OutC: 40, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		{H: 16, W: 12, C: 64, OutC: 64, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
		{H: 19, W: 12, C: 72, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
		{H: 16, W: 12, C: 32, OutC: 32, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 4},
		{H: 24, W: 16, C: 40, OutC: 40, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 40},
		{H: 19, W: 11, C: 96, OutC: 96, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 4},
	})
}

func testSameBitsForAnyThreads(t *testing.T, newCase caseMaker, shapes []Shape) {
	for _, s := range shapes {
		kerneltest.ForEachISA(t, func(t *testing.T) {
			var want [][]float32
			for _, threads := range []int{1, 2, 7, 24} {
				rng := rand.New(rand.NewPCG(11, 12))
				c := newCase(t, rng, s, 8, threads)
				y, dx := make([]float32, c.outLen), make([]float32, c.inLen)
				dw, db := make([]float32, s.Weights()), make([]float32, s.OutC)
				c.c.Forward(c.p, c.n, y, c.x, c.w, Epilogue{Bias: c.bias, Act: act.ReLU}, c.ws)
				c.c.BackwardData(c.p, c.n, dx, c.y, c.w, nil, c.ws)
				c.c.BackwardWeights(c.p, c.n, dw, db, c.y, c.x, false, c.ws)
				got := [][]float32{y, dx, dw, db}
				if want == nil {
					want = got
				}
				for i := range got {
					if !slices.Equal(got[i], want[i]) {
						t.Errorf("%s: result %d with %d threads differs from that with one", convName(s), i, threads)
					}
				}
			}
		})
	}
}

func TestConvDoesNotAllocate(t *testing.T) {
	testDoesNotAllocate(t, newConvCase, []Shape{
		{H: 12, W: 8, C: 24, OutC: 40, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		{H: 12, W: 8, C: 48, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
		{H: 12, W: 8, C: 40, OutC: 40, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 40},
		{H: 12, W: 8, C: 24, OutC: 24, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 6},
	})
}

func testDoesNotAllocate(t *testing.T, newCase caseMaker, shapes []Shape) {
	for _, s := range shapes {
		kerneltest.ForEachISA(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(13, 14))
			c := newCase(t, rng, s, 4, 2)
			allocs := testing.AllocsPerRun(5, func() {
				c.c.Forward(c.p, c.n, c.add, c.x, c.w, Epilogue{Bias: c.bias}, c.ws)
				c.c.BackwardData(c.p, c.n, c.inputAdd, c.y, c.w, nil, c.ws)
				c.c.BackwardWeights(c.p, c.n, c.w, c.bias, c.y, c.x, false, c.ws)
			})
			if allocs != 0 {
				t.Errorf("%s: %v allocations per step", convName(s), allocs)
			}
		})
	}
}

func TestConvWorkspaceServesSmallerBatches(t *testing.T) {
	testWorkspaceServesSmallerBatches(t, newConvCase, []Shape{
		{H: 65, W: 16, C: 16, OutC: 16, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		{H: 1, W: 30, C: 40, OutC: 200, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
		{H: 14, W: 9, C: 48, OutC: 100, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
		{H: 33, W: 8, C: 16, OutC: 16, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 16},
		{H: 33, W: 9, C: 16, OutC: 32, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 4},
	})
}

func testWorkspaceServesSmallerBatches(t *testing.T, newCase caseMaker, shapes []Shape) {
	for _, s := range shapes {
		kerneltest.ForEachISA(t, func(t *testing.T) {
			c := newCase(t, rand.New(rand.NewPCG(33, 34)), s, 17, 2)
			for n := 1; n <= c.n; n++ { // a workspace that is too short panics
				c.c.Forward(c.p, n, c.add, c.x, c.w, Epilogue{}, c.ws)
				c.c.BackwardData(c.p, n, c.inputAdd, c.y, c.w, nil, c.ws)
				c.c.BackwardWeights(c.p, n, c.w, c.bias, c.y, c.x, false, c.ws)
			}
		})
	}
}

func TestNewConvRefusesImpossibleShapes(t *testing.T) {
	good := Shape{H: 4, W: 4, C: 4, OutC: 4, KH: 3, KW: 3, SH: 1, SW: 1, Groups: 1}
	for name, spoil := range map[string]func(*Shape){
		"no height":       func(s *Shape) { s.H = 0 },
		"no stride":       func(s *Shape) { s.SW = 0 },
		"padding":         func(s *Shape) { s.PH = -1 },
		"groups":          func(s *Shape) { s.Groups = 3 },
		"no groups":       func(s *Shape) { s.Groups = 0 },
		"kernel too wide": func(s *Shape) { s.KW = 5 },
	} {
		s := good
		spoil(&s)
		if _, err := New(s); err == nil {
			t.Errorf("%s: no error for %+v", name, s)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

func FuzzConv(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint8(6), uint8(3), uint8(4), uint8(3), uint8(3),
		uint8(1), uint8(2), uint8(1), uint8(1), uint8(1))
	f.Add(uint64(2), uint8(9), uint8(9), uint8(0), uint8(0), uint8(5), uint8(5),
		uint8(2), uint8(2), uint8(2), uint8(2), uint8(20))
	f.Fuzz(func(t *testing.T, seed uint64, h, w, in, out, kh, kw, sh, sw, ph, pw, groups uint8) {
		g := 1 + int(groups)%24
		s := Shape{
			H: 1 + int(h)%14, W: 1 + int(w)%14, C: g * (1 + int(in)%5), OutC: g * (1 + int(out)%5),
			KH: 1 + int(kh)%7, KW: 1 + int(kw)%7,
			SH: 1 + int(sh)%4, SW: 1 + int(sw)%4, PH: int(ph) % 5, PW: int(pw) % 5, Groups: g,
		}
		if s.validate() != nil {
			t.Skip()
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		c := newConvCase(t, rng, s, 2, 2)
		c.multiply()
		for range kerneltest.Sets(isa.Generic) {
			c.check(t, rng)
		}
	})
}

package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// layerCase is one layer on one set of inputs: what its kernels compute and the scalar definition they are held against.
type layerCase struct {
	name    string
	in      [][]float32                    // what the layer is differentiated by
	dy      []float32                      // gradient of the output
	forward func(in [][]float64) []float64 // the definition
	run     func(p *Pool)                  // fills y and grads
	y       []float32                      // nil if the layer has no output of its own
	grads   [][]float32                    // one for each of in; nil entries are not checked
}

// makeSlices returns one zeroed slice of the length of each input.
func makeSlices(in [][]float32) [][]float32 {
	out := make([][]float32, len(in))
	for i := range in {
		out[i] = make([]float32, len(in[i]))
	}
	return out
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// normal returns n normally distributed values.
func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func toFloat64(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// layerCases returns every layer of this package's pointwise half: with small shapes, that can be differentiated
// numerically, or with shapes that make several tasks and several float32 blocks.
func layerCases(large bool) []layerCase {
	var cases []layerCase
	for act := ActNone; act <= ActTanh; act++ {
		cases = append(cases, activationCase(act, large))
		cases = append(cases, batchNormCase(act, false, false, large), batchNormCase(act, true, false, large))
	}
	cases = append(cases, batchNormCase(ActReLU, false, true, large), batchNormCase(ActReLU, true, true, large),
		layerNormCase(false, large), layerNormCase(true, large))
	cases = append(cases, poolCases(large)...)
	return append(cases, pointwiseCases(large)...)
}

func TestLayersEqualTheirDefinition(t *testing.T) {
	// Outputs are sums of at most a few thousand terms of order one in float32 blocks of 128: relative error below
	// 128·2⁻²⁴ = 8e-6 of the largest partial sum.
	const tolerance = 2e-5
	forEachISA(t, func(t *testing.T) {
		pool := NewPool(2)
		defer pool.Close()
		for _, large := range []bool{false, true} {
			for _, layer := range layerCases(large) {
				layer.run(pool)
				in := make([][]float64, len(layer.in))
				for i := range in {
					in[i] = toFloat64(layer.in[i])
				}
				checkClose(t, fmt.Sprintf("%s (large %t): y", layer.name, large), layer.y, layer.forward(in), tolerance)
			}
		}
	})
}

func TestLayerGradientsAreTheDerivatives(t *testing.T) {
	// Central differences in float64 with h=1e-5 are exact to about 1e-9 away from kinks; the rest is the float32 of the
	// kernels, as for the outputs.
	const h, tolerance = 1e-5, 2e-5
	forEachISA(t, func(t *testing.T) {
		pool := NewPool(2)
		defer pool.Close()
		for _, layer := range layerCases(false) {
			layer.run(pool)
			in := make([][]float64, len(layer.in))
			for i := range in {
				in[i] = toFloat64(layer.in[i])
			}
			objective := func() float64 {
				sum := 0.0
				for i, y := range layer.forward(in) {
					sum += y * float64(layer.dy[i])
				}
				return sum
			}
			for i, grad := range layer.grads {
				want := make([]float64, len(in[i]))
				for j := range want {
					at := in[i][j]
					in[i][j] = at + h
					up := objective()
					in[i][j] = at - h
					want[j] = (up - objective()) / (2 * h)
					in[i][j] = at
				}
				if grad != nil {
					checkClose(t, fmt.Sprintf("%s: gradient %d", layer.name, i), grad, want, tolerance)
				}
			}
		}
	})
}

// checkClose compares with an error relative to 1 + |want| + the mean of |want|.
func checkClose(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	mean := 0.0
	for _, w := range want {
		mean += math.Abs(w) / float64(len(want))
	}
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - w); !(diff <= tolerance*(1+math.Abs(w)+mean)) {
			t.Errorf("%s[%d] = %g, want %g", what, i, got[i], w)
			return
		}
	}
}

func TestLayersDoNotDependOnThreads(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		var want [][]uint32
		for _, threads := range []int{1, 2, 3, 5} {
			pool := NewPool(threads)
			for i, layer := range layerCases(true) {
				layer.run(pool)
				got := bits(append([][]float32{layer.y}, layer.grads...))
				if threads == 1 {
					want = append(want, got)
					continue
				}
				for j := range got {
					if got[j] != want[i][j] {
						t.Errorf("%s with %d threads: value %d has bits %#x, with one thread %#x", layer.name, threads, j, got[j], want[i][j])
						break
					}
				}
			}
			pool.Close()
		}
	})
}

func bits(tensors [][]float32) []uint32 {
	var out []uint32
	for _, x := range tensors {
		for _, v := range x {
			out = append(out, math.Float32bits(v))
		}
	}
	return out
}

func TestLayersDoNotAllocate(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	for _, layer := range layerCases(false) {
		if allocs := testing.AllocsPerRun(5, func() { layer.run(pool) }); allocs != 0 {
			t.Errorf("%s allocates %g times", layer.name, allocs)
		}
	}
}

func activationCase(act Act, large bool) layerCase {
	size := 150
	if large {
		size = 2*taskFloats + 77
	}
	rng := newRand()
	x, dy := normal(rng, size), normal(rng, size)
	for i := range x {
		x[i] *= 3
	}
	c := layerCase{name: "Activation " + act.String(), in: [][]float32{x}, dy: dy, y: make([]float32, size)}
	c.grads = makeSlices(c.in)
	layer := NewActivation(act)
	c.run = func(p *Pool) {
		layer.Forward(p, size, c.y, x)
		layer.Backward(p, size, c.grads[0], dy, x)
	}
	c.forward = func(in [][]float64) []float64 {
		y := make([]float64, size)
		for i, v := range in[0] {
			y[i] = act.Eval(v)
		}
		return y
	}
	return c
}

package kerneltest

import (
	"fmt"
	"math"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// Layer is one layer on one set of inputs: what its kernels compute and the scalar definition they are held against.
type Layer struct {
	Name    string
	In      [][]float32                    // what the layer is differentiated by
	DY      []float32                      // gradient of the output
	Forward func(in [][]float64) []float64 // the definition
	Run     func(p *parallel.Pool)         // fills y and grads
	Y       []float32                      // nil if the layer has no output of its own
	Grads   [][]float32                    // one for each of in; nil entries are not checked
}

// NewLayer returns a layer with random inputs of the given sizes, one output and a gradient for each input. run fills
// those of k.
func NewLayer(
	name string, outputs int, sizes []int, forward func(in [][]float64) []float64, run func(p *parallel.Pool, k *Layer),
) Layer {
	rng := NewRand()
	k := Layer{Name: name, DY: Normal(rng, outputs), Y: make([]float32, outputs), Forward: forward}
	for _, size := range sizes {
		k.In = append(k.In, Normal(rng, size))
	}
	k.Grads = MakeSlices(k.In)
	c := &k
	k.Run = func(p *parallel.Pool) { run(p, c) }
	return k
}

// Mapped returns the slice of f(i).
func Mapped(n int, f func(i int) float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// CheckLayers holds layers against their definitions, numerically differentiated too, and sees that they compute the
// same bits with any number of threads and allocate nothing. Their shapes are small, so that they can be
// differentiated, or large, so that they make several tasks and several float32 blocks.
func CheckLayers(t *testing.T, cases func(large bool) []Layer) {
	t.Run("definition", func(t *testing.T) {
		ForEachISA(t, func(t *testing.T) { checkDefinitions(t, append(cases(false), cases(true)...)) })
	})
	t.Run("derivatives", func(t *testing.T) {
		ForEachISA(t, func(t *testing.T) { checkDerivatives(t, cases(false)) })
	})
	t.Run("threads", func(t *testing.T) {
		ForEachISA(t, func(t *testing.T) { checkThreads(t, func() []Layer { return cases(true) }) })
	})
	t.Run("allocations", func(t *testing.T) { checkAllocations(t, cases(false)) })
}

// checkDefinitions compares outputs. They are sums of at most a few thousand terms of order one in float32 blocks of
// 128: their relative error is below 128·2⁻²⁴ = 8e-6 of the largest partial sum.
func checkDefinitions(t *testing.T, layers []Layer) {
	const tolerance = 2e-5
	pool := parallel.NewPool(2)
	defer pool.Close()
	for _, layer := range layers {
		layer.Run(pool)
		what := fmt.Sprintf("%s: y (%d values)", layer.Name, len(layer.Y))
		CheckClose(t, what, layer.Y, layer.Forward(layer.wideInputs()), tolerance)
	}
}

// wideInputs returns the inputs in float64.
func (k *Layer) wideInputs() [][]float64 {
	in := make([][]float64, len(k.In))
	for i := range in {
		in[i] = ToFloat64(k.In[i])
	}
	return in
}

// checkDerivatives compares gradients with central differences in float64. With h=1e-5 those are exact to about 1e-9
// away from kinks; the rest is the float32 of the kernels, as for the outputs.
func checkDerivatives(t *testing.T, layers []Layer) {
	const h, tolerance = 1e-5, 2e-5
	pool := parallel.NewPool(2)
	defer pool.Close()
	for _, layer := range layers {
		layer.Run(pool)
		in := layer.wideInputs()
		objective := func() float64 {
			sum := 0.0
			for i, y := range layer.Forward(in) {
				sum += y * float64(layer.DY[i])
			}
			return sum
		}
		for i, grad := range layer.Grads {
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
				CheckClose(t, fmt.Sprintf("%s: gradient %d", layer.Name, i), grad, want, tolerance)
			}
		}
	}
}

// checkThreads runs fresh layers on pools of several sizes.
func checkThreads(t *testing.T, layers func() []Layer) {
	var want [][]uint32
	for _, threads := range []int{1, 2, 3, 5} {
		pool := parallel.NewPool(threads)
		for i, layer := range layers() {
			layer.Run(pool)
			got := bits(append([][]float32{layer.Y}, layer.Grads...))
			if threads == 1 {
				want = append(want, got)
				continue
			}
			for j := range got {
				if got[j] != want[i][j] {
					t.Errorf("%s with %d threads: value %d has bits %#x, with one thread %#x",
						layer.Name, threads, j, got[j], want[i][j])
					break
				}
			}
		}
		pool.Close()
	}
}

func checkAllocations(t *testing.T, layers []Layer) {
	pool := parallel.NewPool(2)
	defer pool.Close()
	for _, layer := range layers {
		if allocs := testing.AllocsPerRun(5, func() { layer.Run(pool) }); allocs != 0 {
			t.Errorf("%s allocates %g times", layer.Name, allocs)
		}
	}
}

// CheckAccumulates sees that a gradient which is added twice is twice the gradient.
func CheckAccumulates(t *testing.T, what string, size int, run func(sum []float32, accumulate bool)) {
	t.Helper()
	once, twice := Normal(NewRand(), size), make([]float32, size)
	run(once, false)
	run(twice, true)
	run(twice, true)
	for i := range once {
		once[i] *= 2
	}
	CheckClose(t, what, twice, ToFloat64(once), 1e-6) // a sum's rounding, 2⁻²⁴, and the doubling's, none
}

// bits returns the bits of all values.
func bits(tensors [][]float32) []uint32 {
	var out []uint32
	for _, x := range tensors {
		for _, v := range x {
			out = append(out, math.Float32bits(v))
		}
	}
	return out
}

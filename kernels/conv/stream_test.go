package conv

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Results that are stored past the caches are the same as others, to the bit.
func TestStreamedStores(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		pool := parallel.NewPool(2)
		defer pool.Close()
		rng := kerneltest.NewRand()
		for _, channels := range []int{16, 24, 33, 36, 40, 64, 72, 96, 160} {
			const n, height, width = 16, 9, 11 // enough blocks of rows that a task has all columns
			for _, s := range []Shape{
				{H: height, W: width, C: 32, OutC: channels, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
				{H: height, W: 101, C: 3, OutC: channels, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
			} {
				c, err := New(s)
				if err != nil {
					t.Fatal(err)
				}
				x, dy := kerneltest.Normal(rng, n*c.inputSize()), kerneltest.Normal(rng, n*c.outputSize())
				w, bias := kerneltest.Normal(rng, s.Weights()), kerneltest.Normal(rng, channels)
				workspace := func() []float32 { return make([]float32, c.Workspace(n, 2)) }
				kerneltest.CheckStreamed(t, "Conv", n*c.outputSize(), func(y []float32) {
					c.Forward(pool, n, y, x, w, Epilogue{Bias: bias, Act: act.ReLU}, workspace())
				})
				kerneltest.CheckStreamed(t, "Conv with residual", n*c.outputSize(), func(y []float32) {
					c.Forward(pool, n, y, x, w, Epilogue{Add: dy}, workspace())
				})
				kerneltest.CheckStreamed(t, "Conv's weight gradient", s.Weights(), func(dw []float32) {
					c.BackwardWeights(pool, n, dw, nil, dy, x, false, workspace())
				})
			}
		}
	})
}

package conv

import (
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/pointwise"
)

// Results that are stored past the caches are the same as others, to the bit.
func TestStreamedStores(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		pool := parallel.NewPool(2)
		defer pool.Close()
		rng := kerneltest.NewRand()
		both := func(what string, size int, compute func(y []float32)) {
			t.Helper()
			cached, streamed := mem.Allocate(size+mem.Line), mem.Allocate(size+mem.Line)
			compute(cached[:size])
			restore := mem.StreamFrom(0)
			compute(streamed[:size])
			restore()
			if !slices.Equal(cached, streamed) { // what lies behind the result is zero in both
				t.Errorf("%s: streamed results differ", what)
			}
		}
		for _, channels := range []int{16, 24, 40, 64, 72, 96, 160} {
			const n, height, width = 16, 9, 11 // enough blocks of rows that a task has all columns
			for _, s := range []Shape{
				{H: height, W: width, C: 32, OutC: channels, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
				{H: height, W: 101, C: 3, OutC: channels, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
			} {
				c, err := New(s)
				if err != nil {
					t.Fatal(err)
				}
				x, w, bias := kerneltest.Normal(rng, n*c.inputSize()), kerneltest.Normal(rng, s.Weights()), kerneltest.Normal(rng, channels)
				dy, workspace := kerneltest.Normal(rng, n*c.outputSize()), func() []float32 { return make([]float32, c.Workspace(n, 2)) }
				both("Conv", n*c.outputSize(), func(y []float32) {
					c.Forward(pool, n, y, x, w, Epilogue{Bias: bias, Act: act.ReLU}, workspace())
				})
				both("Conv with residual", n*c.outputSize(), func(y []float32) {
					c.Forward(pool, n, y, x, w, Epilogue{Add: dy}, workspace())
				})
				both("Conv's weight gradient", s.Weights(), func(dw []float32) {
					c.BackwardWeights(pool, n, dw, nil, dy, x, false, workspace())
				})
			}

			rows := n * height * width
			gate, gates := pointwise.NewChannelGate(height*width, channels), kerneltest.Normal(rng, n*channels)
			gated, other := kerneltest.Normal(rng, rows*channels), kerneltest.Normal(rng, rows*channels)
			both("ChannelGate", rows*channels, func(y []float32) {
				gate.Forward(pool, n, y, gated, gates)
			})
			sum := pointwise.NewAdd(act.ReLU)
			both("Add", rows*channels, func(y []float32) {
				sum.Forward(pool, rows*channels, y, gated, other)
			})
			for _, act := range []act.Kind{act.ReLU, act.SiLU} {
				bn := norm.NewBatchNorm(channels, 1e-5, 0.1, act)
				z, add := kerneltest.Normal(rng, rows*channels), kerneltest.Normal(rng, rows*channels)
				mean, invstd, gamma, beta := kerneltest.Normal(rng, channels), kerneltest.Normal(rng, channels), kerneltest.Normal(rng, channels), kerneltest.Normal(rng, channels)
				both("BatchNorm", rows*channels, func(y []float32) {
					bn.Apply(pool, rows, y, norm.Operands{X: z, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
				})
				both("BatchNorm with means", rows*channels, func(y []float32) {
					bn.ApplyMeans(pool, n, height*width, y, make([]float32, n*channels), norm.Operands{X: z, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
				})
				ws := make([]float32, bn.Workspace(rows, 2))
				grad, dgamma, dbeta := kerneltest.Normal(rng, rows*channels), make([]float32, channels), make([]float32, channels)
				both("BatchNorm's gradient", rows*channels, func(dx []float32) {
					dadd := make([]float32, rows*channels)
					bn.Backward(pool, rows, dx, dadd, norm.BatchNormGradient{DY: grad, At: norm.Operands{X: z, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}, DGamma: dgamma, DBeta: dbeta}, ws)
				})
				both("BatchNorm with residual", rows*channels, func(y []float32) {
					bn.Apply(pool, rows, y, norm.Operands{X: z, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
				})
			}
		}
	})
}

package kernels

import (
	"slices"
	"testing"
)

// Results that are stored past the caches are the same as others, to the bit.
func TestStreamedStores(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		pool := NewPool(2)
		defer pool.Close()
		rng := newRand()
		both := func(what string, size int, compute func(y []float32)) {
			t.Helper()
			cached, streamed := Allocate(size+cacheLine), Allocate(size+cacheLine)
			compute(cached[:size])
			restore := streamFrom(0)
			compute(streamed[:size])
			restore()
			if !slices.Equal(cached, streamed) { // what lies behind the result is zero in both
				t.Errorf("%s: streamed results differ", what)
			}
		}
		for _, channels := range []int{16, 24, 40, 64, 72, 96, 160} {
			const n, height, width = 16, 9, 11 // enough blocks of rows that a task has all columns
			for _, s := range []ConvShape{
				{H: height, W: width, C: 32, OutC: channels, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
				{H: height, W: 101, C: 3, OutC: channels, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
			} {
				c, err := NewConv(s)
				if err != nil {
					t.Fatal(err)
				}
				x, w, bias := normal(rng, n*c.inputSize()), normal(rng, s.Weights()), normal(rng, channels)
				dy, workspace := normal(rng, n*c.outputSize()), func() []float32 { return make([]float32, c.Workspace(n, 2)) }
				both("Conv", n*c.outputSize(), func(y []float32) {
					c.Forward(pool, n, y, x, w, Epilogue{Bias: bias, Act: ActReLU}, workspace())
				})
				both("Conv with residual", n*c.outputSize(), func(y []float32) {
					c.Forward(pool, n, y, x, w, Epilogue{Add: dy}, workspace())
				})
				both("Conv's weight gradient", s.Weights(), func(dw []float32) {
					c.BackwardWeights(pool, n, dw, nil, dy, x, false, workspace())
				})
			}

			rows := n * height * width
			gate, gates := NewChannelGate(height*width, channels), normal(rng, n*channels)
			gated, other := normal(rng, rows*channels), normal(rng, rows*channels)
			both("ChannelGate", rows*channels, func(y []float32) {
				gate.Forward(pool, n, y, gated, gates)
			})
			sum := NewAdd(ActReLU)
			both("Add", rows*channels, func(y []float32) {
				sum.Forward(pool, rows*channels, y, gated, other)
			})
			for _, act := range []Act{ActReLU, ActSiLU} {
				norm := NewBatchNorm(channels, 1e-5, 0.1, act)
				z, add := normal(rng, rows*channels), normal(rng, rows*channels)
				mean, invstd, gamma, beta := normal(rng, channels), normal(rng, channels), normal(rng, channels), normal(rng, channels)
				both("BatchNorm", rows*channels, func(y []float32) {
					norm.Apply(pool, rows, y, Normalised{X: z, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
				})
				both("BatchNorm with means", rows*channels, func(y []float32) {
					norm.ApplyMeans(pool, n, height*width, y, make([]float32, n*channels), Normalised{X: z, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
				})
				ws := make([]float32, norm.Workspace(rows, 2))
				grad, dgamma, dbeta := normal(rng, rows*channels), make([]float32, channels), make([]float32, channels)
				both("BatchNorm's gradient", rows*channels, func(dx []float32) {
					dadd := make([]float32, rows*channels)
					norm.Backward(pool, rows, dx, dadd, BatchNormGradient{DY: grad, At: Normalised{X: z, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}, DGamma: dgamma, DBeta: dbeta}, ws)
				})
				both("BatchNorm with residual", rows*channels, func(y []float32) {
					norm.Apply(pool, rows, y, Normalised{X: z, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
				})
			}
		}
	})
}

package norm

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// BenchmarkNorms measures the norms of an input of ResNet-50: 16 images, 32×16 positions, 256 channels.
func BenchmarkNorms(b *testing.B) {
	const rows, c = 16 * 32 * 16, 256
	rng := kerneltest.NewRand()
	x, y, z := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c)
	w := kerneltest.Normal(rng, rows*c)
	gamma, beta, mean := kerneltest.Normal(rng, c), kerneltest.Normal(rng, c), kerneltest.Normal(rng, c)
	invstd := kerneltest.Normal(rng, c)
	dgamma, dbeta := make([]float32, c), make([]float32, c)
	rowMean, rowInvStd := make([]float32, rows), make([]float32, rows)
	pool := parallel.NewPool(2)
	defer pool.Close()
	norm, smooth, layer := NewBatchNorm(c, 1e-5, 0.1, act.ReLU), NewBatchNorm(c, 1e-5, 0.1, act.SiLU),
		NewLayerNorm(c, 1e-5)
	ws := make([]float32, max(norm.Workspace(rows, 2), layer.Workspace(rows, 2)))
	plain := Operands{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
	residual := plain
	residual.Add = z
	kerneltest.BenchmarkPasses(b, rows*c, []kerneltest.Pass{
		kerneltest.NewPass("copy", 2, func() { copy(y, x) }),
		kerneltest.NewPass("BatchNorm.Stats", 1, func() {
			norm.Stats(pool, rows, x, Statistics{Mean: mean, InvStd: invstd}, ws)
		}),
		kerneltest.NewPass("BatchNorm.Apply", 2, func() { norm.Apply(pool, rows, y, plain) }),
		kerneltest.NewPass("BatchNorm.ApplyAdd", 3, func() { norm.Apply(pool, rows, y, residual) }),
		kerneltest.NewPass("BatchNorm.ApplySiLU", 2, func() { smooth.Apply(pool, rows, y, plain) }),
		kerneltest.NewPass("BatchNorm.Backward", 5, func() {
			norm.Backward(pool, rows, y, nil, BatchNormGradient{DY: z, At: plain, DGamma: dgamma, DBeta: dbeta}, ws)
		}),
		kerneltest.NewPass("BatchNorm.BackwardAdd", 7, func() {
			norm.Backward(pool, rows, y, w, BatchNormGradient{DY: z, At: residual, DGamma: dgamma, DBeta: dbeta}, ws)
		}),
		kerneltest.NewPass("BatchNorm.BackwardSiLU", 6, func() {
			smooth.Backward(pool, rows, y, nil, BatchNormGradient{DY: z, At: plain, DGamma: dgamma, DBeta: dbeta}, ws)
		}),
		kerneltest.NewPass("LayerNorm.Forward", 2, func() {
			layer.Forward(pool, rows, y, x, gamma, beta, rowMean, rowInvStd)
		}),
		kerneltest.NewPass("LayerNorm.Backward", 3, func() {
			layer.Backward(pool, rows, LayerNormGradient{DY: z, X: x, Mean: rowMean, InvStd: rowInvStd, Gamma: gamma,
				DX: y, DGamma: dgamma, DBeta: dbeta}, ws)
		}),
	})
}

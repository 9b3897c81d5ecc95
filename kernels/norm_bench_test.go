package kernels

import "testing"

// BenchmarkNorms measures the norms of an input of ResNet-50: 16 images, 32×16 positions, 256 channels.
func BenchmarkNorms(b *testing.B) {
	const rows, c = 16 * 32 * 16, 256
	rng := newRand()
	x, y, z, w := normal(rng, rows*c), normal(rng, rows*c), normal(rng, rows*c), normal(rng, rows*c)
	gamma, beta, mean, invstd := normal(rng, c), normal(rng, c), normal(rng, c), normal(rng, c)
	dgamma, dbeta := make([]float32, c), make([]float32, c)
	rowMean, rowStd := make([]float32, rows), make([]float32, rows)
	pool := NewPool(2)
	defer pool.Close()
	norm, smooth, layer := NewBatchNorm(c, 1e-5, 0.1, ActReLU), NewBatchNorm(c, 1e-5, 0.1, ActSiLU),
		NewLayerNorm(c, 1e-5)
	ws := make([]float32, max(norm.Workspace(rows, 2), layer.Workspace(rows, 2)))
	plain := Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
	residual := plain
	residual.Add = z
	benchmarkPasses(b, rows*c, []pass{
		newPass("copy", 2, func() { copy(y, x) }),
		newPass("BatchNorm.Stats", 1, func() { norm.Stats(pool, rows, x, Statistics{Mean: mean, InvStd: invstd}, ws) }),
		newPass("BatchNorm.Apply", 2, func() { norm.Apply(pool, rows, y, plain) }),
		newPass("BatchNorm.ApplyAdd", 3, func() { norm.Apply(pool, rows, y, residual) }),
		newPass("BatchNorm.ApplySiLU", 2, func() { smooth.Apply(pool, rows, y, plain) }),
		newPass("BatchNorm.Backward", 5, func() {
			norm.Backward(pool, rows, y, nil, BatchNormGradient{DY: z, At: plain, DGamma: dgamma, DBeta: dbeta}, ws)
		}),
		newPass("BatchNorm.BackwardAdd", 7, func() {
			norm.Backward(pool, rows, y, w, BatchNormGradient{DY: z, At: residual, DGamma: dgamma, DBeta: dbeta}, ws)
		}),
		newPass("BatchNorm.BackwardSiLU", 6, func() {
			smooth.Backward(pool, rows, y, nil, BatchNormGradient{DY: z, At: plain, DGamma: dgamma, DBeta: dbeta}, ws)
		}),
		newPass("LayerNorm.Forward", 2, func() { layer.Forward(pool, rows, y, x, gamma, beta, rowMean, rowStd) }),
		newPass("LayerNorm.Backward", 3, func() {
			layer.Backward(pool, rows, LayerNormGradient{DY: z, X: x, Mean: rowMean, RStd: rowStd, Gamma: gamma, DX: y,
				DGamma: dgamma, DBeta: dbeta}, ws)
		}),
	})
}

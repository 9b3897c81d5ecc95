package norm

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Results that are stored past the caches are the same as others, to the bit.
func TestStreamedStores(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		for _, c := range []int{16, 24, 40, 64, 72, 96, 160} {
			for _, kind := range []act.Kind{act.ReLU, act.SiLU} {
				checkStreamed(t, c, kind)
			}
		}
	})
}

func checkStreamed(t *testing.T, c int, kind act.Kind) {
	const samples, positions = 16, 9 * 11
	const rows = samples * positions
	pool := parallel.NewPool(2)
	defer pool.Close()
	rng := kerneltest.NewRand()
	plain := Operands{
		X:    kerneltest.Normal(rng, rows*c),
		Mean: kerneltest.Normal(rng, c), InvStd: kerneltest.Normal(rng, c),
		Gamma: kerneltest.Normal(rng, c), Beta: kerneltest.Normal(rng, c),
	}
	residual := plain
	residual.Add = kerneltest.Normal(rng, rows*c)
	norm := NewBatchNorm(c, 1e-5, 0.1, kind)
	kerneltest.CheckStreamed(t, "Apply", rows*c, func(y []float32) { norm.Apply(pool, rows, y, plain) })
	kerneltest.CheckStreamed(t, "Apply with residual", rows*c, func(y []float32) {
		norm.Apply(pool, rows, y, residual)
	})
	kerneltest.CheckStreamed(t, "ApplyMeans", rows*c, func(y []float32) {
		norm.ApplyMeans(pool, samples, positions, y, make([]float32, samples*c), plain)
	})
	of := BatchNormGradient{DY: kerneltest.Normal(rng, rows*c), At: residual}
	of.DGamma, of.DBeta = make([]float32, c), make([]float32, c)
	ws := make([]float32, norm.Workspace(rows, 2))
	kerneltest.CheckStreamed(t, "Backward", rows*c, func(dx []float32) {
		norm.Backward(pool, rows, dx, make([]float32, rows*c), of, ws)
	})
}

package norm

import (
	"fmt"
	"math"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestLayerNorm(t *testing.T) {
	kerneltest.CheckLayers(t, func(large bool) []kerneltest.Layer {
		return []kerneltest.Layer{layerNormCase(false, large), layerNormCase(true, large)}
	})
}

func layerNormCase(residual, large bool) kerneltest.Layer {
	rows, c := 9, 21
	if large {
		rows, c = 3*parallel.BlockRows+7, 192
	}
	const eps = 1e-5
	rng := kerneltest.NewRand()
	x, gamma, beta := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, c), kerneltest.Normal(rng, c)
	dy, add := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c)
	for i := range x {
		x[i] += float32(i / c % 7) // a mean that differs by row
	}
	k := kerneltest.Layer{
		Name: fmt.Sprintf("LayerNorm, residual %t", residual), In: [][]float32{x, gamma, beta}, DY: dy,
		Y: make([]float32, rows*c),
	}
	k.Grads = kerneltest.MakeSlices(k.In)
	norm := NewLayerNorm(c, eps)
	mean, invstd := make([]float32, rows), make([]float32, rows)
	ws := make([]float32, norm.Workspace(rows, 5))
	k.Run = func(p *parallel.Pool) {
		norm.Forward(p, rows, k.Y, x, gamma, beta, mean, invstd)
		if !residual {
			norm.Backward(p, rows, LayerNormGradient{DY: dy, X: x, Mean: mean, InvStd: invstd, Gamma: gamma,
				DX: k.Grads[0], DGamma: k.Grads[1], DBeta: k.Grads[2]}, ws)
			return
		}
		// x's own way past the norm adds dy·add; in place, on top of gradients from elsewhere
		for i := range dy {
			k.Grads[0][i] = dy[i] * add[i]
			k.Y[i] += x[i] * add[i]
		}
		clear(k.Grads[1])
		clear(k.Grads[2])
		norm.Backward(p, rows, LayerNormGradient{DY: dy, X: x, Mean: mean, InvStd: invstd, Gamma: gamma, DX: k.Grads[0],
			Add: k.Grads[0], DGamma: k.Grads[1], DBeta: k.Grads[2], Accumulate: true}, ws)
	}
	k.Forward = func(in [][]float64) []float64 {
		x, gamma, beta := in[0], in[1], in[2]
		y := make([]float64, len(x))
		for r := range rows {
			m, v := kerneltest.ColumnMoments(x[r*c:(r+1)*c], c, 1, 0)
			for j := range c {
				i := r*c + j
				y[i] = (x[i]-m)/math.Sqrt(v+eps)*gamma[j] + beta[j]
				if residual {
					y[i] += x[i] * float64(add[i])
				}
			}
		}
		return y
	}
	return k
}

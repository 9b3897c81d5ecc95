package kernels

import (
	"fmt"
	"math"
	"testing"
)

func TestLayerNorm(t *testing.T) {
	checkLayers(t, func(large bool) []layerCase {
		return []layerCase{layerNormCase(false, large), layerNormCase(true, large)}
	})
}

func layerNormCase(residual, large bool) layerCase {
	rows, c := 9, 21
	if large {
		rows, c = 3*blockRows+7, 192
	}
	const eps = 1e-5
	rng := newRand()
	x, gamma, beta, dy, add := normal(rng, rows*c), normal(rng, c), normal(rng, c), normal(rng, rows*c),
		normal(rng, rows*c)
	for i := range x {
		x[i] += float32(i / c % 7) // a mean that differs by row
	}
	k := layerCase{name: fmt.Sprintf("LayerNorm, residual %t", residual), in: [][]float32{x, gamma, beta}, dy: dy,
		y: make([]float32, rows*c)}
	k.grads = makeSlices(k.in)
	norm := NewLayerNorm(c, eps)
	mean, rstd := make([]float32, rows), make([]float32, rows)
	ws := make([]float32, norm.Workspace(rows, 5))
	k.run = func(p *Pool) {
		norm.Forward(p, rows, k.y, x, gamma, beta, mean, rstd)
		if !residual {
			norm.Backward(p, rows, LayerNormGradient{DY: dy, X: x, Mean: mean, RStd: rstd, Gamma: gamma, DX: k.grads[0],
				DGamma: k.grads[1], DBeta: k.grads[2]}, ws)
			return
		}
		// x's own way past the norm adds dy·add; in place, on top of gradients from elsewhere
		for i := range dy {
			k.grads[0][i] = dy[i] * add[i]
			k.y[i] += x[i] * add[i]
		}
		clear(k.grads[1])
		clear(k.grads[2])
		norm.Backward(p, rows, LayerNormGradient{DY: dy, X: x, Mean: mean, RStd: rstd, Gamma: gamma, DX: k.grads[0],
			Add: k.grads[0], DGamma: k.grads[1], DBeta: k.grads[2], Accumulate: true}, ws)
	}
	k.forward = func(in [][]float64) []float64 {
		x, gamma, beta := in[0], in[1], in[2]
		y := make([]float64, len(x))
		for r := range rows {
			m, v := columnMoments(x[r*c:(r+1)*c], c, 1, 0)
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

package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestBatchNorm(t *testing.T) {
	checkLayers(t, func(large bool) []layerCase {
		cases := []layerCase{batchNormCase(ActReLU, false, true, large), batchNormCase(ActReLU, true, true, large)}
		for act := ActNone; act <= ActTanh; act++ {
			cases = append(cases, batchNormCase(act, false, false, large), batchNormCase(act, true, false, large))
		}
		return cases
	})
}

// batchNormCase is batch norm with its statistics taken from the batch or, if fixed, given.
func batchNormCase(act Act, residual, fixed, large bool) layerCase {
	rows, c := 21, 7
	if large {
		rows, c = 3*blockRows*maxPartials/2+5, 7
	}
	const eps = 1e-3
	rng := newRand()
	x, gamma, beta, dy, add := normal(rng, rows*c), normal(rng, c), normal(rng, c), normal(rng, rows*c),
		normal(rng, rows*c)
	for i := range x {
		x[i] = 2*x[i] + float32(i%c) // a mean that differs by channel
	}
	k := layerCase{name: fmt.Sprintf("BatchNorm %s, residual %t, fixed %t", act, residual, fixed),
		in: [][]float32{x, gamma, beta}, dy: dy, y: make([]float32, rows*c)}
	if residual {
		k.in = append(k.in, add)
	} else {
		add = nil
	}
	k.grads = makeSlices(k.in)
	var dadd []float32
	if residual {
		dadd = k.grads[3]
	}
	norm := NewBatchNorm(c, eps, 0.1, act)
	mean, invstd, runMean, runVar := make([]float32, c), make([]float32, c), normal(rng, c), normal(rng, c)
	for j := range runVar {
		runVar[j] = 1 + runVar[j]*runVar[j]
	}
	ws := make([]float32, norm.Workspace(rows, 5))
	k.run = func(p *Pool) {
		if fixed {
			norm.Running(Statistics{Mean: mean, InvStd: invstd, RunMean: runMean, RunVar: runVar})
		} else {
			norm.Stats(p, rows, x, Statistics{Mean: mean, InvStd: invstd}, ws)
		}
		norm.Apply(p, rows, k.y, Normalised{X: x, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
		at := Normalised{X: x, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
		norm.Backward(p, rows, k.grads[0], dadd,
			BatchNormGradient{DY: dy, At: at, Fixed: fixed, DGamma: k.grads[1], DBeta: k.grads[2]}, ws)
	}
	k.forward = func(in [][]float64) []float64 {
		x, gamma, beta := in[0], in[1], in[2]
		y := make([]float64, len(x))
		for j := range c {
			m, v := columnMoments(x, rows, c, j)
			if fixed {
				m, v = float64(runMean[j]), float64(runVar[j])
			}
			for i := j; i < len(x); i += c {
				z := (x[i]-m)/math.Sqrt(v+eps)*gamma[j] + beta[j]
				if residual {
					z += in[3][i]
				}
				y[i] = act.Eval(z)
			}
		}
		return y
	}
	return k
}

func TestBatchNormStatistics(t *testing.T) {
	tests := []struct {
		name         string
		rows, c      int
		mean, spread float64
	}{
		{"one row", 1, 5, 1, 1},
		{"centred", 1000, 33, 0, 1},
		{"far from zero", 20000, 16, 1000, 0.1}, // E[x²]-E[x]² in float32 has no digit left here
		{"several tasks", 3*blockRows*maxPartials/2 + 1, 70, -5, 2},
	}
	forEachISA(t, func(t *testing.T) {
		pool := NewPool(3)
		defer pool.Close()
		for _, test := range tests {
			rng := newRand()
			x := make([]float32, test.rows*test.c)
			for i := range x {
				x[i] = float32(test.mean + test.spread*rng.NormFloat64())
			}
			const eps, momentum = 1e-5, 0.25
			norm := NewBatchNorm(test.c, eps, momentum, ActNone)
			mean, invstd := make([]float32, test.c), make([]float32, test.c)
			runMean, runVar := normal(rng, test.c), normal(rng, test.c)
			var wantMean, wantInvstd, wantRunMean, wantRunVar []float64
			for j := range test.c {
				m, v := columnMoments(toFloat64(x), test.rows, test.c, j)
				wantMean = append(wantMean, m)
				wantInvstd = append(wantInvstd, 1/math.Sqrt(v+eps))
				unbiased := v * float64(test.rows) / math.Max(float64(test.rows-1), 1)
				wantRunMean = append(wantRunMean, (1-momentum)*float64(runMean[j])+momentum*m)
				wantRunVar = append(wantRunVar, (1-momentum)*float64(runVar[j])+momentum*unbiased)
			}
			norm.Stats(pool, test.rows, x, Statistics{Mean: mean, InvStd: invstd, RunMean: runMean, RunVar: runVar},
				make([]float32, norm.Workspace(test.rows, 3)))
			// 128 float32 additions of deviations, then float64: far below 128·2⁻²⁴ = 8e-6.
			checkClose(t, test.name+": mean", mean, wantMean, 1e-6)
			checkClose(t, test.name+": invstd", invstd, wantInvstd, 4e-6)
			checkClose(t, test.name+": running mean", runMean, wantRunMean, 1e-6)
			checkClose(t, test.name+": running variance", runVar, wantRunVar, 4e-6)
		}
	})
}

func TestBatchNormBackwardAliasesAndAccumulates(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		pool := NewPool(2)
		defer pool.Close()
		const rows, c = 300, 11
		rng := newRand()
		x, add, dy := normal(rng, rows*c), normal(rng, rows*c), normal(rng, rows*c)
		gamma, beta := normal(rng, c), normal(rng, c)
		for _, act := range []Act{ActNone, ActReLU, ActSiLU} {
			norm := NewBatchNorm(c, 1e-5, 0.1, act)
			ws := make([]float32, norm.Workspace(rows, 2))
			mean, invstd := make([]float32, c), make([]float32, c)
			norm.Stats(pool, rows, x, Statistics{Mean: mean, InvStd: invstd}, ws)
			at := Normalised{X: x, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
			plain := makeSlices([][]float32{x, add, gamma, beta})
			of := BatchNormGradient{DY: dy, At: at, DGamma: plain[2], DBeta: plain[3]}
			norm.Backward(pool, rows, plain[0], plain[1], of, ws)

			dadd, dx := slices.Clone(dy), make([]float32, rows*c)
			dgamma, dbeta := slices.Clone(plain[2]), slices.Clone(plain[3])
			of = BatchNormGradient{DY: dadd, At: at, DGamma: dgamma, DBeta: dbeta, Accumulate: true}
			norm.Backward(pool, rows, dx, dadd, of, ws)
			checkEqual(t, act.String()+": dx with dadd = dy", dx, plain[0])
			checkEqual(t, act.String()+": dadd = dy", dadd, plain[1])
			for j := range c {
				plain[2][j] *= 2
			}
			checkClose(t, act.String()+": dgamma twice", dgamma, toFloat64(plain[2]), 1e-6)

			of.DY, of.At.Add, of.Accumulate = dy, nil, false
			norm.Backward(pool, rows, plain[0], nil, of, ws)
			dx = slices.Clone(dy)
			of.DY = dx
			norm.Backward(pool, rows, dx, nil, of, ws)
			checkEqual(t, act.String()+": dx = dy", dx, plain[0])

			want := make([]float32, rows*c)
			norm.Apply(pool, rows, want, at)
			got := slices.Clone(add)
			at.Add = got
			norm.Apply(pool, rows, got, at)
			checkEqual(t, act.String()+": y = add", got, want)
		}
	})
}

package norm

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestBatchNorm(t *testing.T) {
	kerneltest.CheckLayers(t, func(large bool) []kerneltest.Layer {
		cases := []kerneltest.Layer{
			batchNormCase(act.ReLU, false, true, large), batchNormCase(act.ReLU, true, true, large),
		}
		for kind := act.None; kind <= act.Tanh; kind++ {
			cases = append(cases, batchNormCase(kind, false, false, large), batchNormCase(kind, true, false, large))
		}
		return cases
	})
}

// severalTasks is more blocks of rows than a reduction has tasks.
const severalTasks = 96 * parallel.BlockRows

// batchNormCase is batch norm with its statistics taken from the batch or, if fixed, given.
func batchNormCase(kind act.Kind, residual, fixed, large bool) kerneltest.Layer {
	rows, c := 21, 7
	if large {
		rows, c = severalTasks+5, 7
	}
	const eps = 1e-3
	rng := kerneltest.NewRand()
	x, gamma, beta := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, c), kerneltest.Normal(rng, c)
	dy, add := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c)
	for i := range x {
		x[i] = 2*x[i] + float32(i%c) // a mean that differs by channel
	}
	k := kerneltest.Layer{Name: fmt.Sprintf("BatchNorm %s, residual %t, fixed %t", kind, residual, fixed),
		In: [][]float32{x, gamma, beta}, DY: dy, Y: make([]float32, rows*c)}
	if residual {
		k.In = append(k.In, add)
	} else {
		add = nil
	}
	k.Grads = kerneltest.MakeSlices(k.In)
	var dadd []float32
	if residual {
		dadd = k.Grads[3]
	}
	norm := NewBatchNorm(c, eps, 0.1, kind)
	mean, invstd, runMean := make([]float32, c), make([]float32, c), kerneltest.Normal(rng, c)
	runVar := kerneltest.Normal(rng, c)
	for j := range runVar {
		runVar[j] = 1 + runVar[j]*runVar[j]
	}
	ws := make([]float32, norm.Workspace(rows, 5))
	k.Run = func(p *parallel.Pool) {
		if fixed {
			norm.Running(Statistics{Mean: mean, InvStd: invstd, RunMean: runMean, RunVar: runVar})
		} else {
			norm.Stats(p, rows, x, Statistics{Mean: mean, InvStd: invstd}, ws)
		}
		norm.Apply(p, rows, k.Y, Operands{X: x, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta})
		at := Operands{X: x, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
		norm.Backward(p, rows, k.Grads[0], dadd,
			BatchNormGradient{DY: dy, At: at, Fixed: fixed, DGamma: k.Grads[1], DBeta: k.Grads[2]}, ws)
	}
	k.Forward = func(in [][]float64) []float64 {
		x, gamma, beta := in[0], in[1], in[2]
		y := make([]float64, len(x))
		for j := range c {
			m, v := kerneltest.ColumnMoments(x, rows, c, j)
			if fixed {
				m, v = float64(runMean[j]), float64(runVar[j])
			}
			for i := j; i < len(x); i += c {
				z := (x[i]-m)/math.Sqrt(v+eps)*gamma[j] + beta[j]
				if residual {
					z += in[3][i]
				}
				y[i] = kind.Eval(z)
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
		{"several tasks", severalTasks + 1, 70, -5, 2},
	}
	kerneltest.ForEachISA(t, func(t *testing.T) {
		pool := parallel.NewPool(3)
		defer pool.Close()
		for _, test := range tests {
			rng := kerneltest.NewRand()
			x := make([]float32, test.rows*test.c)
			for i := range x {
				x[i] = float32(test.mean + test.spread*rng.NormFloat64())
			}
			const eps, momentum = 1e-5, 0.25
			norm := NewBatchNorm(test.c, eps, momentum, act.None)
			mean, invstd := make([]float32, test.c), make([]float32, test.c)
			runMean, runVar := kerneltest.Normal(rng, test.c), kerneltest.Normal(rng, test.c)
			var wantMean, wantInvstd, wantRunMean, wantRunVar []float64
			for j := range test.c {
				m, v := kerneltest.ColumnMoments(kerneltest.ToFloat64(x), test.rows, test.c, j)
				wantMean = append(wantMean, m)
				wantInvstd = append(wantInvstd, 1/math.Sqrt(v+eps))
				unbiased := v * float64(test.rows) / math.Max(float64(test.rows-1), 1)
				wantRunMean = append(wantRunMean, (1-momentum)*float64(runMean[j])+momentum*m)
				wantRunVar = append(wantRunVar, (1-momentum)*float64(runVar[j])+momentum*unbiased)
			}
			norm.Stats(pool, test.rows, x, Statistics{Mean: mean, InvStd: invstd, RunMean: runMean, RunVar: runVar},
				make([]float32, norm.Workspace(test.rows, 3)))
			// 128 float32 additions of deviations, then float64: far below 128·2⁻²⁴ = 8e-6.
			kerneltest.CheckClose(t, test.name+": mean", mean, wantMean, 1e-6)
			kerneltest.CheckClose(t, test.name+": invstd", invstd, wantInvstd, 4e-6)
			kerneltest.CheckClose(t, test.name+": running mean", runMean, wantRunMean, 1e-6)
			kerneltest.CheckClose(t, test.name+": running variance", runVar, wantRunVar, 4e-6)
		}
	})
}

func TestBatchNormBackwardAliasesAndAccumulates(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		pool := parallel.NewPool(2)
		defer pool.Close()
		const rows, c = 300, 11
		rng := kerneltest.NewRand()
		x, add, dy := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c)
		gamma, beta := kerneltest.Normal(rng, c), kerneltest.Normal(rng, c)
		for _, kind := range []act.Kind{act.None, act.ReLU, act.SiLU} {
			norm := NewBatchNorm(c, 1e-5, 0.1, kind)
			ws := make([]float32, norm.Workspace(rows, 2))
			mean, invstd := make([]float32, c), make([]float32, c)
			norm.Stats(pool, rows, x, Statistics{Mean: mean, InvStd: invstd}, ws)
			at := Operands{X: x, Add: add, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
			plain := kerneltest.MakeSlices([][]float32{x, add, gamma, beta})
			of := BatchNormGradient{DY: dy, At: at, DGamma: plain[2], DBeta: plain[3]}
			norm.Backward(pool, rows, plain[0], plain[1], of, ws)

			dadd, dx := slices.Clone(dy), make([]float32, rows*c)
			dgamma, dbeta := slices.Clone(plain[2]), slices.Clone(plain[3])
			of = BatchNormGradient{DY: dadd, At: at, DGamma: dgamma, DBeta: dbeta, Accumulate: true}
			norm.Backward(pool, rows, dx, dadd, of, ws)
			kerneltest.CheckEqual(t, kind.String()+": dx with dadd = dy", dx, plain[0])
			kerneltest.CheckEqual(t, kind.String()+": dadd = dy", dadd, plain[1])
			for j := range c {
				plain[2][j] *= 2
			}
			kerneltest.CheckClose(t, kind.String()+": dgamma twice", dgamma, kerneltest.ToFloat64(plain[2]), 1e-6)

			of.DY, of.At.Add, of.Accumulate = dy, nil, false
			norm.Backward(pool, rows, plain[0], nil, of, ws)
			dx = slices.Clone(dy)
			of.DY = dx
			norm.Backward(pool, rows, dx, nil, of, ws)
			kerneltest.CheckEqual(t, kind.String()+": dx = dy", dx, plain[0])

			want := make([]float32, rows*c)
			norm.Apply(pool, rows, want, at)
			got := slices.Clone(add)
			at.Add = got
			norm.Apply(pool, rows, got, at)
			kerneltest.CheckEqual(t, kind.String()+": y = add", got, want)
		}
	})
}

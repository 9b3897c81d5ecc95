package conv

import (
	"fmt"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/pointwise"
	"github.com/reidbench/reidbench/kernels/pooling"
)

// BenchmarkNormGradient is the gradient of a 1×1 convolution and of the batch norm before it, apart or with the norm's
// sums taken by the convolution.
func BenchmarkNormGradient(b *testing.B) {
	const n, threads = 32, 2
	for _, bench := range []struct {
		s   Shape
		act act.Kind
	}{
		{Shape{H: 64, W: 32, C: 144, OutC: 24, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, act.ReLU6},
		{Shape{H: 64, W: 32, C: 192, OutC: 32, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, act.SiLU},
		{Shape{H: 32, W: 16, C: 192, OutC: 32, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, act.ReLU6},
		{Shape{H: 64, W: 32, C: 256, OutC: 64, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, act.ReLU},
		{Shape{H: 16, W: 8, C: 960, OutC: 128, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, act.ReLU},
	} {
		s := bench.s
		c, err := New(s)
		if err != nil {
			b.Fatal(err)
		}
		pool := parallel.NewPool(threads)
		rng := kerneltest.NewRand()
		rows := n * s.H * s.W
		noise := kerneltest.Normal(rng, 1<<16)
		tensor := func(size int) []float32 {
			x := mem.Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		dx, x, dy, w := tensor(rows*s.C), tensor(rows*s.C), tensor(rows*s.OutC), tensor(s.Weights())
		bn := norm.NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		mean, invstd, gamma, beta := tensor(s.C), tensor(s.C), tensor(s.C), tensor(s.C)
		dgamma, dbeta := tensor(s.C), tensor(s.C)
		ws := mem.Allocate(max(bn.Workspace(rows, threads), c.GradientSumsWorkspace(n, threads)))
		sums := mem.Allocate(c.GradientSums(bn, n))
		at := norm.Operands{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
		name := fmt.Sprintf("%s %s", convName(s), bench.act)
		b.Run(name+"/apart", func(b *testing.B) {
			for b.Loop() {
				c.BackwardData(pool, n, dx, dy, w, nil, ws)
				bn.Backward(pool, rows, dx, nil, norm.BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, ws)
			}
		})
		b.Run(name+"/summed", func(b *testing.B) {
			for b.Loop() {
				blocks := c.BackwardDataSums(pool, n, dx, dy, w, nil, NormBefore{Norm: bn, At: at, Sums: sums}, ws)
				bn.BackwardSummed(pool, rows, dx, nil,
					norm.BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, blocks, sums)
			}
		})
		pool.Close()
	}
}

// BenchmarkGatedGradient is the gradient of squeeze-and-excitation and of the batch norm before it, apart or with the
// gate's in the norm's.
func BenchmarkGatedGradient(b *testing.B) {
	const n, threads = 32, 2
	for _, s := range []struct{ h, w, c int }{{64, 32, 192}, {16, 8, 1632}} {
		pool := parallel.NewPool(threads)
		rng := kerneltest.NewRand()
		rows := n * s.h * s.w
		noise := kerneltest.Normal(rng, 1<<16)
		tensor := func(size int) []float32 {
			x := mem.Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		dx, x, y, spread, dy := tensor(rows*s.c), tensor(rows*s.c), tensor(rows*s.c), tensor(rows*s.c), tensor(rows*s.c)
		bn, gate, mean, add := norm.NewBatchNorm(s.c, 1e-5, 0.1, act.SiLU), pointwise.NewChannelGate(s.h*s.w, s.c),
			pooling.NewAdaptiveAvg(s.h, s.w, s.c, 1, 1), pointwise.NewAdd(act.None)
		at := norm.Operands{X: x, Mean: tensor(s.c), InvStd: tensor(s.c), Gamma: tensor(s.c), Beta: tensor(s.c)}
		g, shift, dg, dgamma, dbeta := tensor(n*s.c), tensor(n*s.c), tensor(n*s.c), tensor(s.c), tensor(s.c)
		ws := mem.Allocate(bn.Workspace(rows, threads))
		b.Run(fmt.Sprintf("%dx%dx%d/apart", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.Backward(pool, n, dx, dg, dy, y, g)
				mean.Backward(pool, n, spread, shift)
				add.Forward(pool, rows*s.c, dx, dx, spread)
				bn.Backward(pool, rows, dx, nil, norm.BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, ws)
			}
		})
		b.Run(fmt.Sprintf("%dx%dx%d/gated", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.BackwardGate(pool, n, dg, dy, y)
				bn.BackwardGated(pool, rows, dy, norm.BatchNormGradient{DY: dy, At: at, DGamma: dgamma, DBeta: dbeta},
					norm.Gated{Gate: g, Shift: shift, Rows: s.h * s.w}, ws)
			}
		})
		b.Run(fmt.Sprintf("%dx%dx%d/gateSums", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.BackwardGate(pool, n, dg, dy, y)
			}
		})
		b.Run(fmt.Sprintf("%dx%dx%d/norm", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				bn.Backward(pool, rows, dx, nil, norm.BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, ws)
			}
		})
		pool.Close()
	}
}

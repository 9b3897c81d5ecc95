package norm_test

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
		of := norm.BatchNormGradient{DY: dx, At: at, DGamma: tensor(s.c), DBeta: tensor(s.c)}
		gated := of
		gated.DY = dy
		g, shift, dg := tensor(n*s.c), tensor(n*s.c), tensor(n*s.c)
		ws := mem.Allocate(bn.Workspace(rows, threads))
		b.Run(fmt.Sprintf("%dx%dx%d/apart", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.Backward(pool, n, dx, dg, dy, y, g)
				mean.Backward(pool, n, spread, shift)
				add.Forward(pool, rows*s.c, dx, dx, spread)
				bn.Backward(pool, rows, dx, nil, of, ws)
			}
		})
		b.Run(fmt.Sprintf("%dx%dx%d/gated", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.BackwardGate(pool, n, dg, dy, y)
				bn.BackwardGated(pool, rows, dy, gated,
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
				bn.Backward(pool, rows, dx, nil, of, ws)
			}
		})
		pool.Close()
	}
}

package kernels

import (
	"fmt"
	"testing"
)

// BenchmarkNormGradient is the gradient of a 1×1 convolution and of the batch norm before it, apart or with the norm's
// sums taken by the convolution.
func BenchmarkNormGradient(b *testing.B) {
	const n, threads = 32, 2
	for _, bench := range []struct {
		s   ConvShape
		act Act
	}{
		{ConvShape{H: 64, W: 32, C: 144, OutC: 24, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, ActReLU6},
		{ConvShape{H: 64, W: 32, C: 192, OutC: 32, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, ActSiLU},
		{ConvShape{H: 32, W: 16, C: 192, OutC: 32, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, ActReLU6},
		{ConvShape{H: 64, W: 32, C: 256, OutC: 64, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, ActReLU},
		{ConvShape{H: 16, W: 8, C: 960, OutC: 128, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, ActReLU},
	} {
		s := bench.s
		c, err := NewConv(s)
		if err != nil {
			b.Fatal(err)
		}
		pool := NewPool(threads)
		rng := newRand()
		rows := n * s.H * s.W
		noise := normal(rng, 1<<16)
		tensor := func(size int) []float32 {
			x := Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		dx, x, dy, w := tensor(rows*s.C), tensor(rows*s.C), tensor(rows*s.OutC), tensor(s.Weights())
		norm := NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		mean, invstd, gamma, beta := tensor(s.C), tensor(s.C), tensor(s.C), tensor(s.C)
		dgamma, dbeta := tensor(s.C), tensor(s.C)
		ws := Allocate(max(norm.Workspace(rows, threads), c.GradientSumsWorkspace(n, threads)))
		sums := Allocate(c.GradientSums(norm, n))
		at := Normalised{X: x, Mean: mean, InvStd: invstd, Gamma: gamma, Beta: beta}
		name := fmt.Sprintf("%s %s", convName(s), bench.act)
		b.Run(name+"/apart", func(b *testing.B) {
			for b.Loop() {
				c.BackwardData(pool, n, dx, dy, w, nil, ws)
				norm.Backward(pool, rows, dx, nil, BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, ws)
			}
		})
		b.Run(name+"/summed", func(b *testing.B) {
			for b.Loop() {
				blocks := c.BackwardDataSums(pool, n, dx, dy, w, nil, NormBefore{Norm: norm, At: at, Sums: sums}, ws)
				norm.BackwardSummed(pool, rows, dx, nil,
					BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, blocks, sums)
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
		pool := NewPool(threads)
		rng := newRand()
		rows := n * s.h * s.w
		noise := normal(rng, 1<<16)
		tensor := func(size int) []float32 {
			x := Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		dx, x, y, spread, dy := tensor(rows*s.c), tensor(rows*s.c), tensor(rows*s.c), tensor(rows*s.c), tensor(rows*s.c)
		norm, gate, mean, add := NewBatchNorm(s.c, 1e-5, 0.1, ActSiLU), NewChannelGate(s.h*s.w, s.c),
			NewAdaptiveAvgPool(s.h, s.w, s.c, 1, 1), NewAdd(ActNone)
		at := Normalised{X: x, Mean: tensor(s.c), InvStd: tensor(s.c), Gamma: tensor(s.c), Beta: tensor(s.c)}
		g, shift, dg, dgamma, dbeta := tensor(n*s.c), tensor(n*s.c), tensor(n*s.c), tensor(s.c), tensor(s.c)
		ws := Allocate(norm.Workspace(rows, threads))
		b.Run(fmt.Sprintf("%dx%dx%d/apart", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.Backward(pool, n, dx, dg, dy, y, g)
				mean.Backward(pool, n, spread, shift)
				add.Forward(pool, rows*s.c, dx, dx, spread)
				norm.Backward(pool, rows, dx, nil, BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, ws)
			}
		})
		b.Run(fmt.Sprintf("%dx%dx%d/gated", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.BackwardGate(pool, n, dg, dy, y)
				norm.BackwardGated(pool, rows, dy, BatchNormGradient{DY: dy, At: at, DGamma: dgamma, DBeta: dbeta},
					Gated{g, shift, s.h * s.w}, ws)
			}
		})
		b.Run(fmt.Sprintf("%dx%dx%d/gateSums", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				gate.BackwardGate(pool, n, dg, dy, y)
			}
		})
		b.Run(fmt.Sprintf("%dx%dx%d/norm", s.h, s.w, s.c), func(b *testing.B) {
			for b.Loop() {
				norm.Backward(pool, rows, dx, nil, BatchNormGradient{DY: dx, At: at, DGamma: dgamma, DBeta: dbeta}, ws)
			}
		})
		pool.Close()
	}
}

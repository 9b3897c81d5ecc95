package kernels

import (
	"fmt"
	"testing"
)

// BenchmarkDepthwiseJoint is the backward pass of a depthwise convolution between two batch norms: the gradient of the
// one after, of the data with the sums of the one before, and of the weights, apart or joint.
func BenchmarkDepthwiseJoint(b *testing.B) {
	const n, threads = 32, 2
	for _, bench := range []struct {
		h, w, c, kernel, stride int
		act                     Act
	}{
		{128, 64, 32, 3, 1, ActReLU6},
		{128, 64, 96, 3, 2, ActReLU6},
		{64, 32, 144, 3, 1, ActReLU6},
		{64, 32, 144, 3, 2, ActReLU6},
		{32, 16, 192, 3, 1, ActReLU6},
		{32, 16, 192, 3, 2, ActReLU6},
		{16, 8, 384, 3, 1, ActReLU6},
		{16, 8, 576, 3, 2, ActReLU6},
		{8, 4, 960, 3, 1, ActReLU6},
		{32, 16, 96, 5, 2, ActHardSwish},
		{16, 8, 240, 5, 1, ActHardSwish},
		{16, 8, 288, 5, 2, ActHardSwish},
		{8, 4, 576, 5, 1, ActHardSwish},
		{128, 64, 48, 3, 1, ActSiLU},
		{128, 64, 144, 3, 2, ActSiLU},
		{64, 32, 192, 3, 1, ActSiLU},
		{64, 32, 192, 5, 2, ActSiLU},
		{32, 16, 336, 5, 1, ActSiLU},
		{32, 16, 336, 3, 2, ActSiLU},
		{16, 8, 672, 3, 1, ActSiLU},
		{16, 8, 960, 5, 1, ActSiLU},
		{16, 8, 960, 5, 2, ActSiLU},
		{8, 4, 1632, 5, 1, ActSiLU},
		{8, 4, 2688, 3, 1, ActSiLU},
	} {
		reach := bench.kernel / 2
		s := ConvShape{
			H: bench.h, W: bench.w, C: bench.c, OutC: bench.c, KH: bench.kernel, KW: bench.kernel,
			SH: bench.stride, SW: bench.stride, PH: reach, PW: reach, Groups: bench.c,
		}
		c, err := NewConv(s)
		if err != nil {
			b.Fatal(err)
		}
		if c.depthwise.joint == nil {
			continue
		}
		rng := newRand()
		noise := normal(rng, 1<<16)
		tensor := func(size int) []float32 {
			x := Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		normalised := func(positions int) Normalised {
			return Normalised{X: tensor(n * positions * s.C), Mean: tensor(s.C), InvStd: tensor(s.C),
				Gamma: tensor(s.C), Beta: tensor(s.C)}
		}
		pool := NewPool(threads)
		norm, after := NewBatchNorm(s.C, 1e-5, 0.1, bench.act), NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		rows := n * s.OutH() * s.OutW()
		args := Joint{
			DX: tensor(n * c.inputSize()), DW: tensor(s.Weights()), W: tensor(s.Weights()),
			Before: NormBefore{Norm: norm, At: normalised(s.H * s.W),
				Sums: Allocate(max(c.GradientSums(norm, n), c.JointSums(norm, n)))},
		}
		of := BatchNormGradient{DY: tensor(n * c.outputSize()), At: normalised(s.OutH() * s.OutW()),
			DGamma: tensor(s.C), DBeta: tensor(s.C)}
		through := c.ReadsThrough(norm)
		if args.X = args.Before.At.X; !through {
			args.X = tensor(n * c.inputSize())
		}
		settled, dy := tensor(2*s.C), tensor(n*c.outputSize())
		args.DY = after.SettleSummed(pool, rows, of, 1, settled)
		ws := Allocate(max(c.GradientSumsWorkspace(n, threads), c.JointWorkspace(n, threads)))
		name := fmt.Sprintf("%dx%dx%d/%d/%d/%s", s.H, s.W, s.C, s.KH, s.SH, bench.act)
		b.Run(name+"/apart", func(b *testing.B) {
			for b.Loop() {
				after.BackwardSummed(pool, rows, dy, nil, of, 1, settled)
				c.BackwardDataSums(pool, n, args.DX, dy, args.W, nil, args.Before, ws)
				if through {
					c.ReadThrough(norm, n, args.Before.At)
				}
				c.BackwardWeights(pool, n, args.DW, nil, dy, args.X, false, ws)
			}
		})
		b.Run(name+"/joint", func(b *testing.B) {
			for b.Loop() {
				if through {
					c.ReadThrough(norm, n, args.Before.At)
				}
				c.BackwardJoint(pool, n, &args, ws)
			}
		})
		pool.Close()
	}
}

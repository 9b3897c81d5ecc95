package conv

import (
	"fmt"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// BenchmarkDepthwiseJoint is the backward pass of a depthwise convolution between two batch norms: the gradient of the
// one after, of the data with the sums of the one before, and of the weights, apart or joint.
func BenchmarkDepthwiseJoint(b *testing.B) {
	const n, threads = 32, 2
	for _, bench := range []struct {
		h, w, c, kernel, stride int
		act                     act.Kind
	}{
		{128, 64, 32, 3, 1, act.ReLU6},
		{128, 64, 96, 3, 2, act.ReLU6},
		{64, 32, 144, 3, 1, act.ReLU6},
		{64, 32, 144, 3, 2, act.ReLU6},
		{32, 16, 192, 3, 1, act.ReLU6},
		{32, 16, 192, 3, 2, act.ReLU6},
		{16, 8, 384, 3, 1, act.ReLU6},
		{16, 8, 576, 3, 2, act.ReLU6},
		{8, 4, 960, 3, 1, act.ReLU6},
		{32, 16, 96, 5, 2, act.HardSwish},
		{16, 8, 240, 5, 1, act.HardSwish},
		{16, 8, 288, 5, 2, act.HardSwish},
		{8, 4, 576, 5, 1, act.HardSwish},
		{128, 64, 48, 3, 1, act.SiLU},
		{128, 64, 144, 3, 2, act.SiLU},
		{64, 32, 192, 3, 1, act.SiLU},
		{64, 32, 192, 5, 2, act.SiLU},
		{32, 16, 336, 5, 1, act.SiLU},
		{32, 16, 336, 3, 2, act.SiLU},
		{16, 8, 672, 3, 1, act.SiLU},
		{16, 8, 960, 5, 1, act.SiLU},
		{16, 8, 960, 5, 2, act.SiLU},
		{8, 4, 1632, 5, 1, act.SiLU},
		{8, 4, 2688, 3, 1, act.SiLU},
	} {
		reach := bench.kernel / 2
		s := Shape{
			H: bench.h, W: bench.w, C: bench.c, OutC: bench.c, KH: bench.kernel, KW: bench.kernel,
			SH: bench.stride, SW: bench.stride, PH: reach, PW: reach, Groups: bench.c,
		}
		c, err := New(s)
		if err != nil {
			b.Fatal(err)
		}
		if c.depthwise.joint == nil {
			continue
		}
		rng := kerneltest.NewRand()
		noise := kerneltest.Normal(rng, 1<<16)
		tensor := func(size int) []float32 {
			x := mem.Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		normalised := func(positions int) norm.Operands {
			return norm.Operands{X: tensor(n * positions * s.C), Mean: tensor(s.C), InvStd: tensor(s.C),
				Gamma: tensor(s.C), Beta: tensor(s.C)}
		}
		pool := parallel.NewPool(threads)
		bn, after := norm.NewBatchNorm(s.C, 1e-5, 0.1, bench.act), norm.NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		rows := n * s.OutH() * s.OutW()
		args := Joint{
			DX: tensor(n * c.inputSize()), DW: tensor(s.Weights()), W: tensor(s.Weights()),
			Before: NormBefore{Norm: bn, At: normalised(s.H * s.W),
				Sums: mem.Allocate(max(c.GradientSums(bn, n), c.JointSums(bn, n)))},
		}
		of := norm.BatchNormGradient{DY: tensor(n * c.outputSize()), At: normalised(s.OutH() * s.OutW()),
			DGamma: tensor(s.C), DBeta: tensor(s.C)}
		through := c.ReadsThrough(bn)
		if args.X = args.Before.At.X; !through {
			args.X = tensor(n * c.inputSize())
		}
		settled, dy := tensor(2*s.C), tensor(n*c.outputSize())
		args.DY = after.SettleSummed(pool, rows, of, 1, settled)
		ws := mem.Allocate(max(c.GradientSumsWorkspace(n, threads), c.JointWorkspace(n, threads)))
		name := fmt.Sprintf("%dx%dx%d/%d/%d/%s", s.H, s.W, s.C, s.KH, s.SH, bench.act)
		b.Run(name+"/apart", func(b *testing.B) {
			for b.Loop() {
				after.BackwardSummed(pool, rows, dy, nil, of, 1, settled)
				c.BackwardDataSums(pool, n, args.DX, dy, args.W, nil, args.Before, ws)
				if through {
					c.ReadThrough(bn, n, args.Before.At)
				}
				c.BackwardWeights(pool, n, args.DW, nil, dy, args.X, false, ws)
			}
		})
		b.Run(name+"/joint", func(b *testing.B) {
			for b.Loop() {
				if through {
					c.ReadThrough(bn, n, args.Before.At)
				}
				c.BackwardJoint(pool, n, &args, ws)
			}
		})
		pool.Close()
	}
}

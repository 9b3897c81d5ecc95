package conv

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// BenchmarkJoint is the backward pass of a 1×1 convolution between two batch norms, in three steps or in one.
func BenchmarkJoint(b *testing.B) {
	const n, threads = 32, 2
	for _, bench := range []struct {
		h, w, c, outC int
		act           act.Kind
		before        bool
	}{
		{128, 64, 16, 96, act.None, true}, // MobileNetv2
		{64, 32, 24, 144, act.None, true},
		{32, 16, 32, 192, act.None, true},
		{16, 8, 64, 384, act.None, true},
		{16, 8, 96, 576, act.None, true},
		{8, 4, 160, 960, act.None, true},
		{64, 32, 144, 24, act.ReLU6, true},
		{16, 8, 384, 64, act.ReLU6, true},
		{64, 32, 32, 192, act.None, false}, // EfficientNet-B4
		{32, 16, 56, 336, act.None, false},
		{16, 8, 112, 672, act.None, false},
		{16, 8, 160, 960, act.None, false},
		{8, 4, 272, 1632, act.None, false},
		{64, 32, 128, 256, act.ReLU, true}, // ResNeXt50
		{64, 32, 256, 128, act.ReLU, true},
		{32, 16, 256, 512, act.ReLU, true},
		{32, 16, 512, 256, act.ReLU, true},
		{64, 32, 72, 72, act.ReLU, true}, // RegNetY
		{32, 16, 216, 216, act.ReLU, true},
		{16, 8, 432, 432, act.ReLU, true},  // RegNetX
		{16, 8, 728, 728, act.ReLU, false}, // Xception
	} {
		s := Shape{H: bench.h, W: bench.w, C: bench.c, OutC: bench.outC, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}
		c, err := New(s)
		if err != nil {
			b.Fatal(err)
		}
		c.jointly = newJointProduct(c.data[0], c.weights.weightProduct) // whether it pays or not
		pool := parallel.NewPool(threads)
		noise, rows := kerneltest.Normal(kerneltest.NewRand(), 1<<16), n*s.H*s.W
		tensor := func(size int) []float32 {
			x := mem.Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		statistics := func(x []float32, c int) norm.Operands {
			return norm.Operands{X: x, Mean: tensor(c), InvStd: tensor(c), Gamma: tensor(c), Beta: tensor(c)}
		}
		dx, x, g, dy, w, dw := tensor(rows*s.C), tensor(rows*s.C), tensor(rows*s.OutC), tensor(rows*s.OutC),
			tensor(s.Weights()), tensor(s.Weights())
		y, at := statistics(tensor(rows*s.OutC), s.OutC), statistics(tensor(rows*s.C), s.C)
		after, before := norm.NewBatchNorm(s.OutC, 1e-5, 0.1, act.None), norm.NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		dgamma, dbeta := tensor(s.OutC), tensor(s.OutC)
		normSums := tensor(after.GradientSumsSize(8))
		sums := tensor(max(c.GradientSums(before, n), c.JointSums(before, n)))
		ws := mem.Allocate(max(c.GradientSumsWorkspace(n, threads), c.JointWorkspace(n, threads)))
		b.Run(convName(s)+"/apart", func(b *testing.B) {
			for b.Loop() {
				after.BackwardSummed(pool, rows, dy, nil, norm.BatchNormGradient{DY: g, At: y, DGamma: dgamma, DBeta: dbeta},
					8, normSums)
				if bench.before {
					c.BackwardDataSums(pool, n, dx, dy, w, nil, NormBefore{Norm: before, At: at, Sums: sums}, ws)
				} else {
					c.BackwardData(pool, n, dx, dy, w, nil, ws)
				}
				c.BackwardWeights(pool, n, dw, nil, dy, x, false, ws)
			}
		})
		b.Run(convName(s)+"/joint", func(b *testing.B) {
			args := Joint{DX: dx, DW: dw, X: x, W: w}
			if bench.before {
				args.Before = NormBefore{Norm: before, At: at, Sums: sums}
			}
			for b.Loop() {
				args.DY = after.SettleSummed(pool, rows, norm.BatchNormGradient{DY: g, At: y, DGamma: dgamma, DBeta: dbeta},
					8, normSums)
				c.BackwardJoint(pool, n, &args, ws)
			}
		})
		pool.Close()
	}
}

package kernels

import "testing"

// BenchmarkJoint is the backward pass of a 1×1 convolution between two batch norms, in three steps or in one.
func BenchmarkJoint(b *testing.B) {
	const n, threads = 32, 2
	for _, bench := range []struct {
		h, w, c, outC int
		act           Act
		before        bool
	}{
		{128, 64, 16, 96, ActNone, true}, // MobileNetv2
		{64, 32, 24, 144, ActNone, true},
		{32, 16, 32, 192, ActNone, true},
		{16, 8, 64, 384, ActNone, true},
		{16, 8, 96, 576, ActNone, true},
		{8, 4, 160, 960, ActNone, true},
		{64, 32, 144, 24, ActReLU6, true},
		{16, 8, 384, 64, ActReLU6, true},
		{64, 32, 32, 192, ActNone, false}, // EfficientNet-B4
		{32, 16, 56, 336, ActNone, false},
		{16, 8, 112, 672, ActNone, false},
		{16, 8, 160, 960, ActNone, false},
		{8, 4, 272, 1632, ActNone, false},
		{64, 32, 128, 256, ActReLU, true}, // ResNeXt50
		{64, 32, 256, 128, ActReLU, true},
		{32, 16, 256, 512, ActReLU, true},
		{32, 16, 512, 256, ActReLU, true},
		{64, 32, 72, 72, ActReLU, true}, // RegNetY
		{32, 16, 216, 216, ActReLU, true},
		{16, 8, 432, 432, ActReLU, true},  // RegNetX
		{16, 8, 728, 728, ActReLU, false}, // Xception
	} {
		s := ConvShape{H: bench.h, W: bench.w, C: bench.c, OutC: bench.outC, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}
		c, err := NewConv(s)
		if err != nil {
			b.Fatal(err)
		}
		c.jointly = newJointProduct(c.data[0], c.weights.weightProduct) // whether it pays or not
		pool := NewPool(threads)
		noise, rows := normal(newRand(), 1<<16), n*s.H*s.W
		tensor := func(size int) []float32 {
			x := Allocate(size)
			for i := range x {
				x[i] = noise[i%len(noise)]
			}
			return x
		}
		statistics := func(x []float32, c int) Normalised {
			return Normalised{X: x, Mean: tensor(c), InvStd: tensor(c), Gamma: tensor(c), Beta: tensor(c)}
		}
		dx, x, g, dy, w, dw := tensor(rows*s.C), tensor(rows*s.C), tensor(rows*s.OutC), tensor(rows*s.OutC),
			tensor(s.Weights()), tensor(s.Weights())
		y, at := statistics(tensor(rows*s.OutC), s.OutC), statistics(tensor(rows*s.C), s.C)
		after, before := NewBatchNorm(s.OutC, 1e-5, 0.1, ActNone), NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		dgamma, dbeta := tensor(s.OutC), tensor(s.OutC)
		normSums := tensor(after.GradientSumsSize(8))
		sums := tensor(max(c.GradientSums(before, n), c.JointSums(before, n)))
		ws := Allocate(max(c.GradientSumsWorkspace(n, threads), c.JointWorkspace(n, threads)))
		b.Run(convName(s)+"/apart", func(b *testing.B) {
			for b.Loop() {
				after.BackwardSummed(pool, rows, dy, nil, BatchNormGradient{DY: g, At: y, DGamma: dgamma, DBeta: dbeta},
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
				args.DY = after.SettleSummed(pool, rows, BatchNormGradient{DY: g, At: y, DGamma: dgamma, DBeta: dbeta},
					8, normSums)
				c.BackwardJoint(pool, n, &args, ws)
			}
		})
		pool.Close()
	}
}

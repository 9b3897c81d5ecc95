package conv

import (
	"fmt"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/measure"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// benchShapes are layers of the bench's models, with a batch that makes each take some milliseconds.
var benchShapes = []struct {
	n int
	s Shape
}{
	{8, Shape{H: 256, W: 128, C: 3, OutC: 64, KH: 7, KW: 7, SH: 2, SW: 2, PH: 3, PW: 3, Groups: 1}},
	{8, Shape{H: 64, W: 32, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{8, Shape{H: 16, W: 8, C: 256, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{32, Shape{H: 8, W: 4, C: 512, OutC: 512, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
	{8, Shape{H: 64, W: 32, C: 64, OutC: 256, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{32, Shape{H: 16, W: 8, C: 1024, OutC: 256, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{8, Shape{H: 32, W: 16, C: 512, OutC: 1024, KH: 1, KW: 1, SH: 2, SW: 2, Groups: 1}},
	{32, Shape{H: 1, W: 129, C: 192, OutC: 768, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{32, Shape{H: 1, W: 1, C: 9216, OutC: 4096, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
	{32, Shape{H: 64, W: 32, C: 64, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 64}},
	{32, Shape{H: 32, W: 16, C: 96, OutC: 96, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 96}},
	{8, Shape{H: 32, W: 16, C: 256, OutC: 256, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 32}},
	{8, Shape{H: 64, W: 32, C: 128, OutC: 128, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 32}},
	{8, Shape{H: 16, W: 8, C: 576, OutC: 576, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 24}},
}

// noiseTensors returns a function that allocates tensors of random values.
func noiseTensors() func(size int) []float32 {
	noise := kerneltest.Normal(kerneltest.NewRand(), 1<<16)
	return func(size int) []float32 {
		x := mem.Allocate(size)
		for i := range x {
			x[i] = noise[i%len(noise)]
		}
		return x
	}
}

func BenchmarkConv(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, shape := range benchShapes {
			s, n := shape.s, shape.n
			c, err := New(s)
			if err != nil {
				b.Fatal(err)
			}
			benchmarkDirections(b, convName(s), c, n, threads)
		}
	}
}

// benchmarkDirections measures a convolution of n samples and its gradients.
func benchmarkDirections(b *testing.B, name string, c *Conv, n, threads int) {
	x, y, w := make([]float32, n*c.inputSize()), make([]float32, n*c.outputSize()), make([]float32, c.s.Weights())
	ws := make([]float32, c.Workspace(n, threads))
	directions := []struct {
		name string
		run  func(p *parallel.Pool)
	}{
		{"forward", func(p *parallel.Pool) { c.Forward(p, n, y, x, w, Epilogue{}, ws) }},
		{"data", func(p *parallel.Pool) { c.BackwardData(p, n, x, y, w, nil, ws) }},
		{"weights", func(p *parallel.Pool) { c.BackwardWeights(p, n, w, nil, y, x, false, ws) }},
	}
	for _, direction := range directions {
		b.Run(fmt.Sprintf("%s/%s/threads=%d", name, direction.name, threads), func(b *testing.B) {
			p := parallel.NewPool(threads)
			defer p.Close()
			for b.Loop() {
				direction.run(p)
			}
			kerneltest.ReportSpeed(b, int64(n)*c.s.MACs(), measure.Peak(p, kerneltest.PeakTime))
		})
	}
}

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
		c.jointProduct = newJointProduct(c.data[0], c.weights.weightProduct) // whether it pays or not
		pool := parallel.NewPool(threads)
		rows := n * s.H * s.W
		tensor := noiseTensors()
		statistics := func(x []float32, c int) norm.Operands {
			return norm.Operands{X: x, Mean: tensor(c), InvStd: tensor(c), Gamma: tensor(c), Beta: tensor(c)}
		}
		dx, x, g, dy, w, dw := tensor(rows*s.C), tensor(rows*s.C), tensor(rows*s.OutC), tensor(rows*s.OutC),
			tensor(s.Weights()), tensor(s.Weights())
		y, at := statistics(tensor(rows*s.OutC), s.OutC), statistics(tensor(rows*s.C), s.C)
		after, before := norm.NewBatchNorm(s.OutC, 1e-5, 0.1, act.None), norm.NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		of := norm.BatchNormGradient{DY: g, At: y, DGamma: tensor(s.OutC), DBeta: tensor(s.OutC)}
		normSums := tensor(after.GradientSumsSize(8))
		sums := tensor(max(c.GradientSumsSize(before, n), c.JointSumsSize(before, n)))
		ws := mem.Allocate(max(c.GradientSumsWorkspace(n, threads), c.JointWorkspace(n, threads)))
		b.Run(convName(s)+"/apart", func(b *testing.B) {
			for b.Loop() {
				after.BackwardSummed(pool, rows, dy, nil, of, 8, normSums)
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
				args.DY = after.SettleSummed(pool, rows, of, 8, normSums)
				c.BackwardJoint(pool, n, &args, ws)
			}
		})
		pool.Close()
	}
}

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
		rows := n * s.H * s.W
		tensor := noiseTensors()
		dx, x, dy, w := tensor(rows*s.C), tensor(rows*s.C), tensor(rows*s.OutC), tensor(s.Weights())
		bn := norm.NewBatchNorm(s.C, 1e-5, 0.1, bench.act)
		ws := mem.Allocate(max(bn.Workspace(rows, threads), c.GradientSumsWorkspace(n, threads)))
		sums := mem.Allocate(c.GradientSumsSize(bn, n))
		at := norm.Operands{X: x, Mean: tensor(s.C), InvStd: tensor(s.C), Gamma: tensor(s.C), Beta: tensor(s.C)}
		of := norm.BatchNormGradient{DY: dx, At: at, DGamma: tensor(s.C), DBeta: tensor(s.C)}
		name := fmt.Sprintf("%s %s", convName(s), bench.act)
		b.Run(name+"/apart", func(b *testing.B) {
			for b.Loop() {
				c.BackwardData(pool, n, dx, dy, w, nil, ws)
				bn.Backward(pool, rows, dx, nil, of, ws)
			}
		})
		b.Run(name+"/summed", func(b *testing.B) {
			for b.Loop() {
				blocks := c.BackwardDataSums(pool, n, dx, dy, w, nil, NormBefore{Norm: bn, At: at, Sums: sums}, ws)
				bn.BackwardSummed(pool, rows, dx, nil, of, blocks, sums)
			}
		})
		pool.Close()
	}
}

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
		tensor := noiseTensors()
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
				Sums: mem.Allocate(max(c.GradientSumsSize(bn, n), c.JointSumsSize(bn, n)))},
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

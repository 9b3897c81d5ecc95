package conv

import (
	"fmt"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// jointCase is a convolution between two batch norms. The one before it may be missing.
type jointCase struct {
	n      int
	s      Shape
	act    act.Kind // of the batch norm before
	before bool     // that it takes sums
}

// The whole backward pass gives what its parts give one after the other. dy and so dx have the same bits unless a block
// has other columns; the weights' gradient is added up in other blocks, of some thousand terms.
func TestConvBackwardJoint(t *testing.T) {
	const threads, tolerance = 2, 2e-5
	pointwise := func(h, w, c, outC int) Shape {
		return Shape{H: h, W: w, C: c, OutC: outC, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}
	}
	for _, test := range []jointCase{
		{9, pointwise(16, 13, 24, 144), act.None, false},
		{9, pointwise(16, 13, 24, 144), act.None, true},
		{9, pointwise(16, 13, 5, 37), act.ReLU6, true},
		{5, pointwise(16, 13, 96, 21), act.ReLU6, true},
		{2, pointwise(16, 13, 144, 192), act.ReLU, true}, // in Strassen's form
		{4, pointwise(20, 25, 64, 512), act.SiLU, true},
		{1, pointwise(3, 2, 8, 8), act.HardSwish, true},
	} {
		t.Run(fmt.Sprintf("%s/%s/before=%t", convName(test.s), test.act, test.before), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) { testJoint(t, test, threads, tolerance) })
		})
	}
}

// FuzzConvBackwardJoint compares them for shapes that the table leaves out.
func FuzzConvBackwardJoint(f *testing.F) {
	f.Add(uint8(3), uint8(9), uint8(11), uint8(23), uint8(70), uint8(1), true)
	f.Add(uint8(1), uint8(2), uint8(3), uint8(130), uint8(200), uint8(0), false)
	acts := []act.Kind{act.None, act.ReLU, act.ReLU6, act.SiLU, act.HardSwish}
	f.Fuzz(func(t *testing.T, n, h, w, c, outC, act uint8, before bool) {
		s := Shape{H: 1 + int(h)%24, W: 1 + int(w)%24, C: 1 + int(c), OutC: 1 + int(outC), KH: 1, KW: 1, SH: 1,
			SW: 1, Groups: 1}
		test := jointCase{1 + int(n)%4, s, acts[int(act)%len(acts)], before}
		for range kerneltest.Sets(isa.Generic) {
			// Of 2304 terms at most: kerneltest.SumTolerance of the sum's size, which is about √2304, is 2.3e-5, and
			// errors in Strassen's form are up to four times as large.
			testJoint(t, test, 2, 1e-4)
		}
	})
}

func testJoint(t *testing.T, test jointCase, threads int, tolerance float64) {
	n, s := test.n, test.s
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	c.jointProduct = newJointProduct(c.data[0], c.weights.weightProduct)
	rng := kerneltest.NewRand()
	rows, outRows := n*s.H*s.W, n*s.OutH()*s.OutW()
	statistics := func(x []float32, c int) norm.Operands {
		return norm.Operands{X: x, Mean: kerneltest.Normal(rng, c), InvStd: kerneltest.Normal(rng, c),
			Gamma: kerneltest.Normal(rng, c), Beta: kerneltest.Normal(rng, c)}
	}
	y := statistics(kerneltest.Normal(rng, outRows*s.OutC), s.OutC)
	at := statistics(kerneltest.Normal(rng, rows*s.C), s.C)
	g, w := kerneltest.Normal(rng, outRows*s.OutC), kerneltest.Normal(rng, s.Weights())
	x, part := kerneltest.Normal(rng, rows*s.C), kerneltest.Normal(rng, rows*s.C)
	oldWeights := kerneltest.Normal(rng, s.Weights())
	bn := norm.NewBatchNorm(s.OutC, 1e-5, 0.1, act.None)
	var before *norm.BatchNorm
	if test.before {
		before = norm.NewBatchNorm(s.C, 1e-5, 0.1, test.act)
	}
	normSums := kerneltest.Normal(rng, bn.GradientSumsSize(3))
	space := mem.Allocate(rows*s.C + mem.Line)

	type result struct{ dx, dw, sums []float32 }
	total := func(blocks int, sums []float32) []float32 {
		if before == nil {
			return nil
		}
		return addUp(sums, blocks)
	}
	joint := func(threads int, accumulate, inPlace bool) result {
		p := parallel.NewPool(threads)
		defer p.Close()
		r := result{dx: space[:rows*s.C], dw: slices.Clone(oldWeights)}
		add := part
		if inPlace {
			copy(r.dx, part)
			add = r.dx
		}
		of := bn.SettleSummed(p, outRows, norm.BatchNormGradient{DY: g, At: y, DGamma: make([]float32, s.OutC),
			DBeta: make([]float32, s.OutC)}, 3, normSums)
		args := &Joint{DX: r.dx, Add: add, DW: r.dw, Accumulate: accumulate, DY: of, X: x, W: w}
		if before != nil {
			args.Before = NormBefore{before, at, make([]float32, c.JointSumsSize(before, n))}
		}
		blocks := c.BackwardJoint(p, n, args, make([]float32, c.JointWorkspace(n, threads)))
		r.dx, r.sums = slices.Clone(r.dx), total(blocks, args.Before.Sums)
		return r
	}
	apart := func(accumulate bool) result {
		p := parallel.NewPool(threads)
		defer p.Close()
		r := result{dx: make([]float32, rows*s.C), dw: slices.Clone(oldWeights)}
		dy := make([]float32, outRows*s.OutC)
		bn.BackwardSummed(p, outRows, dy, nil,
			norm.BatchNormGradient{DY: g, At: y, DGamma: make([]float32, s.OutC),
				DBeta: make([]float32, s.OutC)}, 3, normSums)
		ws := make([]float32, c.GradientSumsWorkspace(n, threads))
		c.BackwardWeights(p, n, r.dw, nil, dy, x, accumulate, ws)
		if before == nil {
			c.BackwardData(p, n, r.dx, dy, w, part, ws)
			return r
		}
		sums := make([]float32, c.GradientSumsSize(before, n))
		blocks := c.BackwardDataSums(p, n, r.dx, dy, w, part, NormBefore{Norm: before, At: at, Sums: sums}, ws)
		r.sums = total(blocks, sums)
		return r
	}
	for _, accumulate := range []bool{false, true} {
		got, want := joint(threads, accumulate, false), apart(accumulate)
		kerneltest.CheckClose(t, "dx", got.dx, kerneltest.ToFloat64(want.dx), tolerance)
		kerneltest.CheckClose(t, "dw", got.dw, kerneltest.ToFloat64(want.dw), tolerance)
		if before != nil {
			kerneltest.CheckClose(t, "sums", got.sums, kerneltest.ToFloat64(want.sums), tolerance)
		}
		same := func(what string, other result) {
			t.Helper()
			if !slices.Equal(got.dx, other.dx) || !slices.Equal(got.dw, other.dw) ||
				!slices.Equal(got.sums, other.sums) {
				t.Errorf("%s gives other gradients", what)
			}
		}
		for _, threads := range []int{1, 3, 12, 40} { // the last ones in waves
			same(fmt.Sprintf("%d threads", threads), joint(threads, accumulate, false))
		}
		same("a sum in place", joint(threads, accumulate, true))
	}
}

// addUp returns the sums of a batch norm's gradient over all blocks.
func addUp(sums []float32, blocks int) []float32 {
	total := make([]float32, len(sums)/max(blocks, 1))
	for j := range total {
		sum := 0.0
		for b := range blocks {
			sum += float64(sums[b*len(total)+j])
		}
		total[j] = float32(sum)
	}
	return total
}

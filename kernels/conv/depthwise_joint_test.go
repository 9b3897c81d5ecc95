package conv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// depthwiseJointCase is a depthwise convolution between two batch norms, with its data.
type depthwiseJointCase struct {
	c             *Conv
	n             int
	after, before *norm.BatchNorm // before is nil for none
	through       *norm.BatchNorm // that the input is read through, nil for none
	args          Joint
	at            norm.Operands          // what before was applied to, or what made the input
	held          []float32              // by dw before
	of            norm.BatchNormGradient // of after
	settled       []float32              // the sums of of.DY, of one block
}

// newDepthwiseJointCase returns nil if there is no such case.
func newDepthwiseJointCase(rng *rand.Rand, n int, s Shape, kind act.Kind, before, residual, add,
	fixed bool) *depthwiseJointCase {
	c, err := New(s)
	if err != nil || c.depthwise == nil || c.depthwise.joint == nil {
		return nil
	}
	k := &depthwiseJointCase{c: c, n: n, after: norm.NewBatchNorm(s.C, 1e-5, 0.1, act.ReLU)}
	normalised := func(positions int) norm.Operands {
		return norm.Operands{
			X:    kerneltest.Normal(rng, n*positions*s.C),
			Mean: kerneltest.Normal(rng, s.C), InvStd: kerneltest.Normal(rng, s.C),
			Gamma: kerneltest.Normal(rng, s.C), Beta: kerneltest.Normal(rng, s.C),
		}
	}
	bn := norm.NewBatchNorm(s.C, 1e-5, 0.1, kind)
	if before && !bn.SumsGradient(residual) {
		return nil
	}
	k.of = norm.BatchNormGradient{DY: kerneltest.Normal(rng, n*c.outputSize()), At: normalised(s.OutH() * s.OutW()),
		Fixed: fixed, DGamma: make([]float32, s.C), DBeta: make([]float32, s.C)}
	k.args = Joint{W: kerneltest.Normal(rng, s.Weights()), Accumulate: add}
	k.at = normalised(s.H * s.W)
	k.held = kerneltest.Normal(rng, s.Weights())
	if c.ReadsThrough(bn) && !residual {
		k.through, k.args.X = bn, k.at.X
	} else {
		k.args.X = kerneltest.Normal(rng, n*c.inputSize())
	}
	if before {
		k.before = bn
	}
	if residual {
		k.at.Add = kerneltest.Normal(rng, n*c.inputSize())
	}
	if add {
		k.args.Add = kerneltest.Normal(rng, n*c.inputSize())
	}
	k.settled = kerneltest.Normal(rng, k.after.GradientSumsSize(1))
	return k
}

// gradients are what both ways give.
type gradients struct{ dx, dw, sums []float32 }

// settle is what both begin with.
func (k *depthwiseJointCase) settle(p *parallel.Pool) (of norm.GradientRows, dx, dw []float32) {
	of = k.after.SettleSummed(p, k.n*k.c.s.OutH()*k.c.s.OutW(), k.of, 1, k.settled)
	return of, mem.Allocate(k.n * k.c.inputSize()), slices.Clone(k.held)
}

// joint adds in place if it is told to.
func (k *depthwiseJointCase) joint(threads int, inPlace bool) gradients {
	p := parallel.NewPool(threads)
	defer p.Close()
	args := k.args
	args.DY, args.DX, args.DW = k.settle(p)
	if inPlace && args.Add != nil {
		copy(args.DX, args.Add)
		args.Add = args.DX
	}
	if k.before != nil {
		args.Before = NormBefore{k.before, k.at, make([]float32, k.c.JointSumsSize(k.before, k.n))}
	}
	if k.through != nil {
		k.c.ReadThrough(k.through, k.n, k.at)
	}
	blocks := k.c.BackwardJoint(p, k.n, &args, make([]float32, k.c.JointWorkspace(k.n, threads)))
	return gradients{args.DX, args.DW, addUp(args.Before.Sums, blocks)}
}

// apart computes the three gradients one after the other.
func (k *depthwiseJointCase) apart(threads int) gradients {
	p := parallel.NewPool(threads)
	defer p.Close()
	c, args := k.c, &k.args
	of, dx, dw := k.settle(p)
	dy := make([]float32, len(of.G))
	of.Rows(dy, c.s.C, 0, len(dy)/c.s.C)
	ws := make([]float32, c.GradientSumsWorkspace(k.n, threads))
	var sums []float32
	blocks := 0
	if k.before != nil {
		sums = make([]float32, c.GradientSumsSize(k.before, k.n))
		blocks = c.BackwardDataSums(p, k.n, dx, dy, args.W, args.Add, NormBefore{Norm: k.before, At: k.at, Sums: sums},
			ws)
	} else {
		c.BackwardData(p, k.n, dx, dy, args.W, args.Add, ws)
	}
	if k.through != nil {
		c.ReadThrough(k.through, k.n, k.at)
	}
	c.BackwardWeights(p, k.n, dw, nil, dy, args.X, args.Accumulate, ws)
	return gradients{dx, dw, addUp(sums, blocks)}
}

// checkJoint compares both ways: dx has the same bits, as dy has; dw and the sums are the same terms in another order.
func checkJoint(t *testing.T, k *depthwiseJointCase) {
	t.Helper()
	const tolerance = 2e-5
	want, got := k.apart(2), k.joint(2, false)
	if !slices.Equal(got.dx, want.dx) {
		kerneltest.CheckClose(t, "dx", got.dx, kerneltest.ToFloat64(want.dx), 0)
	}
	kerneltest.CheckClose(t, "dw", got.dw, kerneltest.ToFloat64(want.dw), tolerance)
	kerneltest.CheckClose(t, "sums", got.sums, kerneltest.ToFloat64(want.sums), tolerance)
	for _, threads := range []int{1, 3} {
		if other := k.joint(threads, true); !slices.Equal(other.dx, got.dx) || !slices.Equal(other.dw, got.dw) ||
			!slices.Equal(other.sums, got.sums) {
			t.Errorf("%d threads give other gradients", threads)
		}
	}
}

func TestDepthwiseJoint(t *testing.T) {
	shapes := []struct {
		n int
		s Shape
	}{
		{2, Shape{H: 40, W: 22, C: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1}},
		{3, Shape{H: 33, W: 17, C: 21, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1}},
		{2, Shape{H: 18, W: 16, C: 24, KH: 5, KW: 5, SH: 1, SW: 1, PH: 2, PW: 2}},
		{2, Shape{H: 32, W: 16, C: 32, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2}},
		{1, Shape{H: 9, W: 11, C: 37, KH: 7, KW: 7, SH: 1, SW: 1, PH: 3, PW: 3}},
		{2, Shape{H: 12, W: 20, C: 16, KH: 3, KW: 5, SH: 2, SW: 1, PH: 1, PW: 2}},
		{1, Shape{H: 2, W: 1, C: 8, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1}},
	}
	kinds := []struct {
		act                          act.Kind
		before, residual, add, fixed bool
	}{
		{act: act.ReLU6, before: true},
		{act: act.ReLU, before: true, add: true},
		{act: act.HardSwish, before: true, fixed: true},
		{act: act.SiLU, before: true},
		{act: act.None, before: true},
		{act: act.ReLU, before: true, residual: true},
		{act: act.ReLU6, add: true},
		{act: act.SiLU},
	}
	for _, shape := range shapes {
		for _, kind := range kinds {
			s := shape.s
			s.OutC, s.Groups = s.C, s.C
			t.Run(fmt.Sprintf("%s/%+v", convName(s), kind), func(t *testing.T) {
				kerneltest.ForEachISA(t, func(t *testing.T) {
					k := newDepthwiseJointCase(kerneltest.NewRand(), shape.n, s, kind.act, kind.before,
						kind.residual, kind.add, kind.fixed)
					if k == nil {
						t.Fatal("there is no joint form")
					}
					checkJoint(t, k)
					defer mem.StreamFrom(0)()
					checkJoint(t, k)
				})
			})
		}
	}
}

// A panel of a batch norm's gradient has the bits of the gradient.
func checkGradientPanel(t *testing.T, rng *rand.Rand, channels, pixels, lines int) {
	t.Helper()
	rows := pixels * lines
	after := norm.GradientRows{G: kerneltest.Guarded(t, rng, rows*channels),
		X: kerneltest.Guarded(t, rng, rows*channels)}
	for _, v := range []*[]float32{&after.Mean, &after.Scale, &after.Slope, &after.Offset} {
		*v = kerneltest.Guarded(t, rng, channels)
	}
	p := depthwisePanel{
		src: after.G, h: lines, w: pixels, c: channels, left: -1, stride: 1, run: pixels + 2, lines: lines + 1,
		after: &after,
	}
	want := make([]float32, rows*channels)
	after.Rows(want, channels, 0, rows)
	written := depthwisePanel{src: want, h: lines, w: pixels, c: channels, left: -1, stride: 1, run: pixels + 2,
		lines: lines + 1}
	for block := range mem.CeilDiv(channels, channelBlock) {
		got, expected := kerneltest.Guarded(t, rng, p.size()), make([]float32, p.size())
		clear(got)
		p.fill(got, 0, -1, p.lines, block, rng.IntN(1000))
		written.fill(expected, 0, -1, p.lines, block, 0)
		kerneltest.Compare(t, "panel", got, kerneltest.ToFloat64(expected), 0)
	}
}

func TestDepthwiseGradientPanel(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(35, 36))
		for channels := 1; channels <= 40; channels++ {
			checkGradientPanel(t, rng, channels, 1+rng.IntN(12), 1+rng.IntN(6))
		}
	})
}

func FuzzDepthwiseJoint(f *testing.F) {
	f.Add(uint64(1), uint8(11), uint8(9), uint8(40), uint8(1), uint8(0), uint8(1))
	f.Add(uint64(2), uint8(8), uint8(8), uint8(24), uint8(2), uint8(1), uint8(6))
	f.Fuzz(func(t *testing.T, seed uint64, h, w, channels, half, stride, kind uint8) {
		reach, step, c := 1+int(half)%3, 1+int(stride)%2, 2+int(channels)%50
		s := Shape{
			H: 1 + int(h)%20, W: 1 + int(w)%20, C: c, OutC: c, KH: 2*reach + 1, KW: 2*reach + 1,
			SH: step, SW: step, PH: reach, PW: reach, Groups: c,
		}
		acts := []act.Kind{act.None, act.ReLU6, act.HardSwish, act.SiLU}
		for range kerneltest.Sets(isa.Generic) {
			rng := rand.New(rand.NewPCG(seed, 0))
			checkGradientPanel(t, rng, c, 1+int(w)%20, 1+int(h)%6)
			if k := newDepthwiseJointCase(rng, 2, s, acts[kind%4], kind&4 == 0, kind&8 != 0, kind&16 != 0,
				kind&32 != 0); k != nil {
				checkJoint(t, k)
			}
		}
	})
}

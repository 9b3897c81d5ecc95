package conv

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// A convolution that reads through a batch norm has the bits of one that reads what the batch norm has written.
func TestConvReadThrough(t *testing.T) {
	shapes := []Shape{
		{H: 11, W: 9, C: 40, OutC: 40, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 40},
		{H: 12, W: 7, C: 32, OutC: 32, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 32},
		{H: 8, W: 8, C: 21, OutC: 21, KH: 5, KW: 5, SH: 1, SW: 1, PH: 2, PW: 2, Groups: 21},
		{H: 16, W: 16, C: 64, OutC: 64, KH: 3, KW: 3, SH: 2, SW: 1, Groups: 64},
		{H: 11, W: 9, C: 32, OutC: 32, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 8},
		{H: 9, W: 12, C: 72, OutC: 72, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 3},
		{H: 7, W: 8, C: 96, OutC: 96, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 2},
	}
	for _, s := range shapes {
		for _, kind := range []act.Kind{act.None, act.ReLU, act.ReLU6, act.HardSwish} {
			t.Run(convName(s)+"/"+kind.String(), func(t *testing.T) {
				kerneltest.ForEachISA(t, func(t *testing.T) {
					c, err := New(s)
					if err != nil {
						t.Fatal(err)
					}
					if c.grouped != nil && (isa.Active() != isa.AVX512 || kind == act.HardSwish) {
						t.Skip("has no kernel for it")
					}
					if !checkReadThrough(t, kerneltest.NewRand(), c, kind) {
						t.Fatal("the convolution does not read through the batch norm")
					}
				})
			})
		}
	}
}

// checkReadThrough returns false if the convolution doesn't read through such a batch norm.
func checkReadThrough(t *testing.T, rng *rand.Rand, c *Conv, act act.Kind) bool {
	t.Helper()
	const n, threads = 2, 2
	s := c.s
	bn := norm.NewBatchNorm(s.C, 1e-5, 0.1, act)
	if !c.ReadsThrough(bn) {
		return false
	}
	pool := parallel.NewPool(threads)
	defer pool.Close()
	rows := n * s.H * s.W
	at := norm.Operands{
		X: kerneltest.Normal(rng, rows*s.C), Mean: kerneltest.Normal(rng, s.C), InvStd: kerneltest.Normal(rng, s.C),
		Gamma: kerneltest.Normal(rng, s.C), Beta: kerneltest.Normal(rng, s.C),
	}
	x := make([]float32, len(at.X))
	bn.Apply(pool, rows, x, norm.Operands{X: at.X, Mean: at.Mean, InvStd: at.InvStd, Gamma: at.Gamma, Beta: at.Beta})
	w, dy := kerneltest.Normal(rng, s.Weights()), kerneltest.Normal(rng, n*c.outputSize())
	ws := make([]float32, c.Workspace(n, threads))
	run := func(x []float32, through bool) (y, dw []float32) {
		y, dw = make([]float32, n*c.outputSize()), make([]float32, s.Weights())
		if through {
			c.ReadThrough(bn, n, at)
		}
		c.Forward(pool, n, y, x, w, Epilogue{}, ws)
		if through {
			c.ReadThrough(bn, n, at)
		}
		c.BackwardWeights(pool, n, dw, nil, dy, x, false, ws)
		return y, dw
	}
	y, dw := run(at.X, true)
	wantY, wantDW := run(x, false) // which also says that reading through ends with its call
	if !slices.Equal(y, wantY) {
		t.Errorf("%s, %s: y differs", convName(s), act)
	}
	if !slices.Equal(dw, wantDW) {
		t.Errorf("%s, %s: dw differs", convName(s), act)
	}
	return true
}

func FuzzConvReadThrough(f *testing.F) {
	f.Add(uint64(1), uint8(11), uint8(9), uint8(40), uint8(0), uint8(1), uint8(0))
	f.Add(uint64(2), uint8(7), uint8(8), uint8(3), uint8(24), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, h, w, groups, perGroup, half, stride uint8) {
		reach, step := 1+int(half)%3, 1+int(stride)%2
		channels := 1 + int(groups)%70 // of a depthwise convolution
		s := Shape{
			H: 2 + int(h)%20, W: 2 + int(w)%20, C: channels, OutC: channels, KH: 2*reach + 1, KW: 2*reach + 1,
			SH: step, SW: step, PH: reach, PW: reach, Groups: channels,
		}
		if size := int(perGroup) % 49; size > 1 {
			s.Groups = 1 + int(groups)%9
			s.C, s.OutC = size*s.Groups, size*s.Groups
		}
		for range kerneltest.Sets(isa.Generic) {
			c, err := New(s)
			if err != nil {
				t.Skip()
			}
			for _, act := range []act.Kind{act.None, act.ReLU6, act.HardSwish} {
				checkReadThrough(t, rand.New(rand.NewPCG(seed, 0)), c, act)
			}
		}
	})
}

package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// The statistics that a convolution takes on the way are those of its output. Sums over a block of rows are float32, of
// deviations from a mean that is close to the channel's: their rounding, relative to the standard deviation, is below
// 2⁻²⁴ times the length of a block.
func TestConvForwardStats(t *testing.T) {
	shapes := []Shape{
		{H: 24, W: 16, C: 24, OutC: 40, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		{H: 16, W: 13, C: 64, OutC: 96, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
		{H: 16, W: 13, C: 256, OutC: 296, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}, // in Strassen's form
		{H: 11, W: 13, C: 1700, OutC: 33, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
		{H: 19, W: 12, C: 72, OutC: 64, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1},
		{H: 16, W: 12, C: 32, OutC: 32, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 4},
		{H: 16, W: 12, C: 40, OutC: 40, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 40},
		{H: 41, W: 22, C: 40, OutC: 40, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 40},
		{H: 3, W: 2, C: 8, OutC: 8, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
	}
	for _, s := range shapes {
		t.Run(convName(s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				const n, threads, eps = 3, 2, 1e-5
				rng := kerneltest.NewRand()
				c, err := New(s)
				if err != nil {
					t.Fatal(err)
				}
				rows := n * s.OutH() * s.OutW()
				x, w, bias := kerneltest.Normal(rng, n*c.inputSize()), kerneltest.Normal(rng, s.Weights()),
					kerneltest.Normal(rng, s.OutC)
				for i := range bias {
					bias[i] = 300 * float32(i%3) // means far from 0
				}
				bn := norm.NewBatchNorm(s.OutC, eps, 0.1, act.None)
				run := func(p *parallel.Pool) (y, mean, invstd, runMean, runVar []float32) {
					y, mean, invstd = make([]float32, n*c.outputSize()), make([]float32, s.OutC),
						make([]float32, s.OutC)
					runMean, runVar = make([]float32, s.OutC), make([]float32, s.OutC)
					ws := make([]float32, c.StatsWorkspace(bn, n, p.Threads()))
					c.ForwardStats(p, n, y, x, w, bias, bn,
						norm.Statistics{Mean: mean, InvStd: invstd, RunMean: runMean, RunVar: runVar}, ws)
					return y, mean, invstd, runMean, runVar
				}
				pool := parallel.NewPool(threads)
				defer pool.Close()
				y, mean, invstd, runMean, runVar := run(pool)

				plain := make([]float32, len(y))
				c.Forward(pool, n, plain, x, w, Epilogue{Bias: bias}, make([]float32, c.Workspace(n, threads)))
				if !slices.Equal(y, plain) {
					t.Error("y differs from that of Forward")
				}
				const tolerance = rowBlock * 0x1p-24
				wide := kerneltest.ToFloat64(y)
				for j := range s.OutC {
					m, v := kerneltest.ColumnMoments(wide, rows, s.OutC, j)
					sd := math.Sqrt(v)
					// float32 cannot tell means apart that are closer than half a unit in the last place.
					if d := math.Abs(float64(mean[j]) - m); d > tolerance*sd+math.Abs(m)*0x1p-24 {
						t.Errorf("mean[%d] = %v, want %v", j, mean[j], m)
					}
					if want := 1 / math.Sqrt(v+eps); math.Abs(float64(invstd[j])-want) > tolerance*want {
						t.Errorf("invstd[%d] = %v, want %v", j, invstd[j], want)
					}
					if want := 0.1 * m; math.Abs(float64(runMean[j])-want) > tolerance*sd+math.Abs(want)*0x1p-23 {
						t.Errorf("runMean[%d] = %v, want %v", j, runMean[j], want)
					}
					want := 0.1 * v * float64(rows) / float64(rows-1)
					if math.Abs(float64(runVar[j])-want) > 2*tolerance*want {
						t.Errorf("runVar[%d] = %v, want %v", j, runVar[j], want)
					}
				}

				for _, threads := range []int{1, 5, 24} { // for many, tasks are cut in pieces
					pool := parallel.NewPool(threads)
					defer pool.Close()
					y1, mean1, invstd1, _, _ := run(pool)
					if !slices.Equal(y, y1) || !slices.Equal(mean, mean1) || !slices.Equal(invstd, invstd1) {
						t.Errorf("%d threads give another output or other statistics than two", threads)
					}
				}
			})
		})
	}
}

// A convolution that takes the sums of the batch norm before it gives the gradients that both give one after the other:
// the same terms, added up in other blocks of at most some hundred.
func TestConvBackwardDataSums(t *testing.T) {
	const threads, tolerance = 2, 2e-5
	shapes := []struct {
		n int
		s Shape
	}{
		// whole lines, and enough rows for one block of columns
		{9, Shape{H: 16, W: 13, C: 48, OutC: 24, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{9, Shape{H: 16, W: 13, C: 37, OutC: 5, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		// columns in several tasks
		{2, Shape{H: 16, W: 13, C: 64, OutC: 20, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 1}},
		{1, Shape{H: 3, W: 2, C: 8, OutC: 8, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1}},
		{2, Shape{H: 40, W: 22, C: 48, OutC: 48, KH: 3, KW: 3, SH: 1, SW: 1, PH: 1, PW: 1, Groups: 48}},
		{2, Shape{H: 33, W: 16, C: 21, OutC: 21, KH: 5, KW: 5, SH: 2, SW: 2, PH: 2, PW: 2, Groups: 21}},
	}
	for _, shape := range shapes {
		for _, kind := range []act.Kind{act.None, act.ReLU6, act.SiLU, act.HardSwish} {
			for _, residual := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/residual=%t", convName(shape.s), kind, residual), func(t *testing.T) {
					kerneltest.ForEachISA(t, func(t *testing.T) {
						n, s := shape.n, shape.s
						c, err := newDirectConv(s)
						if err != nil {
							t.Fatal(err)
						}
						bn := norm.NewBatchNorm(s.C, 1e-5, 0.1, kind)
						if got, want := c.SumsGradient(bn, residual), !residual || kind != act.SiLU &&
							kind != act.HardSwish; got != want {
							t.Fatalf("SumsGradient is %t", got)
						} else if !got {
							return
						}
						rng := kerneltest.NewRand()
						rows := n * s.H * s.W
						dy, w := kerneltest.Normal(rng, n*c.outputSize()), kerneltest.Normal(rng, s.Weights())
						x, before := kerneltest.Normal(rng, rows*s.C), kerneltest.Normal(rng, rows*s.C)
						at := norm.Operands{
							X: x, Mean: kerneltest.Normal(rng, s.C), InvStd: kerneltest.Normal(rng, s.C),
							Gamma: kerneltest.Normal(rng, s.C), Beta: kerneltest.Normal(rng, s.C),
						}
						var dadd []float32
						if residual && kind != act.None {
							at.Add, dadd = kerneltest.Normal(rng, rows*s.C), make([]float32, rows*s.C)
						}
						part := kerneltest.Normal(rng, rows*s.C) // of x's gradient

						space := mem.Allocate(rows*s.C + mem.Line)
						summed := func(threads int, inPlace bool) (g, dx, dgamma, dbeta []float32) {
							p := parallel.NewPool(threads)
							defer p.Close()
							g, dx, dgamma, dbeta = space[:rows*s.C], slices.Clone(part), make([]float32, s.C),
								make([]float32, s.C)
							add := before
							if inPlace {
								copy(g, before)
								add = g
							}
							sums := make([]float32, c.GradientSumsSize(bn, n))
							ws := make([]float32, max(c.GradientSumsWorkspace(n, threads),
								bn.Workspace(rows, threads)))
							blocks := c.BackwardDataSums(p, n, g, dy, w, add,
								NormBefore{Norm: bn, At: at, Sums: sums}, ws)
							bn.BackwardSummed(p, rows, dx, dx, norm.BatchNormGradient{DY: g, At: at, DGamma: dgamma,
								DBeta: dbeta}, blocks, sums)
							return slices.Clone(g), dx, dgamma, dbeta
						}
						g, dx, dgamma, dbeta := summed(threads, false)

						pool := parallel.NewPool(threads)
						defer pool.Close()
						ws := make([]float32, max(c.Workspace(n, threads), bn.Workspace(rows, threads)))
						wantG, want, wantGamma, wantBeta := make([]float32, rows*s.C), make([]float32, rows*s.C),
							make([]float32, s.C), make([]float32, s.C)
						c.BackwardData(pool, n, wantG, dy, w, before, ws)
						bn.Backward(pool, rows, want, dadd,
							norm.BatchNormGradient{DY: wantG, At: at, DGamma: wantGamma, DBeta: wantBeta}, ws)
						vec.AddScaled(want, want, part, 1)
						if dadd != nil {
							kerneltest.CheckClose(t, "dadd", g, kerneltest.ToFloat64(dadd), tolerance)
						}
						kerneltest.CheckClose(t, "dx", dx, kerneltest.ToFloat64(want), tolerance)
						kerneltest.CheckClose(t, "dgamma", dgamma, kerneltest.ToFloat64(wantGamma), tolerance)
						kerneltest.CheckClose(t, "dbeta", dbeta, kerneltest.ToFloat64(wantBeta), tolerance)

						same := func(what string, threads int, inPlace bool) {
							t.Helper()
							g1, dx1, dgamma1, dbeta1 := summed(threads, inPlace)
							if !slices.Equal(g, g1) || !slices.Equal(dx, dx1) || !slices.Equal(dgamma, dgamma1) ||
								!slices.Equal(dbeta, dbeta1) {
								t.Errorf("%s gives other gradients", what)
							}
						}
						same("one thread", 1, false)
						same("many threads", 24, false)
						same("a sum in place", threads, true)
						defer mem.StreamFrom(0)()
						same("storing past the caches", threads, false)
					})
				})
			}
		}
	}
}

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

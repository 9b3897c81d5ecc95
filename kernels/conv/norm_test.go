package conv

import (
	"math"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// The statistics that a convolution takes on the way are those of its output. Sums over a block of rows are float32, of
// deviations from a mean that is close to the channel's: their rounding, relative to the standard deviation, is below
// 2⁻²⁴ times the length of a block.
func TestConvForwardStats(t *testing.T) {
	shapes := []Shape{
		{H: 24, W: 16, C: 24, OutC: 40, KH: 3, KW: 3, SH: 2, SW: 2, PH: 1, PW: 1, Groups: 1},
		{H: 16, W: 13, C: 64, OutC: 96, KH: 1, KW: 1, SH: 1, SW: 1, Groups: 1},
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
				x, w, bias := kerneltest.Normal(rng, n*c.inputSize()), kerneltest.Normal(rng, s.Weights()), kerneltest.Normal(rng, s.OutC)
				for i := range bias {
					bias[i] = 300 * float32(i%3) // means far from 0
				}
				bn := norm.NewBatchNorm(s.OutC, eps, 0.1, act.None)
				run := func(p *parallel.Pool) (y, mean, invstd, runMean, runVar []float32) {
					y, mean, invstd = make([]float32, n*c.outputSize()), make([]float32, s.OutC),
						make([]float32, s.OutC)
					runMean, runVar = make([]float32, s.OutC), make([]float32, s.OutC)
					ws := make([]float32, c.StatsWorkspace(bn, n, threads))
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

				single := parallel.NewPool(1)
				defer single.Close()
				_, mean1, invstd1, _, _ := run(single)
				if !slices.Equal(mean, mean1) || !slices.Equal(invstd, invstd1) {
					t.Error("one thread gives other statistics than two")
				}
			})
		})
	}
}

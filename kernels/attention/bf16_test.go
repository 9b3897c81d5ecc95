package attention

import (
	"fmt"
	"math"
	"testing"

	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

// Attention in pairs is attention of float32 but for the rounding of its factors, by 2⁻⁹ at most. An error of a score
// is a relative error of its probability. A sum of many such errors grows like a random walk: six standard deviations
// of it are allowed, relative to the largest value.
func TestAttentionOfPairs(t *testing.T) {
	for _, s := range attentionShapes {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			kerneltest.ForEachISA(t, func(t *testing.T) {
				checkAttentionOfPairs(t, 17, s)
			})
		})
	}
}

func checkAttentionOfPairs(t *testing.T, seed uint64, s Shape) {
	t.Helper()
	exact, pairs := newAttentionCase(t, seed, s, 3, 2), newAttentionCase(t, seed, s, 3, 2)
	s.Precision = gemm.BF16
	pairs.a = New(s)
	pairs.ws = make([]float32, pairs.a.Workspace(2))
	for _, c := range []*attentionCase{exact, pairs} {
		c.forward()
		c.backward()
	}
	score := 1 + math.Abs(float64(s.Scale))*math.Sqrt(float64(s.HeadDim))
	closeInPairs(t, "out", pairs.of.At.Out.Data, exact.of.At.Out.Data, score)
	closeInPairs(t, "lse", pairs.of.At.LSE, exact.of.At.LSE, score)
	closeInPairs(t, "the gradients", pairs.dqkv, exact.dqkv, score)
}

func closeInPairs(t *testing.T, what string, got, want []float32, growth float64) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	kerneltest.Compare(t, what, got, kerneltest.ToFloat64(want), 6*growth*largest*0x1p-9)
}

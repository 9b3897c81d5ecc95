package norm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// partsCase is a batch norm of a concatenation.
type partsCase struct {
	act   act.Kind
	parts []int // their channels
	none  int   // the part that wants no gradient, -1 for all do
}

func (k partsCase) channels() (c int) {
	for _, part := range k.parts {
		c += part
	}
	return c
}

// split returns the parts of x, and join the whole again.
func (k partsCase) split(x []float32, rows int) (parts [][]float32) {
	at := 0
	for _, c := range k.parts {
		part := mem.Allocate(rows * c)
		vec.CopyRows(part, c, x[at:], k.channels(), rows, c)
		parts, at = append(parts, part), at+c
	}
	return parts
}

func (k partsCase) join(parts [][]float32, rows int) []float32 {
	x, at := make([]float32, rows*k.channels()), 0
	for i, c := range k.parts {
		vec.CopyRows(x[at:], k.channels(), parts[i], c, rows, c)
		at += c
	}
	return x
}

// TestBatchNormParts holds a batch norm of parts against that of their concatenation. What is computed value by value
// has the same bits, sums differ by the order of additions: of some hundred terms of order one.
func TestBatchNormParts(t *testing.T) {
	const rows, perBlock, tolerance = 3*parallel.BlockRows + 5, 96, 1e-5
	kerneltest.ForEachISA(t, func(t *testing.T) {
		defer mem.StreamFrom(0)()
		for _, k := range []partsCase{
			{act.ReLU, []int{7, 3}, -1}, {act.ReLU, []int{64, 32, 32, 32}, -1}, {act.ReLU6, []int{16, 5, 40, 80}, 1},
			{act.ReLU, []int{640, 32, 432}, 0}, {act.None, []int{32, 32}, -1}, {act.None, []int{1, 2, 3}, 2},
		} {
			t.Run(fmt.Sprint(k), func(t *testing.T) {
				rng, c := kerneltest.NewRand(), k.channels()
				x, dy := kerneltest.Normal(rng, rows*c), kerneltest.Normal(rng, rows*c)
				add := kerneltest.Normal(rng, rows*c)
				gamma, beta, start := kerneltest.Normal(rng, c), kerneltest.Normal(rng, c), kerneltest.Normal(rng, c)
				norm := NewBatchNorm(c, 1e-3, 0.1, k.act)
				if !norm.TakesParts() {
					t.Fatal("takes no parts")
				}
				blocks := mem.CeilDiv(rows, perBlock)
				run := func(threads int, parts bool) (exact, near [][]float32) {
					p := parallel.NewPool(threads)
					defer p.Close()
					at := Operands{Mean: make([]float32, c), InvStd: make([]float32, c), Gamma: gamma, Beta: beta}
					runMean, runVar := slices.Clone(start), slices.Clone(start)
					if parts {
						var ofParts []PartStatistics
						for i, x := range k.split(x, rows) {
							one := NewBatchNorm(k.parts[i], 0, 0, act.None)
							s := PartStatistics{make([]float32, k.parts[i]), make([]float32, k.parts[i])}
							one.StatsOfPart(p, rows, x, s, make([]float32, one.Workspace(rows, threads)))
							at.Parts, ofParts = append(at.Parts, Part{x, k.parts[i]}), append(ofParts, s)
						}
						norm.StatsOfParts(rows, ofParts, Statistics{Mean: at.Mean, InvStd: at.InvStd, RunMean: runMean,
							RunVar: runVar})
					} else {
						at.X = x
						norm.Stats(p, rows, x, Statistics{Mean: at.Mean, InvStd: at.InvStd, RunMean: runMean,
							RunVar: runVar}, make([]float32, norm.Workspace(rows, threads)))
					}
					near = [][]float32{slices.Clone(at.Mean), slices.Clone(at.InvStd), runMean, runVar}
					copy(at.Mean, beta) // the same for both from here on
					copy(at.InvStd, gamma)

					y, g := mem.Allocate(rows*c), mem.Allocate(rows*c)
					norm.Apply(p, rows, y, at)
					if k.act == act.None {
						copy(g, dy)
					}
					sums := make([]float32, norm.GradientSumsSize(blocks))
					gradient := norm.GradientSums(rows, g, at, sums)
					for b := range blocks {
						rows := dy[b*perBlock*c : min((b+1)*perBlock, rows)*c]
						if k.act == act.None {
							rows = g[b*perBlock*c:][:len(rows)]
						}
						gradient.Block(b, b*perBlock, rows)
					}
					exact = [][]float32{y, slices.Clone(g)}
					dgamma, dbeta := slices.Clone(start), slices.Clone(start)
					for _, adds := range []bool{false, true} {
						var dx []float32
						if parts {
							all := k.split(add, rows)
							gradients := make([]PartGradient, len(k.parts))
							for i := range gradients {
								if i == k.none {
									continue
								}
								if gradients[i].DX = all[i]; adds {
									gradients[i].Add = all[i]
								}
							}
							norm.BackwardSummedParts(p, rows, gradients,
								BatchNormGradient{DY: g, At: at, DGamma: dgamma, DBeta: dbeta,
									Accumulate: true}, blocks, sums)
							dx = k.join(all, rows)
						} else {
							var before []float32
							if dx = slices.Clone(add); adds {
								before = dx
							}
							norm.BackwardSummed(p, rows, dx, before,
								BatchNormGradient{DY: g, At: at, DGamma: dgamma, DBeta: dbeta,
									Accumulate: true}, blocks, sums)
							all := k.split(dx, rows)
							if k.none >= 0 {
								all[k.none] = k.split(add, rows)[k.none]
							}
							dx = k.join(all, rows)
						}
						near = append(near, dx)
					}
					return exact, append(near, dgamma, dbeta)
				}
				exact, near := run(1, true)
				wantExact, want := run(1, false)
				for i := range exact {
					kerneltest.CheckEqual(t, fmt.Sprintf("exact result %d", i), exact[i], wantExact[i])
				}
				for i := range near {
					what := fmt.Sprintf("result %d", i)
					kerneltest.CheckClose(t, what, near[i], kerneltest.ToFloat64(want[i]), tolerance)
				}
				exact3, near3 := run(3, true)
				for i := range exact {
					kerneltest.CheckEqual(t, fmt.Sprintf("three threads: exact result %d", i), exact3[i], exact[i])
				}
				for i := range near {
					kerneltest.CheckEqual(t, fmt.Sprintf("three threads: result %d", i), near3[i], near[i])
				}
			})
		}
	})
}

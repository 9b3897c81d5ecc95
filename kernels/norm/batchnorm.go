package norm

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// BatchNorm normalises every channel over batch and positions (Ioffe and Szegedy, "Batch Normalization", ICML 2015),
// optionally adds a residual, and applies an activation:
//
//	y[r,c] = act((x[r,c] - mean[c]) * invstd[c] * gamma[c] + beta[c] (+ add[r,c]))
//
// A row is one position of one sample. The backward pass recomputes the argument of act from x, so that only x has to
// be kept.
//
// What a convolution does for a batch norm before or after it goes through four types that a BatchNorm hands out or
// takes: [Input], [OutputSums], [GradientSums] and [GradientRows]. What it hands out is valid until it is used with
// other statistics.
type BatchNorm struct {
	c             int
	eps, momentum float32
	form          Input     // without mean and beta: the same for all calls, and the space of scale
	cacheRows     int       // rows that stay in the first-level cache from one step to the next
	slope, offset []float32 // [c], of GradientRows
	totals        []float64 // [2, c], sums over blocks of rows

	// The calls in flight.
	application   application
	stats         statsCall
	summation     summation
	settlement    settlement
	inputGradient inputGradient
	rowsGradient  rowsGradient
	partsGradient partsGradient
}

// cacheFloats is how many values of each operand are done at once where there are several steps.
const cacheFloats = 1 << 11

// NewBatchNorm returns the kernel for c channels. Momentum is PyTorch's: the weight of the new value in the running
// statistics.
func NewBatchNorm(c int, eps, momentum float32, kind act.Kind) *BatchNorm {
	b := &BatchNorm{c: c, eps: eps, momentum: momentum, totals: make([]float64, 2*c)}
	b.form = Input{Scale: make([]float32, c), Act: kind}
	b.form.Lo, b.form.Hi, b.form.Clamps = kind.Bounds()
	if !b.form.Clamps {
		b.form.Lo, b.form.Hi, _ = act.None.Bounds()
	}
	b.slope, b.offset = make([]float32, c), make([]float32, c)
	b.cacheRows = min(max(1, cacheFloats/c), parallel.BlockRows)
	return b
}

// Act returns the activation.
func (b *BatchNorm) Act() act.Kind { return b.form.Act }

// Clamps reports whether the activation is a clamp, as None, ReLU and ReLU6 are.
func (b *BatchNorm) Clamps() bool { return b.form.Clamps }

// Workspace returns the scratch, in floats, that Stats and the backward methods need.
func (b *BatchNorm) Workspace(rows, threads int) int {
	sums := b.rowSums(rows)
	return sums.workspace(threads)
}

// rowSums returns the sums of some rows, with scratch for a channel vector and a block of rows that stays in the cache.
func (b *BatchNorm) rowSums(rows int) rowSums { return newRowSums(rows, b.c, 1+b.cacheRows) }

// Operands is what [BatchNorm.Apply] applies a batch norm to, and what the backward passes read again.
type Operands struct {
	X, Add       []float32 // [rows, C]; a nil Add is absent
	Parts        []Part    // in place of X, which is then nil: its parts along the channels; nil for none
	Mean, InvStd []float32 // [C]
	Gamma, Beta  []float32 // [C]
}

// rowOperands is an [Operands] as the passes over its rows read it.
type rowOperands struct {
	Input
	rows, c int
	x, add  []float32 // [rows, c]; a nil add is absent
	parts   []Part    // in place of x, which is nil then; nil for none
}

// operands checks the lengths of what a batch norm was applied to, and computes its scale.
func (b *BatchNorm) operands(kernel string, rows int, at Operands) rowOperands {
	o := rowOperands{Input: b.form, rows: rows, c: b.c, x: at.X, add: at.Add, parts: at.Parts}
	if o.parts == nil {
		mem.CheckLen(kernel, "x", o.x, rows*b.c)
	} else {
		o.checkParts(kernel)
	}
	if o.add != nil {
		mem.CheckLen(kernel, "add", o.add, rows*b.c)
	}
	mem.CheckLen(kernel, "mean", at.Mean, b.c)
	mem.CheckLen(kernel, "invstd", at.InvStd, b.c)
	mem.CheckLen(kernel, "gamma", at.Gamma, b.c)
	mem.CheckLen(kernel, "beta", at.Beta, b.c)
	o.Mean, o.Beta = at.Mean[:b.c], at.Beta[:b.c]
	vec.Mul(o.Scale, at.Gamma[:b.c], at.InvStd[:b.c])
	return o
}

// fused reports whether normalisation and activation are one kernel.
func (o *rowOperands) fused() bool { return o.Clamps || o.add == nil && hasNormCurve(o.Act) }

// addOf returns the floats [at,end) of add, nil if it is absent.
func (o *rowOperands) addOf(at, end int) []float32 {
	if o.add == nil {
		return nil
	}
	return o.add[at:end]
}

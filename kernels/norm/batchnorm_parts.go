package norm

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Part is a matrix [rows, Channels]. Parts side by side are the concatenation that a batch norm is applied to. It need
// not be written, since a batch norm treats every channel by itself, wherever its values lie.
type Part struct {
	X        []float32
	Channels int
}

// PartGradient says where a part's gradient goes: DX = its gradient + Add. A nil DX is not computed; a nil Add is zero;
// Add may be DX.
type PartGradient struct{ DX, Add []float32 } // [rows, Channels of the part]

// TakesParts reports whether Apply, conv.Conv.BackwardDataSums, conv.Conv.BackwardJoint for the batch norm before,
// and BackwardSummedParts take an x in parts. The other methods need it as one.
func (b *BatchNorm) TakesParts() bool { return b.form.Clamps }

// checkParts panics unless the parts make [rows, c], and Apply takes them.
func (o *rowOperands) checkParts(kernel string) {
	channels := 0
	for _, part := range o.parts {
		mem.CheckLen(kernel, "a part of x", part.X, o.rows*part.Channels)
		channels += part.Channels
	}
	if channels != o.c || o.add != nil || !o.Clamps {
		panic(kernel + ": x in parts that don't fit")
	}
}

// partsFloats is how many values make a task of a pass over a concatenation. Fewer would give it too few rows of each
// part for the processor to fetch them in time.
const partsFloats = 1 << 16

// taskRows returns how many rows are a task of a pass over all of them.
func (o *rowOperands) taskRows() int {
	if o.parts != nil {
		return max(1, partsFloats/o.c)
	}
	return parallel.RowsPerTask(o.c)
}

// streamsParts reports whether each part has whole cache lines. It does where there are no parts.
func (o *rowOperands) streamsParts() bool {
	for _, part := range o.parts {
		if part.Channels%mem.Line != 0 {
			return false
		}
	}
	return true
}

// eachPart visits the parts of some rows of x, from the given one on: which it is, its first channel, and its rows.
func (o *rowOperands) eachPart(first, rows int, visit func(index, channel int, x []float32)) {
	channel := 0
	for i, part := range o.parts {
		visit(i, channel, part.X[first*part.Channels:(first+rows)*part.Channels])
		channel += part.Channels
	}
}

// applyParts is applyRows for an x in parts.
func (a *application) applyParts(first, rows int) {
	a.eachPart(first, rows, func(i, at int, x []float32) {
		end := at + a.parts[i].Channels
		batchNormRows(a.y[first*a.c+at:], x, nil, a.Mean[at:end], a.Scale[at:end], a.Beta[at:end], rows, a.c, a.Lo,
			a.Hi, a.stream)
	})
}

// partsGradient holds the arguments of BackwardSummedParts.
type partsGradient struct {
	rowOperands
	slope, offset []float32 // [c], as in GradientRows
	g             []float32 // [rows, c]
	to            []PartGradient
	perTask       int
}

// BackwardSummedParts is BackwardSummed for of.At.Parts in place of of.At.X: each part has its own gradient. No DX may
// be of.DY.
func (b *BatchNorm) BackwardSummedParts(
	p *parallel.Pool, rows int, to []PartGradient, of BatchNormGradient, blocks int, sums []float32,
) {
	const kernel = "norm.BatchNorm.BackwardSummedParts"
	for i, part := range of.At.Parts {
		if to[i].DX == nil {
			continue
		}
		mem.CheckLen(kernel, "dx", to[i].DX, rows*part.Channels)
		if to[i].Add != nil {
			mem.CheckLen(kernel, "add", to[i].Add, rows*part.Channels)
		}
	}
	at := b.settleSums(p, kernel, rows, of, blocks, sums)
	d := &b.partsGradient
	*d = partsGradient{rowOperands: at, slope: b.slope, offset: b.offset, g: of.DY, to: to, perTask: at.taskRows()}
	p.Run(mem.CeilDiv(rows, d.perTask), (*computeParts)(d))
}

type computeParts partsGradient

func (d *computeParts) Do(task, _ int) {
	first := task * d.perTask
	rows := min(d.perTask, d.rows-first)
	d.eachPart(first, rows, func(i, at int, x []float32) {
		c, to := d.parts[i].Channels, d.to[i]
		if to.DX == nil {
			return
		}
		var add []float32
		if to.Add != nil {
			add = to.Add[first*c:][:len(x)]
		}
		end := at + c
		batchNormGradRows(to.DX[first*c:], d.g[first*d.c+at:], x, add, d.Mean[at:end], d.Scale[at:end], d.slope[at:end],
			d.offset[at:end], rows, c, d.c, false)
	})
}

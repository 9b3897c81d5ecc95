package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// NormBefore is the batch norm that made a convolution's input. The convolution sums that input's gradient for it.
type NormBefore struct {
	Norm *norm.BatchNorm // nil for none
	At   norm.Operands   // what it was applied to
	Sums []float32       // what BackwardSummed needs, of Conv.GradientSums or Conv.JointSums floats
}

// SumsGradient reports whether BackwardDataSums takes the sums of a batch norm's gradient on the way: the data gradient
// is depthwise, or one product, and a task has whole rows of its results.
func (c *Conv) SumsGradient(norm *norm.BatchNorm, residual bool) bool {
	if !norm.SumsGradient(residual) {
		return false
	}
	return c.depthwise != nil || c.s.Groups == 1 && len(c.data) == 1 && c.winograd.data == nil
}

// SumsPartsGradient is SumsGradient for a batch norm of a concatenation whose parts lie apart.
func (c *Conv) SumsPartsGradient(norm *norm.BatchNorm) bool {
	return c.depthwise == nil && norm.TakesParts() && c.SumsGradient(norm, false)
}

// BackwardDataSums is BackwardData for the output of a batch norm: dx is the gradient through its activation,
//
//	dx = (convᵀ(dy, w) + add) * act'(z)
//
// with z the activation's argument. It returns how many blocks there are of before.Sums. [norm.BatchNorm.BackwardSummed]
// takes both. It panics unless SumsGradient reports true.
func (c *Conv) BackwardDataSums(
	p *parallel.Pool, n int, dx, dy, w, add []float32, before NormBefore, ws []float32,
) (blocks int) {
	if !c.SumsGradient(before.Norm, before.At.Add != nil) {
		panic("kernels: Conv.BackwardDataSums: the convolution takes no sums for such a batch norm")
	}
	c.before = c.gradientSums(n, dx, before, c.GradientSums(before.Norm, n))
	if c.depthwise != nil {
		data := &c.depthwise.data
		data.norm = &c.before
		c.BackwardData(p, n, dx, dy, w, add, ws)
		data.norm = nil
		return data.bandsOf(n)
	}
	data := &c.data[0]
	data.n = n
	if data.columnBlock() >= data.cols {
		data.norm = &c.before
		c.BackwardData(p, n, dx, dy, w, add, ws)
		data.norm = nil
		return data.rowBlocks()
	}
	c.BackwardData(p, n, dx, dy, w, add, ws)
	c.before.All(p, rowBlock)
	return data.rowBlocks()
}

// gradientSums returns what takes the sums of dx, of which there are that many floats.
func (c *Conv) gradientSums(n int, dx []float32, before NormBefore, size int) norm.GradientSums {
	mem.CheckLen("Conv", "sums", before.Sums, size)
	mem.RaceRead(before.At.X)
	mem.RaceRead(before.At.Add)
	return before.Norm.GradientSums(n*c.s.H*c.s.W, dx, before.At, before.Sums)
}

// GradientSums returns the floats of the sums for up to n samples.
func (c *Conv) GradientSums(norm *norm.BatchNorm, n int) int {
	if c.depthwise != nil {
		return norm.GradientSumsSize(c.depthwise.data.bandsOf(n))
	}
	return norm.GradientSumsSize(mem.CeilDiv(n*c.s.H*c.s.W, rowBlock))
}

// GradientSumsWorkspace is [Conv.Workspace] for BackwardDataSums.
func (c *Conv) GradientSumsWorkspace(n, threads int) int {
	waiting := rowBlock * c.s.C
	if c.depthwise != nil {
		waiting = c.depthwise.data.bandSize()
	}
	return c.Workspace(n, threads) + threads*mem.RoundUp(waiting, mem.Line)
}

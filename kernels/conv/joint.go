package conv

import (
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Joint holds the arguments of a convolution's whole backward pass, see [Conv.BackwardJoint].
type Joint struct {
	DX         []float32 // the gradient of the input, [N,H,W,C]
	Add        []float32 // what is added to DX, [N,H,W,C]: nil for nothing, or DX itself
	DW         []float32 // the gradient of the weights, in their shape
	Accumulate bool      // add to DW what it holds

	DY     norm.GradientRows // the gradient of the output, from norm.BatchNorm.SettleSummed or SettleGated
	X      []float32         // the input, [N,H,W,C]
	W      []float32         // the weights
	Before NormBefore        // takes the sums of DX
}

// JoinsBackward reports whether the convolution can compute [Conv.BackwardJoint], and that pays.
func (c *Conv) JoinsBackward() bool { return c.joint() != nil }

// jointPass is the whole backward pass of a convolution that a batch norm follows.
type jointPass interface {
	run(p *parallel.Pool, n int, args *Joint, before *norm.GradientSums, ws []float32) (blocks int)
	blocksOf(n int) int // number of blocks of the sums
	workspace(n, threads int) int
}

// joint returns the convolution's whole backward pass, nil if there is none.
func (c *Conv) joint() jointPass {
	switch {
	case c.jointProduct != nil:
		return c.jointProduct
	case c.depthwise != nil && c.depthwise.joint != nil:
		return c.depthwise.joint
	}
	return nil
}

// BackwardJoint computes both gradients of a convolution that a batch norm follows: [Conv.BackwardWeights], and
// [Conv.BackwardData] or, if there is a batch norm before, [Conv.BackwardDataSums]. The rows of j.DY are computed piece
// by piece, used for both while they are in the caches, and never written. After [Conv.ReadThrough] the input is read
// through a batch norm, which is the one before. BackwardJoint returns the number of blocks in j.Before.Sums. It panics
// unless [Conv.JoinsBackward] reports true and, if there is a batch norm before, [Conv.SumsGradient].
func (c *Conv) BackwardJoint(p *parallel.Pool, n int, j *Joint, ws []float32) (blocks int) {
	c.check(n, j.DY.G, j.X, j.W)
	mem.CheckLen("conv.Conv", "y", j.DY.X, n*c.outputSize())
	mem.CheckLen("conv.Conv", "dw", j.DW, c.s.Weights())
	mem.CheckLen("conv.Conv", "dx", j.DX, n*c.inputSize())
	if j.Add != nil {
		mem.CheckLen("conv.Conv", "add", j.Add, n*c.inputSize())
	}
	var before *norm.GradientSums
	if j.Before.Norm != nil {
		if !c.SumsGradient(j.Before.Norm, j.Before.At.Add != nil) {
			panic("conv.Conv.BackwardJoint: the convolution takes no sums for such a batch norm")
		}
		before = &c.before
		*before = c.gradientSums(n, j.DX, j.Before, c.JointSumsSize(j.Before.Norm, n))
	}
	for _, read := range [][]float32{j.DY.G, j.DY.X, j.X, j.W, j.Add} {
		mem.RaceRead(read)
	}
	mem.RaceWrite(j.DX[:n*c.inputSize()])
	mem.RaceWrite(j.DW[:c.s.Weights()])
	return c.joint().run(p, n, j, before, ws)
}

// JointSumsSize returns the floats of the sums that [Conv.BackwardJoint] takes for a batch norm, for up to n samples.
func (c *Conv) JointSumsSize(bn *norm.BatchNorm, n int) int {
	return bn.GradientSumsSize(c.joint().blocksOf(n))
}

// JointWorkspace is [Conv.Workspace] for [Conv.BackwardJoint].
func (c *Conv) JointWorkspace(n, threads int) int {
	size := 0
	for samples := 1; samples <= n; samples++ {
		size = max(size, c.joint().workspace(samples, threads))
	}
	return size
}

package kernels

// Joint holds the arguments of a convolution's whole backward pass, see [Conv.BackwardJoint].
type Joint struct {
	DX, Add    []float32 // the gradient of the input, and what is added to it, which may be DX itself; nil for nothing
	DW         []float32 // the gradient of the weights
	Accumulate bool      // add to DW what it holds

	G      []float32  // the gradient behind the activation of the batch norm behind the convolution
	Behind *BatchNorm // that batch norm, after BatchNorm.SettleSummed or SettleGated
	Y      Normalised // what it was applied to: the convolution's output

	X, W   []float32  // the convolution's input and weights
	Before *BatchNorm // the batch norm that made the input, which takes the sums of DX; nil for none
	At     Normalised // what it was applied to
	Sums   []float32  // of JointSums
}

// JoinsBackward tells whether BackwardJoint is there for the convolution, and pays.
func (c *Conv) JoinsBackward() bool { return c.joint() != nil }

// jointPass is the whole backward pass of a convolution behind which there is a batch norm.
type jointPass interface {
	run(p *Pool, n int, args *Joint, ws []float32) (blocks int)
	blocksOf(n int) int // of the sums
	workspace(n, threads int) int
}

// joint returns the convolution's, nil if there is none.
func (c *Conv) joint() jointPass {
	switch {
	case c.jointly != nil:
		return c.jointly
	case c.depthwise != nil && c.depthwise.joint != nil:
		return c.depthwise.joint
	}
	return nil
}

// BackwardJoint computes both gradients of y = conv(x, w) where y goes to a batch norm: with dy the gradient of y,
//
//	dy[r,c] = gamma[c]*invstd[c] * (g[r,c] - Σg/rows - ŷ[r,c] * Σg·ŷ/rows)
//
// as [BatchNorm.BackwardSummed] has it, it is BackwardData, or BackwardDataSums where there is a batch norm before, and
// BackwardWeights. dy is computed piece by piece, used for both while it is in the caches, and never written. If
// the input is read through a batch norm (ReadThrough), that is the one before. It returns the number of blocks in Sums.
// It may be called where JoinsBackward, and SumsGradient if there is a batch norm before.
func (c *Conv) BackwardJoint(p *Pool, n int, j *Joint, ws []float32) (blocks int) {
	rows := n * c.s.OutH() * c.s.OutW()
	c.check(n, j.G, j.X, j.W)
	checkLen("Conv", "dw", j.DW, c.s.Weights())
	checkLen("Conv", "dx", j.DX, n*c.inputSize())
	if j.Add != nil {
		checkLen("Conv", "add", j.Add, n*c.inputSize())
	}
	j.Behind.load("Conv.BackwardJoint", rows, j.Y)
	if j.Before != nil {
		checkLen("Conv", "sums", j.Sums, c.JointSums(j.Before, n))
		j.Before.loadBlocks(n*c.s.H*c.s.W, j.DX, j.At, j.Sums)
	}
	for _, read := range [][]float32{j.G, j.Y.X, j.X, j.W, j.Add, j.At.X, j.At.Add} {
		raceRead(read)
	}
	raceWrite(j.DX[:n*c.inputSize()])
	raceWrite(j.DW[:c.s.Weights()])
	return c.joint().run(p, n, j, ws)
}

// JointSums returns the floats of the sums that BackwardJoint takes for a batch norm, for up to n samples.
func (c *Conv) JointSums(norm *BatchNorm, n int) int {
	return norm.blockSums(c.joint().blocksOf(n))
}

// JointWorkspace is [Conv.Workspace] for BackwardJoint.
func (c *Conv) JointWorkspace(n, threads int) int {
	size := 0
	for samples := 1; samples <= n; samples++ {
		size = max(size, c.joint().workspace(samples, threads))
	}
	return size
}

package kernels

// Part is a matrix [rows, Channels] which makes, with others, the concatenation that a batch norm is applied to. Nobody has to
// write that: a batch norm does to every channel what it does, wherever its values lie.
type Part struct {
	X        []float32
	Channels int
}

// Moments are the means and variances of channels over the rows of a batch, the sums of squared deviations divided by rows.
type Moments struct{ Mean, Variance []float32 }

// Gradient is that of a part, nil for none, and what is added to it, which may be DX itself; nil for nothing.
type Gradient struct{ DX, Add []float32 }

// TakesParts tells whether Apply, [Conv.BackwardDataSums], [Conv.BackwardJoint] for the batch norm before, and
// BackwardSummedParts take an x in parts. The other methods need it as one.
func (b *BatchNorm) TakesParts() bool { return b.clamps }

// loadParts keeps x.
func (b *BatchNorm) loadParts(kernel string, rows int, at Normalised) {
	b.x, b.parts = at.X, at.Parts
	if at.Parts == nil {
		checkLen(kernel, "x", at.X, rows*b.c)
		return
	}
	channels := 0
	for _, part := range at.Parts {
		checkLen(kernel, "a part of x", part.X, rows*part.Channels)
		channels += part.Channels
	}
	if channels != b.c || at.Add != nil || !b.TakesParts() {
		panic("kernels: " + kernel + ": x in parts that don't fit")
	}
}

// partsFloats is how many values make a task of a pass over a concatenation: each part has to give it rows enough for the
// processor to fetch them in time.
const partsFloats = 1 << 16

// Moments is the first half of Stats, which all batch norms that are applied to x, or to a concatenation with it, have in common.
func (b *BatchNorm) Moments(p *Pool, rows int, x []float32, to Moments, ws []float32) {
	checkLen("BatchNorm.Moments", "x", x, rows*b.c)
	checkLen("BatchNorm.Moments", "mean", to.Mean, b.c)
	checkLen("BatchNorm.Moments", "variance", to.Variance, b.c)
	b.x, b.mean, b.variance = x, to.Mean, to.Variance
	b.runStats(p, rows, ws)
	b.variance = nil
}

// StatsOfParts is the other half, for the moments of the parts of a concatenation.
func (b *BatchNorm) StatsOfParts(rows int, of []Moments, mean, invstd, runMean, runVar []float32) {
	checkLen("BatchNorm.StatsOfParts", "mean", mean, b.c)
	checkLen("BatchNorm.StatsOfParts", "invstd", invstd, b.c)
	b.mean, b.invstd, b.runMean, b.runVar = mean, invstd, runMean, runVar
	n, at := float64(rows), 0
	for _, part := range of {
		for j, m := range part.Mean {
			b.settleChannel(at+j, float64(m), float64(part.Variance[j])*n, n)
		}
		at += len(part.Mean)
	}
}

// taskRows returns how many rows are a task of a pass over all of them.
func (b *BatchNorm) taskRows() int {
	if b.parts != nil {
		return max(1, partsFloats/b.c)
	}
	return rowsPerTask(b.c)
}

// firstOf returns some rows of x, or of its first part, which is the largest in a chain of concatenations.
func (b *BatchNorm) firstOf(row, rows int) []float32 {
	x, c := b.x, b.c
	if b.parts != nil {
		x, c = b.parts[0].X, b.parts[0].Channels
	}
	return x[row*c : (row+rows)*c]
}

// streamsParts tells whether each part has whole lines.
func (b *BatchNorm) streamsParts() bool {
	for _, part := range b.parts {
		if part.Channels%cacheLine != 0 {
			return false
		}
	}
	return true
}

// eachPart visits the parts of some rows of x, from the given one on: which it is, its first channel, and its rows.
func (b *BatchNorm) eachPart(first, rows int, visit func(index, channel int, x []float32)) {
	channel := 0
	for i, part := range b.parts {
		visit(i, channel, part.X[first*part.Channels:(first+rows)*part.Channels])
		channel += part.Channels
	}
}

// applyParts is apply for an x in parts.
func (b *BatchNorm) applyParts(first, rows int, stream bool) {
	stream = stream && b.streamsParts()
	b.eachPart(first, rows, func(i, at int, x []float32) {
		end := at + b.parts[i].Channels
		batchNormRows(b.y[first*b.c+at:], x, nil, b.mean[at:end], b.scale[at:end], b.beta[at:end], rows, b.c, b.lo, b.hi, stream)
	})
}

// BackwardSummedParts is BackwardSummed for an at.X in parts, of which each has its own gradient. None of them may be g.
func (b *BatchNorm) BackwardSummedParts(p *Pool, rows, blocks int, gradients []Gradient, dgamma, dbeta, g []float32, at Normalised, fixed bool,
	sums []float32, accumulate bool) {
	for i, part := range at.Parts {
		if gradients[i].DX == nil {
			continue
		}
		checkLen("BatchNorm.BackwardSummedParts", "dx", gradients[i].DX, rows*part.Channels)
		if gradients[i].Add != nil {
			checkLen("BatchNorm.BackwardSummedParts", "add", gradients[i].Add, rows*part.Channels)
		}
	}
	b.SettleSummed(p, rows, blocks, dgamma, dbeta, g, at, fixed, sums, accumulate)
	b.gradients, b.perTask = gradients, b.taskRows()
	p.Run(ceilDiv(rows, b.perTask), (*batchNormSummedParts)(b))
}

type batchNormSummedParts BatchNorm

func (k *batchNormSummedParts) Do(task, _ int) {
	b := (*BatchNorm)(k)
	first := task * b.perTask
	rows := min(b.perTask, b.rows-first)
	b.eachPart(first, rows, func(i, at int, x []float32) {
		c, of := b.parts[i].Channels, b.gradients[i]
		if of.DX == nil {
			return
		}
		var add []float32
		if of.Add != nil {
			add = of.Add[first*c:][:len(x)]
		}
		end := at + c
		batchNormGradRows(of.DX[first*c:], b.dy[first*b.c+at:], x, add, b.mean[at:end], b.scale[at:end], b.slope[at:end], b.offset[at:end],
			rows, c, b.c, false)
	})
}

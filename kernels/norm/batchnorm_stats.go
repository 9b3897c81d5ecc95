package norm

import (
	"math"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Statistics is where the statistics of a batch go.
type Statistics struct {
	Mean, InvStd    []float32 // [C]
	RunMean, RunVar []float32 // [C], which are moved; nil for none
}

func (s *Statistics) check(kernel string, c int) {
	mem.CheckLen(kernel, "mean", s.Mean, c)
	mem.CheckLen(kernel, "invstd", s.InvStd, c)
	if s.RunMean != nil {
		mem.CheckLen(kernel, "runMean", s.RunMean, c)
		mem.CheckLen(kernel, "runVar", s.RunVar, c)
	}
}

// PartStatistics are the means and variances of a part's channels over the rows of a batch, the sums of squared
// deviations divided by rows.
type PartStatistics struct{ Mean, Variance []float32 } // [C]

// channelStats sets the statistics of the channels of a batch, or of a part of one.
type channelStats struct {
	eps, momentum float64
	to            Statistics
	variance      []float32 // of a part, else nil
}

func (b *BatchNorm) channelStats(to Statistics) channelStats {
	return channelStats{eps: float64(b.eps), momentum: float64(b.momentum), to: to}
}

// set sets the statistics of a channel from its mean over n rows and the sum of the squared deviations from that.
func (s *channelStats) set(c int, mean, squares, n float64) {
	s.to.Mean[c] = float32(mean)
	if s.variance != nil {
		s.variance[c] = float32(squares / n)
		return
	}
	s.to.InvStd[c] = float32(1 / math.Sqrt(squares/n+s.eps))
	if s.to.RunMean != nil {
		unbiased := squares / max(n-1, 1)
		s.to.RunMean[c] = float32((1-s.momentum)*float64(s.to.RunMean[c]) + s.momentum*mean)
		s.to.RunVar[c] = float32((1-s.momentum)*float64(s.to.RunVar[c]) + s.momentum*unbiased)
	}
}

// statsCall holds the arguments of Stats and its variants.
type statsCall struct {
	channelStats
	x    []float32 // [rows, c]
	sums rowSums   // of x

	summed OutputSums // in place of those: of a convolution
	totals []float64
}

// Stats computes the statistics of a batch x, [rows, C],
//
//	mean[c]   = Σ_r x[r,c] / rows
//	invstd[c] = 1 / sqrt(Σ_r (x[r,c]-mean[c])² / rows + eps)
//
// and moves the running ones, unless they are nil:
//
//	runMean[c] = (1-momentum)*runMean[c] + momentum*mean[c]
//	runVar[c]  = (1-momentum)*runVar[c]  + momentum*Σ_r (x[r,c]-mean[c])² / (rows-1)
//
// With a single row the last divisor is 1.
func (b *BatchNorm) Stats(p *parallel.Pool, rows int, x []float32, to Statistics, ws []float32) {
	to.check("norm.BatchNorm.Stats", b.c)
	b.runStats(p, rows, x, b.channelStats(to), ws)
}

// StatsOfPart is the first half of Stats, which all batch norms that are applied to x, or to a concatenation with it,
// have in common. [BatchNorm.StatsOfParts] is the other half.
func (b *BatchNorm) StatsOfPart(p *parallel.Pool, rows int, x []float32, to PartStatistics, ws []float32) {
	mem.CheckLen("norm.BatchNorm.StatsOfPart", "mean", to.Mean, b.c)
	mem.CheckLen("norm.BatchNorm.StatsOfPart", "variance", to.Variance, b.c)
	b.runStats(p, rows, x, channelStats{to: Statistics{Mean: to.Mean}, variance: to.Variance}, ws)
}

func (b *BatchNorm) runStats(p *parallel.Pool, rows int, x []float32, to channelStats, ws []float32) {
	mem.CheckLen("norm.BatchNorm.Stats", "x", x, rows*b.c)
	mem.CheckLen("norm.BatchNorm.Stats", "ws", ws, b.Workspace(rows, p.Threads()))
	s := &b.stats
	*s = statsCall{channelStats: to, x: x, sums: b.rowSums(rows)}
	s.sums.use(ws)
	p.Run(s.sums.tasks, (*sumStats)(s))
	p.Run(mem.CeilDiv(b.c, channelsPerTask), (*joinStats)(s))
}

// StatsOfParts is Stats for a concatenation, from the statistics of its parts.
func (b *BatchNorm) StatsOfParts(rows int, of []PartStatistics, to Statistics) {
	to.check("norm.BatchNorm.StatsOfParts", b.c)
	s := b.channelStats(to)
	n, at := float64(rows), 0
	for _, part := range of {
		for j, m := range part.Mean {
			s.set(at+j, float64(m), float64(part.Variance[j])*n, n)
		}
		at += len(part.Mean)
	}
}

// StatsOfSums is Stats for the results of a convolution, which has summed them.
func (b *BatchNorm) StatsOfSums(p *parallel.Pool, rows int, summed OutputSums, to Statistics) {
	to.check("norm.BatchNorm.StatsOfSums", b.c)
	s := &b.stats
	*s = statsCall{channelStats: b.channelStats(to), sums: rowSums{rows: rows, c: b.c}, summed: summed,
		totals: b.totals}
	p.Run(mem.CeilDiv(b.c, channelsPerTask), (*joinBlocks)(s))
}

// Running fills to.Mean and to.InvStd from the running statistics, for evaluation.
func (b *BatchNorm) Running(to Statistics) {
	for j := range b.c {
		to.Mean[j] = to.RunMean[j]
		to.InvStd[j] = float32(1 / math.Sqrt(float64(to.RunVar[j])+float64(b.eps)))
	}
}

type sumStats statsCall

// Do leaves in its slot the task's mean and its sum of squared deviations from it. They are measured from the mean of
// the first few rows: a shift that comes from the data keeps the float32 sums small, whatever the channel's mean is.
func (k *sumStats) Do(task, worker int) {
	const shiftRows = 16
	c := k.sums.c
	first, last, sums, squares := k.sums.task(task)
	space := k.sums.worker(worker)
	sum, square, shift := space.one, space.other, space.spare[:c]

	head := min(shiftRows, last-first)
	clear(shift)
	vec.SumChannels(shift, k.x[first*c:(first+head)*c], head)
	vec.Scale(shift, shift, 1/float32(head))

	for from := first; from < last; from += parallel.BlockRows {
		rows := min(parallel.BlockRows, last-from)
		clear(sum)
		clear(square)
		batchNormSums(sum, square, k.x[from*c:(from+rows)*c], shift, rows)
		vec.AddFloat64(sums, sum)
		vec.AddFloat64(squares, square)
	}
	n := float64(last - first)
	for j, s := range sums {
		squares[j] -= s * s / n
		sums[j] = float64(shift[j]) + s/n
	}
}

type joinStats statsCall

// Do joins the tasks' means and squared deviations (Chan, Golub and LeVeque, "Updating formulae and a pairwise
// algorithm for computing sample variances", 1979).
func (k *joinStats) Do(task, _ int) {
	first, last := task*channelsPerTask, min((task+1)*channelsPerTask, k.sums.c)
	var means, deviations [channelsPerTask]float64 // joined so far
	n := 0.0
	for t := range k.sums.tasks {
		m := float64(min(k.sums.perTask, k.sums.rows-t*k.sums.perTask))
		share, weight := m/(n+m), n*m/(n+m)
		mean, squares := k.sums.partial(t, first, last)
		for j, v := range mean {
			delta := v - means[j]
			deviations[j] += squares[j] + delta*delta*weight
			means[j] += delta * share
		}
		n += m
	}
	for j := range last - first {
		k.set(first+j, means[j], deviations[j], n)
	}
}

type joinBlocks statsCall

// Do adds up the blocks' sums.
func (k *joinBlocks) Do(task, _ int) {
	first, last := task*channelsPerTask, min((task+1)*channelsPerTask, k.sums.c)
	of := &k.summed
	sums, squares := addBlocks(k.totals, of.Sums, of.Blocks, of.Row, first, last)
	n := float64(k.sums.rows)
	for j, s := range sums {
		k.set(first+j, float64(of.Shift[first+j])+s/n, squares[j]-s*s/n, n)
	}
}

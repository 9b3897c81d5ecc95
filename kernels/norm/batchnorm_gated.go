package norm

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/kernels/vec"
)

// Gated is what the gradient dy of a value that a channel gate multiplies still lacks: the gate's factor, and what is
// the same for all positions of a sample, as the gradient of a mean over them is.
//
//	dy[n,i,c]*Gate[n,c] (+ Shift[n,c])
type Gated struct {
	Gate, Shift []float32 // [samples, C]; a nil Shift is absent
	Rows        int       // of a sample
}

// BackwardGated is Backward, without a residual, for the gradient that of.DY becomes through the gate. dx may be of.DY.
func (b *BatchNorm) BackwardGated(
	p *parallel.Pool, rows int, dx []float32, of BatchNormGradient, gated Gated, ws []float32,
) {
	at := b.SettleGated(p, rows, dx, of, gated, ws)
	b.runRows(p, rows, dx, nil, at)
}

// SettleGated is BackwardGated without dx, which the convolution that made of.At.X computes where it reads it, see
// conv.Conv.BackwardJoint. It writes g, the gradient through gate and activation, which may be of.DY.
func (b *BatchNorm) SettleGated(
	p *parallel.Pool, rows int, g []float32, of BatchNormGradient, gated Gated, ws []float32,
) GradientRows {
	const kernel = "norm.BatchNorm.SettleGated"
	mem.CheckLen(kernel, "g", g, rows*b.c)
	of.check(kernel, rows, b.c)
	mem.CheckLen(kernel, "gate", gated.Gate, mem.CeilDiv(rows, gated.Rows)*b.c)
	if gated.Shift != nil {
		mem.CheckLen(kernel, "shift", gated.Shift, mem.CeilDiv(rows, gated.Rows)*b.c)
	}
	of.At.Add, of.At.Parts = nil, nil
	at := b.operands(kernel, rows, of.At)
	sums := summation{rowOperands: at, dy: of.DY, g: g, gated: gated}
	b.takeSums(p, kernel, (*sumGatedGradient)(&b.summation), sums, of, ws)
	return b.gradientRows(&at, g)
}

type sumGatedGradient summation

// Do keeps the gradient through gate and activation in g, and sums it.
func (k *sumGatedGradient) Do(task, worker int) {
	s := (*summation)(k)
	first, last, gs, gxs := s.sums.task(task)
	space := s.sums.worker(worker)
	sumG, sumGX, shift, z := space.one, space.other, space.spare[:s.c], space.spare[s.c:]
	clear(shift)
	for ; first < last; first += gradientBlockRows {
		clear(sumG)
		clear(sumGX)
		for r, end := first, min(first+gradientBlockRows, last); r < end; {
			rows := min(end-r, s.gated.Rows-r%s.gated.Rows) // of one sample
			sample := r / s.gated.Rows * s.c
			if s.gated.Shift != nil {
				shift = s.gated.Shift[sample:][:s.c]
			}
			s.sumGated(sumG, sumGX, s.gated.Gate[sample:][:s.c], shift, z, r, rows)
			r += rows
		}
		vec.AddFloat64(gs, sumG)
		vec.AddFloat64(gxs, sumGX)
	}
}

// sumGated is sumRows through a gate. The rows are of one sample.
func (s *summation) sumGated(sumG, sumGX, gate, shift, z []float32, first, rows int) {
	at, end := first*s.c, (first+rows)*s.c
	if s.Act != act.None && s.fused() {
		batchNormGatedGradSums(s.Act, s.g[at:end], sumG, sumGX, s.dy[at:end], s.x[at:end], gate, shift, s.Mean, s.Scale,
			s.Beta, rows)
		return
	}
	for step := s.cacheRows * s.c; at < end; at += step {
		step = min(step, end-at)
		g, x, rows := s.g[at:at+step], s.x[at:at+step], step/s.c
		vec.ScaleShiftRows(g, s.dy[at:at+step], gate, shift, rows)
		if s.Act != act.None {
			batchNormRows(z, x, nil, s.Mean, s.Scale, s.Beta, rows, s.c, s.Lo, s.Hi, false)
			act.Backward(s.Act, g, g, z[:step])
		}
		batchNormGradSums(sumG, sumGX, g, x, s.Mean, rows, s.c)
	}
}

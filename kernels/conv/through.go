package conv

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/norm"
	"github.com/reidbench/reidbench/kernels/vec"
)

// ReadsThrough reports whether the convolution can read its input through a batch norm, see ReadThrough: it copies what
// it reads anyway, and normalising the copy costs less than a pass over memory. An activation that is more than a few
// operations would cost more, as it is computed in the weight gradient again.
func (c *Conv) ReadsThrough(norm *norm.BatchNorm) bool {
	if c.grouped != nil {
		return norm.Clamps() && c.winograd.forward == nil && c.winograd.weights == nil && c.grouped.readsThrough()
	}
	return c.depthwise != nil && (norm.Clamps() || norm.Act() == act.HardSwish)
}

// ReadThrough lets the next forward pass or weight gradient of n samples, of which at.X is the input, read
//
//	act((at.X[r,c] - mean[c]) * (gamma[c]*invstd[c]) + beta[c])
//
// instead, with the bits of [norm.BatchNorm.Apply] but without writing it. Padding stays zero. It panics unless ReadsThrough
// reports true.
func (c *Conv) ReadThrough(norm *norm.BatchNorm, n int, at norm.Operands) {
	if !c.ReadsThrough(norm) {
		panic("kernels: Conv.ReadThrough: the convolution reads through no such batch norm")
	}
	c.through = norm.Input(n*c.s.H*c.s.W, at)
	if c.grouped != nil {
		c.grouped.readThrough(&c.through)
		return
	}
	c.depthwise.readThrough(&c.through)
}

// copyThrough is copyRows of the channels from first on, through a batch norm unless that is nil.
func copyThrough(in *norm.Input, dst []float32, dstRow int, src []float32, srcRow, rows, channels, first int) {
	vec.CopyRows(dst, dstRow, src, srcRow, rows, channels)
	if in != nil {
		in.Rows(dst, dstRow, rows, channels, first)
	}
}

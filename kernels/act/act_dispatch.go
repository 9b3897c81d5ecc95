package act

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// curve is the assembly of an activation that is not a clamp, and of its gradient, by instruction set.
type curve struct {
	forward  [3]func(y, x *float32, n int)
	backward [3]func(dx, dy, x *float32, n int)
}

// newCurve returns a curve from what AVX2 and AVX-512 have of both.
func newCurve(
	forward2, forward512 func(y, x *float32, n int), backward2, backward512 func(dx, dy, x *float32, n int),
) curve {
	c := curve{}
	c.forward[isa.AVX2], c.forward[isa.AVX512] = forward2, forward512
	c.backward[isa.AVX2], c.backward[isa.AVX512] = backward2, backward512
	return c
}

// curves is by activation; it has nothing for the clamps.
var curves = [Tanh + 1]curve{
	SiLU:        newCurve(siluAVX2, siluAVX512, siluBackwardAVX2, siluBackwardAVX512),
	GELU:        newCurve(geluAVX2, geluAVX512, geluBackwardAVX2, geluBackwardAVX512),
	Sigmoid:     newCurve(sigmoidAVX2, sigmoidAVX512, sigmoidBackwardAVX2, sigmoidBackwardAVX512),
	HardSigmoid: newCurve(hardSigmoidAVX2, hardSigmoidAVX512, hardSigmoidBackwardAVX2, hardSigmoidBackwardAVX512),
	HardSwish:   newCurve(hardSwishAVX2, hardSwishAVX512, hardSwishBackwardAVX2, hardSwishBackwardAVX512),
	Tanh:        newCurve(tanhAVX2, tanhAVX512, tanhBackwardAVX2, tanhBackwardAVX512),
}

// By instruction set; nil for the portable loop.
var (
	clampToKernels = [...]func(y, x *float32, n int, lo, hi float32){
		isa.AVX2: clampToAVX2, isa.AVX512: clampToAVX512,
	}
	clampBackwardKernels = [...]func(dx, dy, x *float32, n int, lo, hi float32){
		isa.AVX2: clampBackwardAVX2, isa.AVX512: clampBackwardAVX512,
	}
)

// Apply computes, for i < len(x),
//
//	y[i] = act(x[i])
func Apply(kind Kind, y, x []float32) {
	y = y[:len(x)]
	clamp := clampToKernels[isa.Active()]
	if kind == None || clamp == nil {
		applyGeneric(kind, y, x)
		return
	}
	n := len(x)
	to, from := mem.Writes(y, n), mem.Reads(x, n)
	if lo, hi, ok := kind.Bounds(); ok {
		clamp(to, from, n, lo, hi)
		return
	}
	curves[kind].forward[isa.Active()](to, from, n)
}

// Backward computes, for i < len(x),
//
//	dx[i] = dy[i] * act'(x[i])
//
// Where act' is 0, dx is 0 whatever dy is.
func Backward(kind Kind, dx, dy, x []float32) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	clamp := clampBackwardKernels[isa.Active()]
	if kind == None || clamp == nil {
		backwardGeneric(kind, dx, dy, x)
		return
	}
	n := len(x)
	to, gradient, from := mem.Writes(dx, n), mem.Reads(dy, n), mem.Reads(x, n)
	if lo, hi, ok := kind.Bounds(); ok {
		clamp(to, gradient, from, n, lo, hi)
		return
	}
	curves[kind].backward[isa.Active()](to, gradient, from, n)
}

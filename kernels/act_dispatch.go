package kernels

import "unsafe"

// curve is the assembly of an activation that is not a clamp, and of its gradient, by instruction set.
type curve struct {
	forward  [3]func(y, x *float32, n int)
	backward [3]func(dx, dy, x *float32, n int)
}

// newCurve returns a curve from what AVX2 and AVX-512 have of both.
func newCurve(forward2, forward512 func(y, x *float32, n int), backward2, backward512 func(dx, dy, x *float32, n int)) curve {
	c := curve{}
	c.forward[AVX2], c.forward[AVX512], c.backward[AVX2], c.backward[AVX512] = forward2, forward512, backward2, backward512
	return c
}

// curves are by activation.
var curves = [ActTanh + 1]curve{
	ActSiLU:        newCurve(siluAVX2, siluAVX512, siluBackwardAVX2, siluBackwardAVX512),
	ActGELU:        newCurve(geluAVX2, geluAVX512, geluBackwardAVX2, geluBackwardAVX512),
	ActSigmoid:     newCurve(sigmoidAVX2, sigmoidAVX512, sigmoidBackwardAVX2, sigmoidBackwardAVX512),
	ActHardSigmoid: newCurve(hardSigmoidAVX2, hardSigmoidAVX512, hardSigmoidBackwardAVX2, hardSigmoidBackwardAVX512),
	ActHardSwish:   newCurve(hardSwishAVX2, hardSwishAVX512, hardSwishBackwardAVX2, hardSwishBackwardAVX512),
	ActTanh:        newCurve(tanhAVX2, tanhAVX512, tanhBackwardAVX2, tanhBackwardAVX512),
}

// By instruction set; nil for the portable loop.
var (
	clampToKernels       = [...]func(y, x *float32, n int, lo, hi float32){AVX2: clampToAVX2, AVX512: clampToAVX512}
	clampBackwardKernels = [...]func(dx, dy, x *float32, n int, lo, hi float32){
		AVX2: clampBackwardAVX2, AVX512: clampBackwardAVX512,
	}
)

// activate is activateGeneric on the active instruction set.
func activate(act Act, y, x []float32) {
	y = y[:len(x)]
	clamp := clampToKernels[active]
	if act == ActNone || clamp == nil {
		activateGeneric(act, y, x)
		return
	}
	raceRead(x)
	raceWrite(y)
	if lo, hi, ok := act.clampBounds(); ok {
		clamp(unsafe.SliceData(y), unsafe.SliceData(x), len(x), lo, hi)
		return
	}
	curves[act].forward[active](unsafe.SliceData(y), unsafe.SliceData(x), len(x))
}

// activateBackward is activateBackwardGeneric on the active instruction set.
func activateBackward(act Act, dx, dy, x []float32) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	clamp := clampBackwardKernels[active]
	if act == ActNone || clamp == nil {
		activateBackwardGeneric(act, dx, dy, x)
		return
	}
	raceRead(dy)
	raceRead(x)
	raceWrite(dx)
	if lo, hi, ok := act.clampBounds(); ok {
		clamp(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), len(x), lo, hi)
		return
	}
	curves[act].backward[active](unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), len(x))
}

package kernels

import "unsafe"

// curve is the assembly of an activation that is not a clamp, and of its gradient.
type curve struct {
	forward  func(y, x *float32, n int)
	backward func(dx, dy, x *float32, n int)
}

var curves = [...][ActTanh + 1]curve{
	AVX2: {
		ActSiLU:        {siluAVX2, siluBackwardAVX2},
		ActGELU:        {geluAVX2, geluBackwardAVX2},
		ActSigmoid:     {sigmoidAVX2, sigmoidBackwardAVX2},
		ActHardSigmoid: {hardSigmoidAVX2, hardSigmoidBackwardAVX2},
		ActHardSwish:   {hardSwishAVX2, hardSwishBackwardAVX2},
		ActTanh:        {tanhAVX2, tanhBackwardAVX2},
	},
	AVX512: {
		ActSiLU:        {siluAVX512, siluBackwardAVX512},
		ActGELU:        {geluAVX512, geluBackwardAVX512},
		ActSigmoid:     {sigmoidAVX512, sigmoidBackwardAVX512},
		ActHardSigmoid: {hardSigmoidAVX512, hardSigmoidBackwardAVX512},
		ActHardSwish:   {hardSwishAVX512, hardSwishBackwardAVX512},
		ActTanh:        {tanhAVX512, tanhBackwardAVX512},
	},
}

var (
	clampToKernels       = [...]func(y, x *float32, n int, lo, hi float32){AVX2: clampToAVX2, AVX512: clampToAVX512}
	clampBackwardKernels = [...]func(dx, dy, x *float32, n int, lo, hi float32){AVX2: clampBackwardAVX2, AVX512: clampBackwardAVX512}
)

// activate is activateGeneric on the active instruction set.
func activate(act Act, y, x []float32) {
	y = y[:len(x)]
	if act == ActNone || active == Generic {
		activateGeneric(act, y, x)
		return
	}
	raceRead(x)
	raceWrite(y)
	if lo, hi, ok := act.clampBounds(); ok {
		clampToKernels[active](unsafe.SliceData(y), unsafe.SliceData(x), len(x), lo, hi)
		return
	}
	curves[active][act].forward(unsafe.SliceData(y), unsafe.SliceData(x), len(x))
}

// activateBackward is activateBackwardGeneric on the active instruction set.
func activateBackward(act Act, dx, dy, x []float32) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	if act == ActNone || active == Generic {
		activateBackwardGeneric(act, dx, dy, x)
		return
	}
	raceRead(dy)
	raceRead(x)
	raceWrite(dx)
	if lo, hi, ok := act.clampBounds(); ok {
		clampBackwardKernels[active](unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), len(x), lo, hi)
		return
	}
	curves[active][act].backward(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), len(x))
}

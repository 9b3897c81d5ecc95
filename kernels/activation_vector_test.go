package kernels

import (
	"math"
	"slices"
	"testing"
)

func TestActivationLoops(t *testing.T) { checkVectorKernels(t, activationKernels()) }

func FuzzActivationLoops(f *testing.F) { fuzzVectorKernels(f, activationKernels()) }

func activationKernels() (kernels []vectorKernel) {
	type operands = [][]float32
	for act := ActReLU; act <= ActTanh; act++ {
		kernels = append(kernels,
			newVectorKernel(act.String(), []extent{tensor}, []extent{tensor},
				func(x operands, _ int) { activate(act, x[0], x[1]) },
				func(x operands, _ int) { activateGeneric(act, x[0], x[1]) }),
			newVectorKernel(act.String()+" backward", []extent{tensor}, []extent{tensor, tensor},
				func(x operands, _ int) { activateBackward(act, x[0], x[1], x[2]) },
				func(x operands, _ int) { activateBackwardGeneric(act, x[0], x[1], x[2]) }))
	}
	return kernels
}

func TestActivationAccuracy(t *testing.T) {
	// Errors in units in the last place over all of float32's range. Below 2⁻¹¹⁸ factors are subnormal, and a slope passes
	// through 0: there the unit is that of 2⁻¹¹⁸ and of 1/8.
	tests := []struct {
		act          Act
		value, slope float64
	}{
		{ActSiLU, 4, 4}, {ActGELU, 4, 4}, {ActSigmoid, 4, 4},
		{ActHardSigmoid, 2, 1}, {ActHardSwish, 3, 2}, {ActTanh, 4, 4},
	}
	forEachISA(t, func(t *testing.T) {
		const stride = 5003
		x, one := make([]float32, 0, 1<<32/stride), slices.Repeat([]float32{1}, 1<<32/stride)
		for b := uint64(0); b < 1<<32; b += stride {
			if v := math.Float32frombits(uint32(b)); v == v && !math.IsInf(float64(v), 0) {
				x = append(x, v)
			}
		}
		y := make([]float32, len(x))
		for _, test := range tests {
			activate(test.act, y, x)
			worst, at := 0.0, float32(0)
			for i, v := range x {
				if e := ulps(y[i], test.act.Eval(float64(v)), 0x1p-118); e > worst {
					worst, at = e, v
				}
			}
			t.Logf("%s: %.2f ulp at %g", test.act, worst, at)
			if worst > test.value {
				t.Errorf("%s(%g) is off by %.1f ulp, want at most %g", test.act, at, worst, test.value)
			}
			activateBackward(test.act, y, one[:len(x)], x)
			worst, at = 0, 0
			for i, v := range x {
				if e := ulps(y[i], test.act.Slope(float64(v)), 0.125); e > worst {
					worst, at = e, v
				}
			}
			t.Logf("%s': %.2f ulp at %g", test.act, worst, at)
			if worst > test.slope {
				t.Errorf("%s'(%g) is off by %.1f ulp, want at most %g", test.act, at, worst, test.slope)
			}
		}
	})
}

// ulps returns the error of got in units in the last place of want, or of floor if that is larger.
func ulps(got float32, want, floor float64) float64 {
	_, exponent := math.Frexp(max(math.Abs(want), floor))
	return math.Abs(float64(got)-want) / math.Ldexp(1, exponent-24)
}

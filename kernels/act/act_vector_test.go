package act

import (
	"math"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

func TestActivationLoops(t *testing.T) { kerneltest.CheckVectors(t, activationKernels()) }

func FuzzActivationLoops(f *testing.F) { kerneltest.FuzzVectors(f, activationKernels()) }

func activationKernels() (kernels []kerneltest.Vector) {
	const tensor = kerneltest.Tensor
	type (
		operands = [][]float32
		extents  = []kerneltest.Extent
	)
	for kind := ReLU; kind <= Tanh; kind++ {
		kernels = append(kernels,
			kerneltest.NewVector(kind.String(), extents{tensor}, extents{tensor},
				func(x operands, _ int) { Apply(kind, x[0], x[1]) },
				func(x operands, _ int) { applyGeneric(kind, x[0], x[1]) }),
			kerneltest.NewVector(kind.String()+" backward", extents{tensor}, extents{tensor, tensor},
				func(x operands, _ int) { Backward(kind, x[0], x[1], x[2]) },
				func(x operands, _ int) { backwardGeneric(kind, x[0], x[1], x[2]) }))
	}
	return kernels
}

func TestActivationAccuracy(t *testing.T) {
	// Errors in units in the last place over all of float32's range. Below 2⁻¹¹⁸ factors are subnormal, and a slope
	// passes through 0: there the unit is that of 2⁻¹¹⁸ and of 1/8.
	tests := []struct {
		kind         Kind
		value, slope float64
	}{
		{SiLU, 4, 4}, {GELU, 4, 4}, {Sigmoid, 4, 4},
		{HardSigmoid, 2, 1}, {HardSwish, 3, 2}, {Tanh, 4, 4},
	}
	kerneltest.ForEachISA(t, func(t *testing.T) {
		const stride = 5003
		x, one := make([]float32, 0, 1<<32/stride), slices.Repeat([]float32{1}, 1<<32/stride)
		for b := uint64(0); b < 1<<32; b += stride {
			if v := math.Float32frombits(uint32(b)); v == v && !math.IsInf(float64(v), 0) {
				x = append(x, v)
			}
		}
		y := make([]float32, len(x))
		for _, test := range tests {
			Apply(test.kind, y, x)
			worst, at := 0.0, float32(0)
			for i, v := range x {
				if e := ulps(y[i], test.kind.Eval(float64(v)), 0x1p-118); e > worst {
					worst, at = e, v
				}
			}
			t.Logf("%s: %.2f ulp at %g", test.kind, worst, at)
			if worst > test.value {
				t.Errorf("%s(%g) is off by %.1f ulp, want at most %g", test.kind, at, worst, test.value)
			}
			Backward(test.kind, y, one[:len(x)], x)
			worst, at = 0, 0
			for i, v := range x {
				if e := ulps(y[i], test.kind.Slope(float64(v)), 0.125); e > worst {
					worst, at = e, v
				}
			}
			t.Logf("%s': %.2f ulp at %g", test.kind, worst, at)
			if worst > test.slope {
				t.Errorf("%s'(%g) is off by %.1f ulp, want at most %g", test.kind, at, worst, test.slope)
			}
		}
	})
}

// ulps returns the error of got in units in the last place of want, or of floor if that is larger.
func ulps(got float32, want, floor float64) float64 {
	_, exponent := math.Frexp(max(math.Abs(want), floor))
	return math.Abs(float64(got)-want) / math.Ldexp(1, exponent-24)
}

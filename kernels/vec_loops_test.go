package kernels

import (
	"math"
	"testing"
)

func TestLoops(t *testing.T) { checkVectorKernels(t, loopKernels()) }

func FuzzLoops(f *testing.F) { fuzzVectorKernels(f, loopKernels()) }

// loopKernels are the loops that several families use.
func loopKernels() []vectorKernel {
	const lo, hi = -0.5, 1.25
	type operands = [][]float32
	return []vectorKernel{
		newVectorKernel("addClamp", []extent{tensor}, []extent{tensor, tensor},
			func(x operands, _ int) { addClamp(x[0], x[1], x[2], lo, hi, false) },
			func(x operands, _ int) { addClampGeneric(x[0], x[1], x[2], lo, hi) }),
		newVectorKernel("mul", []extent{tensor}, []extent{tensor, tensor},
			func(x operands, _ int) { mul(x[0], x[1], x[2]) },
			func(x operands, _ int) { mulGeneric(x[0], x[1], x[2]) }),
		newVectorKernel("scale", []extent{tensor}, []extent{tensor},
			func(x operands, _ int) { scale(x[0], x[1], 0.3) },
			func(x operands, _ int) { scaleGeneric(x[0], x[1], 0.3) }),
		newVectorKernel("addScaled", []extent{tensor}, []extent{tensor, tensor},
			func(x operands, _ int) { addScaled(x[0], x[1], x[2], 0.3) },
			func(x operands, _ int) { addScaledGeneric(x[0], x[1], x[2], 0.3) }),
		newVectorKernel("sumChannels", []extent{channels}, []extent{tensor},
			func(x operands, rows int) { sumChannels(x[0], x[1], rows) },
			func(x operands, rows int) { sumChannelsGeneric(x[0], x[1], rows) }),
		newVectorKernel("scaleRows", []extent{tensor}, []extent{tensor, channels},
			func(x operands, rows int) { scaleRows(x[0], x[1], x[2], rows, false) },
			func(x operands, rows int) { scaleRowsGeneric(x[0], x[1], x[2], rows) }),
		newVectorKernel("scaleShiftRows", []extent{tensor}, []extent{tensor, channels, channels},
			func(x operands, rows int) { scaleShiftRows(x[0], x[1], x[2], x[3], rows) },
			func(x operands, rows int) { scaleShiftRowsGeneric(x[0], x[1], x[2], x[3], rows) }),
		newVectorKernel("gateSums", []extent{channels}, []extent{tensor, tensor},
			func(x operands, rows int) { gateSums(x[0], x[1], x[2], rows) },
			func(x operands, rows int) { gateSumsGeneric(x[0], x[1], x[2], rows) }),
		newVectorKernel("gateRows", []extent{tensor, channels}, []extent{tensor, tensor, channels},
			func(x operands, rows int) { gateRows(x[0], x[1], x[2], x[3], x[4], rows) },
			func(x operands, rows int) { gateRowsGeneric(x[0], x[1], x[2], x[3], x[4], rows) }),
	}
}

func TestAddFloat64(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		rng := newRand()
		for n := range 40 {
			src, _ := fenced(rng, n, n%3 == 0)
			got := make([]float64, n+2)
			for i := range got {
				got[i] = rng.NormFloat64()
			}
			want := append([]float64(nil), got...)
			addFloat64(got[1:n+1], src)
			addFloat64Generic(want[1:n+1], src)
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("%d values: [%d] = %g, want %g", n, i-1, got[i], want[i])
				}
			}
		}
	})
}

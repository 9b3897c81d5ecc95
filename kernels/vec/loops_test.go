package vec

import (
	"math"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

func TestLoops(t *testing.T) { kerneltest.CheckVectors(t, loopKernels()) }

func FuzzLoops(f *testing.F) { kerneltest.FuzzVectors(f, loopKernels()) }

// loopKernels are the loops that several families use.
func loopKernels() []kerneltest.Vector {
	const lo, hi = -0.5, 1.25
	const tensor, channels = kerneltest.Tensor, kerneltest.Channels
	type (
		operands = [][]float32
		extents  = []kerneltest.Extent
	)
	return []kerneltest.Vector{
		kerneltest.NewVector("addClamp", extents{tensor}, extents{tensor, tensor},
			func(x operands, _ int) { AddClamp(x[0], x[1], x[2], lo, hi, false) },
			func(x operands, _ int) { addClampGeneric(x[0], x[1], x[2], lo, hi) }),
		kerneltest.NewVector("mul", extents{tensor}, extents{tensor, tensor},
			func(x operands, _ int) { Mul(x[0], x[1], x[2]) },
			func(x operands, _ int) { mulGeneric(x[0], x[1], x[2]) }),
		kerneltest.NewVector("scale", extents{tensor}, extents{tensor},
			func(x operands, _ int) { Scale(x[0], x[1], 0.3) },
			func(x operands, _ int) { scaleGeneric(x[0], x[1], 0.3) }),
		kerneltest.NewVector("addScaled", extents{tensor}, extents{tensor, tensor},
			func(x operands, _ int) { AddScaled(x[0], x[1], x[2], 0.3) },
			func(x operands, _ int) { addScaledGeneric(x[0], x[1], x[2], 0.3) }),
		kerneltest.NewVector("sumChannels", extents{channels}, extents{tensor},
			func(x operands, rows int) { SumChannels(x[0], x[1], rows) },
			func(x operands, rows int) { sumChannelsGeneric(x[0], x[1], rows) }),
		kerneltest.NewVector("scaleRows", extents{tensor}, extents{tensor, channels},
			func(x operands, rows int) { ScaleRows(x[0], x[1], x[2], rows, false) },
			func(x operands, rows int) { scaleRowsGeneric(x[0], x[1], x[2], rows) }),
		kerneltest.NewVector("scaleShiftRows", extents{tensor}, extents{tensor, channels, channels},
			func(x operands, rows int) { ScaleShiftRows(x[0], x[1], x[2], x[3], rows) },
			func(x operands, rows int) { scaleShiftRowsGeneric(x[0], x[1], x[2], x[3], rows) }),
		kerneltest.NewVector("gateSums", extents{channels}, extents{tensor, tensor},
			func(x operands, rows int) { GateSums(x[0], x[1], x[2], rows) },
			func(x operands, rows int) { gateSumsGeneric(x[0], x[1], x[2], rows) }),
		kerneltest.NewVector("gateRows", extents{tensor, channels}, extents{tensor, tensor, channels},
			func(x operands, rows int) { GateRows(x[0], x[1], x[2], x[3], x[4], rows) },
			func(x operands, rows int) { gateRowsGeneric(x[0], x[1], x[2], x[3], x[4], rows) }),
	}
}

func TestAddRowsFloat64(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		rng := kerneltest.NewRand()
		for n := range 40 {
			rows, row := n%4, n+n%3
			src, _ := kerneltest.Fenced(rng, max(0, (rows-1)*row+n), n%3 == 0)
			got := make([]float64, n+2)
			for i := range got {
				got[i] = rng.NormFloat64()
			}
			want := append([]float64(nil), got...)
			AddRowsFloat64(got[1:n+1], src, row, rows)
			addRowsFloat64Generic(want[1:n+1], src, row, rows)
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("%d rows of %d values: [%d] = %g, want %g", rows, n, i-1, got[i], want[i])
				}
			}
		}
	})
}

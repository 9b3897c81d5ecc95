package norm

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
)

func TestNormLoops(t *testing.T) { kerneltest.CheckVectors(t, normKernels()) }

func FuzzNormLoops(f *testing.F) { kerneltest.FuzzVectors(f, normKernels()) }

// normKernels are the passes of batch and layer norm.
func normKernels() []kerneltest.Vector {
	const lo, hi = -0.5, 1.25
	const tensor, apart, channels, perRow = kerneltest.Tensor, kerneltest.Apart, kerneltest.Channels, kerneltest.PerRow
	type (
		operands = [][]float32
		extents  = []kerneltest.Extent
	)
	kernels := []kerneltest.Vector{
		kerneltest.NewVector("batchNormSums", extents{channels, channels}, extents{tensor, channels},
			func(x operands, rows int) { batchNormSums(x[0], x[1], x[2], x[3], rows) },
			func(x operands, rows int) { batchNormSumsGeneric(x[0], x[1], x[2], x[3], rows) }),
		kerneltest.NewVector("batchNormClampGradRows", extents{tensor},
			extents{tensor, tensor, channels, channels, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, lo, hi)
			},
			func(x operands, rows int) {
				batchNormClampGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, lo, hi)
			}),
		kerneltest.NewVector("layerNormRows", extents{tensor, perRow, perRow}, extents{tensor, channels, channels},
			func(x operands, _ int) { layerNormRows(x[0], x[3], x[4], x[5], x[1], x[2], 0.1) },
			func(x operands, _ int) { layerNormRowsGeneric(x[0], x[3], x[4], x[5], x[1], x[2], 0.1) }),
		kerneltest.NewVector("layerNormGradRows", extents{tensor, channels, channels},
			extents{tensor, tensor, perRow, perRow, channels},
			func(x operands, _ int) { layerNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], nil) },
			func(x operands, _ int) { layerNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], nil) }),
		kerneltest.NewVector("layerNormGradRows and add", extents{tensor, channels, channels},
			extents{tensor, tensor, perRow, perRow, channels, tensor},
			func(x operands, _ int) { layerNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]) },
			func(x operands, _ int) {
				layerNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8])
			}),
	}
	kernels = append(kernels, batchNormPasses(tensor, 0)...)
	kernels = append(kernels, batchNormPasses(apart, kerneltest.RowGap)...)
	for _, kind := range []act.Kind{act.ReLU6, act.SiLU, act.HardSwish} {
		kernels = append(kernels, kerneltest.NewVector("batchNormSumRows "+kind.String(), extents{tensor, channels},
			extents{tensor, channels, channels, channels},
			func(x operands, rows int) { batchNormSumRows(kind, x[0], x[1], x[2], x[3], x[4], x[5], rows, false) },
			func(x operands, rows int) { batchNormSumRowsGeneric(kind, x[0], x[1], x[2], x[3], x[4], x[5], rows) }))
		kernels = append(kernels, kerneltest.NewVector("batchNormGatedGradSums "+kind.String(),
			extents{tensor, channels, channels},
			extents{tensor, tensor, channels, channels, channels, channels, channels},
			func(x operands, rows int) {
				batchNormGatedGradSums(kind, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], rows)
			},
			func(x operands, rows int) {
				batchNormGatedGradSumsGeneric(kind, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], rows)
			}))
	}
	for kind := act.ReLU; kind <= act.Tanh; kind++ {
		if hasNormCurve(kind) {
			kernels = append(kernels,
				kerneltest.NewVector("batchNormCurveRows "+kind.String(), extents{tensor},
					extents{tensor, channels, channels, channels},
					func(x operands, rows int) { batchNormCurveRows(kind, x[0], x[1], x[2], x[3], x[4], rows, false) },
					func(x operands, rows int) { batchNormCurveRowsGeneric(kind, x[0], x[1], x[2], x[3], x[4], rows) }),
				kerneltest.NewVector("batchNormCurveGradSums "+kind.String(), extents{tensor, channels, channels},
					extents{tensor, tensor, channels, channels, channels},
					func(x operands, rows int) {
						batchNormCurveGradSums(kind, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, false)
					},
					func(x operands, rows int) {
						batchNormCurveGradSumsGeneric(kind, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows)
					}))
		}
	}
	return kernels
}

// batchNormPasses returns the passes of batch norm between x and some columns of a larger y: there are gap values
// between the rows of y, and between those of its gradient. The extent apart is of rows with such gaps.
func batchNormPasses(apart kerneltest.Extent, gap int) []kerneltest.Vector {
	const lo, hi = -0.5, 1.25
	const tensor, channels = kerneltest.Tensor, kerneltest.Channels
	type (
		operands = [][]float32
		extents  = []kerneltest.Extent
	)
	kernels := []kerneltest.Vector{
		kerneltest.NewVector("batchNormGradSums", extents{channels, channels}, extents{apart, tensor, channels},
			func(x operands, rows int) { batchNormGradSums(x[0], x[1], x[2], x[3], x[4], rows, len(x[4])+gap) },
			func(x operands, rows int) {
				batchNormGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], rows, len(x[4])+gap)
			}),
		kerneltest.NewVector("batchNormGradRows", extents{apart},
			extents{apart, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				row := len(x[3]) + gap
				batchNormGradRows(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, row, row, false)
			},
			func(x operands, rows int) {
				row := len(x[3]) + gap
				batchNormGradRowsGeneric(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, row, row)
			}),
		kerneltest.NewVector("batchNormGradRows, dx together", extents{tensor},
			extents{apart, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				c := len(x[3])
				batchNormGradRows(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, c, c+gap, false)
			},
			func(x operands, rows int) {
				c := len(x[3])
				batchNormGradRowsGeneric(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, c, c+gap)
			}),
		kerneltest.NewVector("batchNormGradRows and add", extents{apart},
			extents{apart, tensor, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				row := len(x[4]) + gap
				batchNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, row, row, false)
			},
			func(x operands, rows int) {
				row := len(x[4]) + gap
				batchNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, row, row)
			}),
		kerneltest.NewVector("batchNormRows", extents{apart}, extents{tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormRows(x[0], x[1], nil, x[2], x[3], x[4], rows, len(x[2])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormRowsGeneric(x[0], x[1], nil, x[2], x[3], x[4], rows, len(x[2])+gap, lo, hi)
			}),
		kerneltest.NewVector("batchNormRows and add", extents{apart},
			extents{tensor, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormRows(x[0], x[1], x[2], x[3], x[4], x[5], rows, len(x[3])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], rows, len(x[3])+gap, lo, hi)
			}),
		kerneltest.NewVector("batchNormClampGradSums", extents{channels, channels},
			extents{apart, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(nil, x[0], x[1], x[2], x[3], nil, x[4], x[5], x[6], rows, len(x[4])+gap, lo, hi,
					false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(nil, x[0], x[1], x[2], x[3], nil, x[4], x[5], x[6], rows, len(x[4])+gap,
					lo, hi)
			}),
		kerneltest.NewVector("batchNormClampGradSums, kept", extents{apart, channels, channels},
			extents{apart, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(x[0], x[1], x[2], x[3], x[4], nil, x[5], x[6], x[7], rows, len(x[5])+gap, lo, hi,
					false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], nil, x[5], x[6], x[7], rows, len(x[5])+gap,
					lo, hi)
			}),
		kerneltest.NewVector("batchNormClampGradSums and add", extents{apart, channels, channels},
			extents{apart, tensor, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], rows, len(x[6])+gap, lo,
					hi, false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], rows, len(x[6])+gap,
					lo, hi)
			}),
	}
	if gap > 0 {
		for i := range kernels {
			kernels[i].Name += ", rows apart"
		}
	}
	return kernels
}

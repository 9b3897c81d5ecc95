package kernels

import "testing"

func TestNormLoops(t *testing.T) { checkVectorKernels(t, normKernels()) }

func FuzzNormLoops(f *testing.F) { fuzzVectorKernels(f, normKernels()) }

// normKernels are the passes of batch and layer norm.
func normKernels() []vectorKernel {
	const lo, hi = -0.5, 1.25
	type operands = [][]float32
	kernels := []vectorKernel{
		newVectorKernel("batchNormSums", []extent{channels, channels}, []extent{tensor, channels},
			func(x operands, rows int) { batchNormSums(x[0], x[1], x[2], x[3], rows) },
			func(x operands, rows int) { batchNormSumsGeneric(x[0], x[1], x[2], x[3], rows) }),
		newVectorKernel("batchNormClampGradRows", []extent{tensor},
			[]extent{tensor, tensor, channels, channels, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, lo, hi)
			},
			func(x operands, rows int) {
				batchNormClampGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, lo, hi)
			}),
		newVectorKernel("layerNormRows", []extent{tensor, perRow, perRow}, []extent{tensor, channels, channels},
			func(x operands, _ int) { layerNormRows(x[0], x[3], x[4], x[5], x[1], x[2], 0.1) },
			func(x operands, _ int) { layerNormRowsGeneric(x[0], x[3], x[4], x[5], x[1], x[2], 0.1) }),
		newVectorKernel("layerNormGradRows", []extent{tensor, channels, channels},
			[]extent{tensor, tensor, perRow, perRow, channels},
			func(x operands, _ int) { layerNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], nil) },
			func(x operands, _ int) { layerNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], nil) }),
		newVectorKernel("layerNormGradRows and add", []extent{tensor, channels, channels},
			[]extent{tensor, tensor, perRow, perRow, channels, tensor},
			func(x operands, _ int) { layerNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]) },
			func(x operands, _ int) {
				layerNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8])
			}),
	}
	kernels = append(kernels, batchNormPasses(tensor, 0)...)
	kernels = append(kernels, batchNormPasses(apart, rowGap)...)
	for _, act := range []Act{ActReLU6, ActSiLU, ActHardSwish} {
		kernels = append(kernels, newVectorKernel("batchNormSumRows "+act.String(), []extent{tensor, channels},
			[]extent{tensor, channels, channels, channels},
			func(x operands, rows int) { batchNormSumRows(act, x[0], x[1], x[2], x[3], x[4], x[5], rows, false) },
			func(x operands, rows int) { batchNormSumRowsGeneric(act, x[0], x[1], x[2], x[3], x[4], x[5], rows) }))
		kernels = append(kernels, newVectorKernel("batchNormGatedGradSums "+act.String(),
			[]extent{tensor, channels, channels}, []extent{tensor, tensor, channels, channels, channels, channels,
				channels},
			func(x operands, rows int) {
				batchNormGatedGradSums(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], rows)
			},
			func(x operands, rows int) {
				batchNormGatedGradSumsGeneric(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], rows)
			}))
	}
	for act := ActReLU; act <= ActTanh; act++ {
		if hasNormCurve(act) {
			kernels = append(kernels,
				newVectorKernel("batchNormCurveRows "+act.String(), []extent{tensor},
					[]extent{tensor, channels, channels, channels},
					func(x operands, rows int) { batchNormCurveRows(act, x[0], x[1], x[2], x[3], x[4], rows, false) },
					func(x operands, rows int) { batchNormCurveRowsGeneric(act, x[0], x[1], x[2], x[3], x[4], rows) }),
				newVectorKernel("batchNormCurveGradSums "+act.String(), []extent{tensor, channels, channels},
					[]extent{tensor, tensor, channels, channels, channels},
					func(x operands, rows int) {
						batchNormCurveGradSums(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, false)
					},
					func(x operands, rows int) {
						batchNormCurveGradSumsGeneric(act, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows)
					}))
		}
	}
	return kernels
}

// batchNormPasses returns the passes of batch norm between x and a y of which it makes some columns: rows of y and of
// its gradient lie gap values apart, which is the extent apart.
func batchNormPasses(apart extent, gap int) []vectorKernel {
	const lo, hi = -0.5, 1.25
	type operands = [][]float32
	kernels := []vectorKernel{
		newVectorKernel("batchNormGradSums", []extent{channels, channels}, []extent{apart, tensor, channels},
			func(x operands, rows int) { batchNormGradSums(x[0], x[1], x[2], x[3], x[4], rows, len(x[4])+gap) },
			func(x operands, rows int) {
				batchNormGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], rows, len(x[4])+gap)
			}),
		newVectorKernel("batchNormGradRows", []extent{apart},
			[]extent{apart, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				row := len(x[3]) + gap
				batchNormGradRows(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, row, row, false)
			},
			func(x operands, rows int) {
				row := len(x[3]) + gap
				batchNormGradRowsGeneric(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, row, row)
			}),
		newVectorKernel("batchNormGradRows, dx together", []extent{tensor},
			[]extent{apart, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				c := len(x[3])
				batchNormGradRows(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, c, c+gap, false)
			},
			func(x operands, rows int) {
				c := len(x[3])
				batchNormGradRowsGeneric(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, c, c+gap)
			}),
		newVectorKernel("batchNormGradRows and add", []extent{apart},
			[]extent{apart, tensor, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				row := len(x[4]) + gap
				batchNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, row, row, false)
			},
			func(x operands, rows int) {
				row := len(x[4]) + gap
				batchNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, row, row)
			}),
		newVectorKernel("batchNormRows", []extent{apart}, []extent{tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormRows(x[0], x[1], nil, x[2], x[3], x[4], rows, len(x[2])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormRowsGeneric(x[0], x[1], nil, x[2], x[3], x[4], rows, len(x[2])+gap, lo, hi)
			}),
		newVectorKernel("batchNormRows and add", []extent{apart},
			[]extent{tensor, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormRows(x[0], x[1], x[2], x[3], x[4], x[5], rows, len(x[3])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], rows, len(x[3])+gap, lo, hi)
			}),
		newVectorKernel("batchNormClampGradSums", []extent{channels, channels},
			[]extent{apart, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(nil, x[0], x[1], x[2], x[3], nil, x[4], x[5], x[6], rows, len(x[4])+gap, lo, hi,
					false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(nil, x[0], x[1], x[2], x[3], nil, x[4], x[5], x[6], rows, len(x[4])+gap,
					lo, hi)
			}),
		newVectorKernel("batchNormClampGradSums, kept", []extent{apart, channels, channels},
			[]extent{apart, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(x[0], x[1], x[2], x[3], x[4], nil, x[5], x[6], x[7], rows, len(x[5])+gap, lo, hi,
					false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], nil, x[5], x[6], x[7], rows, len(x[5])+gap,
					lo, hi)
			}),
		newVectorKernel("batchNormClampGradSums and add", []extent{apart, channels, channels},
			[]extent{apart, tensor, tensor, channels, channels, channels},
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
			kernels[i].name += ", rows apart"
		}
	}
	return kernels
}

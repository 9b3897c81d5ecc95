package kernels

// batchNormKernels returns the passes of batch norm between x and a y of which it makes some columns: rows of y and of its
// gradient lie gap values apart, which is the extent apart.
func batchNormKernels(apart extent, gap int) []vectorKernel {
	const lo, hi = -0.5, 1.25
	type operands = [][]float32
	kernels := []vectorKernel{
		{"batchNormGradSums", []extent{channels, channels}, []extent{apart, tensor, channels},
			func(x operands, rows int) { batchNormGradSums(x[0], x[1], x[2], x[3], x[4], rows, len(x[4])+gap) },
			func(x operands, rows int) {
				batchNormGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], rows, len(x[4])+gap)
			}},
		{"batchNormGradRows", []extent{apart}, []extent{apart, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				row := len(x[3]) + gap
				batchNormGradRows(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, row, row, false)
			},
			func(x operands, rows int) {
				row := len(x[3]) + gap
				batchNormGradRowsGeneric(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, row, row)
			}},
		{"batchNormGradRows, dx together", []extent{tensor}, []extent{apart, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				c := len(x[3])
				batchNormGradRows(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, c, c+gap, false)
			},
			func(x operands, rows int) {
				c := len(x[3])
				batchNormGradRowsGeneric(x[0], x[1], x[2], nil, x[3], x[4], x[5], x[6], rows, c, c+gap)
			}},
		{"batchNormGradRows and add", []extent{apart}, []extent{apart, tensor, tensor, channels, channels, channels, channels},
			func(x operands, rows int) {
				row := len(x[4]) + gap
				batchNormGradRows(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, row, row, false)
			},
			func(x operands, rows int) {
				row := len(x[4]) + gap
				batchNormGradRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], rows, row, row)
			}},
		{"batchNormRows", []extent{apart}, []extent{tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormRows(x[0], x[1], nil, x[2], x[3], x[4], rows, len(x[2])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormRowsGeneric(x[0], x[1], nil, x[2], x[3], x[4], rows, len(x[2])+gap, lo, hi)
			}},
		{"batchNormRows and add", []extent{apart}, []extent{tensor, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormRows(x[0], x[1], x[2], x[3], x[4], x[5], rows, len(x[3])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormRowsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], rows, len(x[3])+gap, lo, hi)
			}},
		{"batchNormClampGradSums", []extent{channels, channels}, []extent{apart, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(nil, x[0], x[1], x[2], x[3], nil, x[4], x[5], x[6], rows, len(x[4])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(nil, x[0], x[1], x[2], x[3], nil, x[4], x[5], x[6], rows, len(x[4])+gap, lo, hi)
			}},
		{"batchNormClampGradSums, kept", []extent{apart, channels, channels}, []extent{apart, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(x[0], x[1], x[2], x[3], x[4], nil, x[5], x[6], x[7], rows, len(x[5])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], nil, x[5], x[6], x[7], rows, len(x[5])+gap, lo, hi)
			}},
		{"batchNormClampGradSums and add", []extent{apart, channels, channels}, []extent{apart, tensor, tensor, channels, channels, channels},
			func(x operands, rows int) {
				batchNormClampGradSums(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], rows, len(x[6])+gap, lo, hi, false)
			},
			func(x operands, rows int) {
				batchNormClampGradSumsGeneric(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], rows, len(x[6])+gap, lo, hi)
			}},
	}
	if gap > 0 {
		for i := range kernels {
			kernels[i].name += ", rows apart"
		}
	}
	return kernels
}

package norm

import (
	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// extent returns the floats from the first to the last of some rows of c values that begin row floats apart.
func extent(rows, c, row int) int { return (rows-1)*row + c }

// gapBytes returns the bytes between such rows.
func gapBytes(c, row int) int { return 4 * (row - c) }

// By instruction set; nil for the portable loop.
var batchNormSumsKernels = [...]func(sum, square, x, shift *float32, rows, c int){
	isa.AVX2: batchNormSumsAVX2, isa.AVX512: batchNormSumsAVX512,
}

// batchNormSums is batchNormSumsGeneric on the active instruction set.
func batchNormSums(sum, square, x, shift []float32, rows int) {
	kernel := batchNormSumsKernels[isa.Active()]
	if kernel == nil {
		batchNormSumsGeneric(sum, square, x, shift, rows)
		return
	}
	c := len(shift)
	if rows*c == 0 {
		return
	}
	kernel(mem.Writes(sum, c), mem.Writes(square, c), mem.Reads(x, rows*c), mem.Reads(shift, c), rows, c)
}

// By whether y is stored past the caches, and by instruction set; nil for the portable loop.
var (
	batchNormRowsKernels = [2][3]func(y, x, mean, scale, beta *float32, rows, c, yGap int, lo, hi float32){
		{isa.AVX2: batchNormRowsAVX2, isa.AVX512: batchNormRowsAVX512},
		{isa.AVX2: batchNormStreamRowsAVX2, isa.AVX512: batchNormStreamRowsAVX512},
	}
	batchNormAddRowsKernels = [2][3]func(y, x, add, mean, scale, beta *float32, rows, c, yGap int, lo, hi float32){
		{isa.AVX2: batchNormAddRowsAVX2, isa.AVX512: batchNormAddRowsAVX512},
		{isa.AVX2: batchNormAddStreamRowsAVX2, isa.AVX512: batchNormAddStreamRowsAVX512},
	}
	batchNormSumRowsKernels = [2][3]func(y, sum, x, mean, scale, beta *float32, rows, c int, lo, hi float32){
		{isa.AVX2: batchNormSumRowsAVX2, isa.AVX512: batchNormSumRowsAVX512},
		{isa.AVX2: batchNormStreamSumRowsAVX2, isa.AVX512: batchNormStreamSumRowsAVX512},
	}
)

// batchNormRows is batchNormRowsGeneric on the active instruction set. With stream, y is stored past the caches; see
// [mem.Streams].
func batchNormRows(y, x, add, mean, scale, beta []float32, rows, yRow int, lo, hi float32, stream bool) {
	past := mem.StreamIndex(stream)
	kernel := batchNormRowsKernels[past][isa.Active()]
	if kernel == nil {
		batchNormRowsGeneric(y, x, add, mean, scale, beta, rows, yRow, lo, hi)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	n, gap := rows*c, gapBytes(c, yRow)
	to := mem.Writes(y, extent(rows, c, yRow))
	if add == nil {
		kernel(to, mem.Reads(x, n), mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(beta, c), rows, c, gap, lo, hi)
		return
	}
	batchNormAddRowsKernels[past][isa.Active()](to, mem.Reads(x, n), mem.Reads(add, n),
		mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(beta, c), rows, c, gap, lo, hi)
}

// The assembly of batch norm's passes with an activation that is not a clamp.
type (
	curveRowsKernel     func(y, x, mean, scale, beta *float32, rows, c int)
	curveSumRowsKernel  func(y, sum, x, mean, scale, beta *float32, rows, c int)
	curveGradSumsKernel func(grad, sumG, sumGX, dy, x, mean, scale, beta *float32, rows, c int)
	curveGatedKernel    func(grad, sumG, sumGX, dy, x, gate, shift, mean, scale, beta *float32, rows, c int)
)

// normCurve holds them by whether results are stored past the caches, and by instruction set; nil for the portable
// loop.
type normCurve struct {
	rows     [2][3]curveRowsKernel
	sumRows  [2][3]curveSumRowsKernel
	gradSums [2][3]curveGradSumsKernel
	gated    [3]curveGatedKernel
}

// normCurves are by activation; there are none for those that are computed after the batch norm.
var normCurves = [act.Tanh + 1]normCurve{
	act.SiLU: {
		rows: [2][3]curveRowsKernel{
			{isa.AVX2: batchNormSiluRowsAVX2, isa.AVX512: batchNormSiluRowsAVX512},
			{isa.AVX2: batchNormSiluStreamRowsAVX2, isa.AVX512: batchNormSiluStreamRowsAVX512},
		},
		sumRows: [2][3]curveSumRowsKernel{
			{isa.AVX2: batchNormSiluSumRowsAVX2, isa.AVX512: batchNormSiluSumRowsAVX512},
			{isa.AVX2: batchNormSiluStreamSumRowsAVX2, isa.AVX512: batchNormSiluStreamSumRowsAVX512},
		},
		gradSums: [2][3]curveGradSumsKernel{
			{isa.AVX2: batchNormSiluGradSumsAVX2, isa.AVX512: batchNormSiluGradSumsAVX512},
			{isa.AVX2: batchNormSiluStreamGradSumsAVX2, isa.AVX512: batchNormSiluStreamGradSumsAVX512},
		},
		gated: [3]curveGatedKernel{
			isa.AVX2: batchNormGatedSiluGradSumsAVX2, isa.AVX512: batchNormGatedSiluGradSumsAVX512,
		},
	},
	act.HardSwish: {
		rows: [2][3]curveRowsKernel{
			{isa.AVX2: batchNormHardSwishRowsAVX2, isa.AVX512: batchNormHardSwishRowsAVX512},
			{isa.AVX2: batchNormHardSwishStreamRowsAVX2, isa.AVX512: batchNormHardSwishStreamRowsAVX512},
		},
		sumRows: [2][3]curveSumRowsKernel{
			{isa.AVX2: batchNormHardSwishSumRowsAVX2, isa.AVX512: batchNormHardSwishSumRowsAVX512},
			{isa.AVX2: batchNormHardSwishStreamSumRowsAVX2, isa.AVX512: batchNormHardSwishStreamSumRowsAVX512},
		},
		gradSums: [2][3]curveGradSumsKernel{
			{isa.AVX2: batchNormHardSwishGradSumsAVX2, isa.AVX512: batchNormHardSwishGradSumsAVX512},
			{isa.AVX2: batchNormHardSwishStreamGradSumsAVX2, isa.AVX512: batchNormHardSwishStreamGradSumsAVX512},
		},
		gated: [3]curveGatedKernel{
			isa.AVX2: batchNormGatedHardSwishGradSumsAVX2, isa.AVX512: batchNormGatedHardSwishGradSumsAVX512,
		},
	},
}

// hasNormCurve reports whether batchNormCurveRows and batchNormCurveGradSums serve an activation.
func hasNormCurve(kind act.Kind) bool { return normCurves[kind].rows[0][isa.AVX2] != nil }

// batchNormCurveRows is batchNormCurveRowsGeneric on the active instruction set, stored as batchNormRows stores.
func batchNormCurveRows(kind act.Kind, y, x, mean, scale, beta []float32, rows int, stream bool) {
	kernel := normCurves[kind].rows[mem.StreamIndex(stream)][isa.Active()]
	if kernel == nil {
		batchNormCurveRowsGeneric(kind, y, x, mean, scale, beta, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	n := rows * c
	kernel(mem.Writes(y, n), mem.Reads(x, n), mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(beta, c), rows, c)
}

// batchNormSumRows is batchNormSumRowsGeneric on the active instruction set, for clamps and where hasNormCurve, stored
// as batchNormRows stores.
func batchNormSumRows(kind act.Kind, y, sum, x, mean, scale, beta []float32, rows int, stream bool) {
	past := mem.StreamIndex(stream)
	clamp := batchNormSumRowsKernels[past][isa.Active()]
	if clamp == nil {
		batchNormSumRowsGeneric(kind, y, sum, x, mean, scale, beta, rows)
		return
	}
	c := len(mean)
	if rows*c == 0 {
		return
	}
	n := rows * c
	if lo, hi, ok := kind.Bounds(); ok {
		clamp(mem.Writes(y, n), mem.Writes(sum, c), mem.Reads(x, n), mem.Reads(mean, c), mem.Reads(scale, c),
			mem.Reads(beta, c), rows, c, lo, hi)
		return
	}
	normCurves[kind].sumRows[past][isa.Active()](mem.Writes(y, n), mem.Writes(sum, c), mem.Reads(x, n),
		mem.Reads(mean, c), mem.Reads(scale, c), mem.Reads(beta, c), rows, c)
}

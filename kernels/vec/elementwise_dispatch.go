package vec

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By whether y is stored past the caches, and by instruction set; nil for the portable loop.
var addClampKernels = [2][3]func(y, a, b *float32, n int, lo, hi float32){
	{isa.AVX2: addClampAVX2, isa.AVX512: addClampAVX512},
	{isa.AVX2: addStreamClampAVX2, isa.AVX512: addStreamClampAVX512},
}

// AddClamp computes, for i < len(y),
//
//	y[i] = min(max(a[i] + b[i], lo), hi)
//
// With stream, y is stored past the caches; see [mem.Streams].
func AddClamp(y, a, b []float32, lo, hi float32, stream bool) {
	kernel := addClampKernels[mem.StreamIndex(stream)][isa.Active()]
	if kernel == nil {
		addClampGeneric(y, a, b, lo, hi)
		return
	}
	n := len(y)
	kernel(mem.Writes(y, n), mem.Reads(a, n), mem.Reads(b, n), n, lo, hi)
}

// By instruction set; nil for the portable loop.
var mulKernels = [...]func(y, a, b *float32, n int){isa.AVX2: mulAVX2, isa.AVX512: mulAVX512}

// Mul computes, for i < len(y),
//
//	y[i] = a[i] * b[i]
func Mul(y, a, b []float32) {
	kernel := mulKernels[isa.Active()]
	if kernel == nil {
		mulGeneric(y, a, b)
		return
	}
	n := len(y)
	kernel(mem.Writes(y, n), mem.Reads(a, n), mem.Reads(b, n), n)
}

var scaleKernels = [...]func(y, x *float32, n int, s float32){isa.AVX2: scaleAVX2, isa.AVX512: scaleAVX512}

// Scale computes, for i < len(y),
//
//	y[i] = s * x[i]
func Scale(y, x []float32, s float32) {
	kernel := scaleKernels[isa.Active()]
	if kernel == nil {
		scaleGeneric(y, x, s)
		return
	}
	n := len(y)
	kernel(mem.Writes(y, n), mem.Reads(x, n), n, s)
}

var addScaledKernels = [...]func(y, a, x *float32, n int, s float32){
	isa.AVX2: addScaledAVX2, isa.AVX512: addScaledAVX512,
}

// AddScaled computes, for i < len(y),
//
//	y[i] = a[i] + s*x[i]
func AddScaled(y, a, x []float32, s float32) {
	kernel := addScaledKernels[isa.Active()]
	if kernel == nil {
		addScaledGeneric(y, a, x, s)
		return
	}
	n := len(y)
	kernel(mem.Writes(y, n), mem.Reads(a, n), mem.Reads(x, n), n, s)
}

var addRowsFloat64Kernels = [...]struct {
	lanes int // float64 values in a vector
	add   func(dst *float64, src *float32, vectors, rows, row int)
}{isa.AVX2: {4, addRowsFloat64AVX2}, isa.AVX512: {8, addRowsFloat64AVX512}}

// AddFloat64 computes, for i < len(src),
//
//	dst[i] += src[i]
func AddFloat64(dst []float64, src []float32) { AddRowsFloat64(dst[:len(src)], src, len(src), 1) }

// AddRowsFloat64 adds up rows that lie row values apart: for r < rows and j < len(dst),
//
//	dst[j] += src[r*row + j]
func AddRowsFloat64(dst []float64, src []float32, row, rows int) {
	if len(dst)*rows == 0 {
		return
	}
	src = src[:(rows-1)*row+len(dst)]
	mem.RaceRead(src)
	if k := addRowsFloat64Kernels[isa.Active()]; k.add != nil && len(dst) >= k.lanes {
		vectors := len(dst) / k.lanes
		k.add(unsafe.SliceData(dst), unsafe.SliceData(src), vectors, rows, row)
		dst, src = dst[vectors*k.lanes:], src[vectors*k.lanes:]
	}
	addRowsFloat64Generic(dst, src, row, rows)
}

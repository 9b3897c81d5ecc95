package vec

import (
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By instruction set; nil for the portable loop.
var sumChannelsKernels = [...]func(sum, x *float32, rows, c int){
	isa.AVX2: sumChannelsAVX2, isa.AVX512: sumChannelsAVX512,
}

// SumChannels adds up rows of c = len(sum) values: for r < rows and j < c,
//
//	sum[j] += x[r*c + j]
func SumChannels(sum, x []float32, rows int) {
	kernel := sumChannelsKernels[isa.Active()]
	if kernel == nil {
		sumChannelsGeneric(sum, x, rows)
		return
	}
	c := len(sum)
	if rows*c == 0 {
		return
	}
	kernel(mem.Writes(sum, c), mem.Reads(x, rows*c), rows, c)
}

// By whether y is stored past the caches, and by instruction set; nil for the portable loop.
var scaleRowsKernels = [2][3]func(y, x, gate *float32, rows, c int){
	{isa.AVX2: scaleRowsAVX2, isa.AVX512: scaleRowsAVX512},
	{isa.AVX2: scaleStreamRowsAVX2, isa.AVX512: scaleStreamRowsAVX512},
}

// ScaleRows computes, for r < rows and j < c = len(g),
//
//	y[r*c + j] = x[r*c + j] * g[j]
//
// With stream, y is stored past the caches; see [mem.Streams].
func ScaleRows(y, x, g []float32, rows int, stream bool) {
	kernel := scaleRowsKernels[mem.StreamIndex(stream)][isa.Active()]
	if kernel == nil {
		scaleRowsGeneric(y, x, g, rows)
		return
	}
	c := len(g)
	if rows*c == 0 {
		return
	}
	kernel(mem.Writes(y, rows*c), mem.Reads(x, rows*c), mem.Reads(g, c), rows, c)
}

var scaleShiftRowsKernels = [...]func(y, x, gate, shift *float32, rows, c int){
	isa.AVX2: scaleShiftRowsAVX2, isa.AVX512: scaleShiftRowsAVX512,
}

// ScaleShiftRows computes, for r < rows and j < c = len(g),
//
//	y[r*c + j] = x[r*c + j]*g[j] + shift[j]
func ScaleShiftRows(y, x, g, shift []float32, rows int) {
	kernel := scaleShiftRowsKernels[isa.Active()]
	if kernel == nil {
		scaleShiftRowsGeneric(y, x, g, shift, rows)
		return
	}
	c := len(g)
	if rows*c == 0 {
		return
	}
	kernel(mem.Writes(y, rows*c), mem.Reads(x, rows*c), mem.Reads(g, c), mem.Reads(shift, c), rows, c)
}

var gateSumsKernels = [...]func(dg, dy, x *float32, rows, c int){isa.AVX2: gateSumsAVX2, isa.AVX512: gateSumsAVX512}

// GateSums adds up the gradient of a gate: for r < rows and j < c = len(dg),
//
//	dg[j] += dy[r*c + j] * x[r*c + j]
func GateSums(dg, dy, x []float32, rows int) {
	kernel := gateSumsKernels[isa.Active()]
	if kernel == nil {
		gateSumsGeneric(dg, dy, x, rows)
		return
	}
	c := len(dg)
	if rows*c == 0 {
		return
	}
	kernel(mem.Writes(dg, c), mem.Reads(dy, rows*c), mem.Reads(x, rows*c), rows, c)
}

var gateRowsKernels = [...]func(dx, dg, dy, x, gate *float32, rows, c int){
	isa.AVX2: gateRowsAVX2, isa.AVX512: gateRowsAVX512,
}

// GateRows computes both gradients of a gate: for r < rows and j < c = len(g),
//
//	dx[r*c + j] = dy[r*c + j] * g[j]
//	dg[j] += dy[r*c + j] * x[r*c + j]
func GateRows(dx, dg, dy, x, g []float32, rows int) {
	kernel := gateRowsKernels[isa.Active()]
	if kernel == nil {
		gateRowsGeneric(dx, dg, dy, x, g, rows)
		return
	}
	c := len(g)
	if rows*c == 0 {
		return
	}
	kernel(mem.Writes(dx, rows*c), mem.Writes(dg, c), mem.Reads(dy, rows*c), mem.Reads(x, rows*c), mem.Reads(g, c),
		rows, c)
}

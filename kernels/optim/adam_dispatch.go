package optim

import (
	"unsafe"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// By instruction set; nil for the portable loop.
var adamUpdateKernels = [...]func(w, grad, m, v, rule *float32, n int){
	isa.AVX2: adamUpdateAVX2, isa.AVX512: adamUpdateAVX512,
}

// adamUpdate is adamUpdateGeneric on the active instruction set.
func adamUpdate(w, g, m, v []float32, rule *adamRule) {
	kernel := adamUpdateKernels[isa.Active()]
	if kernel == nil {
		adamUpdateGeneric(w, g, m, v, rule)
		return
	}
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	mem.RaceRead(g)
	mem.RaceWrite(w)
	mem.RaceWrite(m)
	mem.RaceWrite(v)
	kernel(unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), &rule.gain1, len(w))
}

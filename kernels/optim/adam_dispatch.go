package optim

import (
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
	n := len(w)
	kernel(mem.Writes(w, n), mem.Reads(g, n), mem.Writes(m, n), mem.Writes(v, n), &rule.gain1, n)
}

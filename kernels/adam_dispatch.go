package kernels

import "unsafe"

var adamUpdateKernels = [...]func(w, grad, m, v, rule *float32, n int){AVX2: adamUpdateAVX2, AVX512: adamUpdateAVX512}

// adamUpdate is adamUpdateGeneric on the active instruction set.
func adamUpdate(w, g, m, v []float32, rule *adamRule) {
	kernel := adamUpdateKernels[active]
	if kernel == nil {
		adamUpdateGeneric(w, g, m, v, rule)
		return
	}
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	raceRead(g)
	raceWrite(w)
	raceWrite(m)
	raceWrite(v)
	kernel(unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), &rule.gain1, len(w))
}

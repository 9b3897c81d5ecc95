package kernels

// adamUpdate is adamUpdateGeneric on the active instruction set.
func adamUpdate(w, g, m, v []float32, rule *adamRule) { adamUpdateGeneric(w, g, m, v, rule) }

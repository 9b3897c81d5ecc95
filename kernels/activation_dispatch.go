package kernels

// activate is activateGeneric on the active instruction set.
func activate(act Act, y, x []float32) { activateGeneric(act, y, x) }

// activateBackward is activateBackwardGeneric on the active instruction set.
func activateBackward(act Act, dx, dy, x []float32) { activateBackwardGeneric(act, dx, dy, x) }

package kernels

// addClamp is addClampGeneric on the active instruction set.
func addClamp(y, a, b []float32, lo, hi float32) { addClampGeneric(y, a, b, lo, hi) }

// mul is mulGeneric on the active instruction set.
func mul(y, a, b []float32) { mulGeneric(y, a, b) }

// scale is scaleGeneric on the active instruction set.
func scale(y, x []float32, s float32) { scaleGeneric(y, x, s) }

// addScaled is addScaledGeneric on the active instruction set.
func addScaled(y, a, x []float32, s float32) { addScaledGeneric(y, a, x, s) }

// sumChannels is sumChannelsGeneric on the active instruction set.
func sumChannels(sum, x []float32, rows int) { sumChannelsGeneric(sum, x, rows) }

// scaleRows is scaleRowsGeneric on the active instruction set.
func scaleRows(y, x, g []float32, rows int) { scaleRowsGeneric(y, x, g, rows) }

// gateRows is gateRowsGeneric on the active instruction set.
func gateRows(dx, dg, dy, x, g []float32, rows int) { gateRowsGeneric(dx, dg, dy, x, g, rows) }

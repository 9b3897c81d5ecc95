package act

// applyGeneric is y[i] = act(x[i]).
func applyGeneric(kind Kind, y, x []float32) {
	y = y[:len(x)]
	if lo, hi, ok := kind.Bounds(); ok {
		for i, v := range x {
			y[i] = Clamp(v, lo, hi)
		}
		return
	}
	for i, v := range x {
		y[i] = float32(kind.Eval(float64(v)))
	}
}

// backwardGeneric is dx[i] = dy[i] * act'(x[i]); where act' is 0, dx is 0 whatever dy is.
func backwardGeneric(kind Kind, dx, dy, x []float32) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	if kind == None {
		copy(dx, dy)
		return
	}
	if lo, hi, ok := kind.Bounds(); ok {
		for i, v := range x {
			dx[i] = ClampGradient(dy[i], v, lo, hi)
		}
		return
	}
	for i, v := range x {
		dx[i] = float32(float64(dy[i]) * kind.Slope(float64(v)))
	}
}

// Clamp returns v, lo if v is below it, hi if v is above it; NaN for NaN.
func Clamp(v, lo, hi float32) float32 {
	if v < lo {
		v = lo
	}
	if v > hi {
		v = hi
	}
	return v
}

// ClampGradient returns the gradient g where a clamp to [lo,hi] let v pass, 0 elsewhere.
func ClampGradient(g, v, lo, hi float32) float32 {
	if v > lo && v < hi {
		return g
	}
	return 0
}

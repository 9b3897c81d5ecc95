package kernels

import (
	"testing"
)

func TestActivations(t *testing.T) {
	checkLayers(t, func(large bool) (cases []layerCase) {
		for act := ActNone; act <= ActTanh; act++ {
			cases = append(cases, activationCase(act, large))
		}
		return cases
	})
}

func activationCase(act Act, large bool) layerCase {
	size := 150
	if large {
		size = 2*taskFloats + 77
	}
	rng := newRand()
	x, dy := normal(rng, size), normal(rng, size)
	for i := range x {
		x[i] *= 3
	}
	c := layerCase{name: "Activation " + act.String(), in: [][]float32{x}, dy: dy, y: make([]float32, size)}
	c.grads = makeSlices(c.in)
	layer := NewActivation(act)
	c.run = func(p *Pool) {
		layer.Forward(p, size, c.y, x)
		layer.Backward(p, size, c.grads[0], dy, x)
	}
	c.forward = func(in [][]float64) []float64 {
		y := make([]float64, size)
		for i, v := range in[0] {
			y[i] = act.Eval(v)
		}
		return y
	}
	return c
}

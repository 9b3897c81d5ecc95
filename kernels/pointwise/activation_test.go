package pointwise

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestActivations(t *testing.T) {
	kerneltest.CheckLayers(t, func(large bool) (cases []kerneltest.Layer) {
		for kind := act.None; kind <= act.Tanh; kind++ {
			cases = append(cases, activationCase(kind, large))
		}
		return cases
	})
}

func activationCase(kind act.Kind, large bool) kerneltest.Layer {
	size := 150
	if large {
		size = 2*parallel.TaskFloats + 77
	}
	rng := kerneltest.NewRand()
	x, dy := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size)
	for i := range x {
		x[i] *= 3
	}
	c := kerneltest.Layer{Name: "Activation " + kind.String(), In: [][]float32{x}, DY: dy, Y: make([]float32, size)}
	c.Grads = kerneltest.MakeSlices(c.In)
	layer := NewActivation(kind)
	c.Run = func(p *parallel.Pool) {
		layer.Forward(p, size, c.Y, x)
		layer.Backward(p, size, c.Grads[0], dy, x)
	}
	c.Forward = func(in [][]float64) []float64 {
		y := make([]float64, size)
		for i, v := range in[0] {
			y[i] = kind.Eval(v)
		}
		return y
	}
	return c
}

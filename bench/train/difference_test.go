package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// compareGradients holds some elements of every parameter's gradient against central differences, within slack times
// what TestGradients allows.
func compareGradients(t *testing.T, p *Program, w *Weights, elements int, slack float64) {
	t.Helper()
	p.Train(3, 5)
	gradients := map[string][]float32{}
	scale := 0.0
	for _, param := range p.graph.Params {
		gradients[param.Name] = p.Gradient(param.Name)
		for _, g := range gradients[param.Name] {
			scale = max(scale, math.Abs(float64(g)))
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, param := range p.graph.Params {
		if param.Fixed {
			continue
		}
		values := w.Get(param.Name)
		for range min(elements, len(values)) {
			i := r.IntN(len(values))
			difference := 0.0
			const h = 1e-3
			for _, sign := range []float64{1, -1} {
				moved := slices.Clone(values)
				moved[i] += float32(sign * h)
				if err := w.Set(param.Name, moved); err != nil {
					t.Fatal(err)
				}
				difference += sign * p.Train(3, 5) / (2 * h)
			}
			if err := w.Set(param.Name, values); err != nil {
				t.Fatal(err)
			}
			got := float64(gradients[param.Name][i])
			if d := math.Abs(got - difference); !(d <= slack*(1e-2*scale+0.02*math.Abs(difference))) {
				t.Errorf("%s[%d]: gradient %v, difference quotient %v", param.Name, i, got, difference)
			}
		}
	}
}

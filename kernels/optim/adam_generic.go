package optim

import "math"

// adamUpdateGeneric is the loop in the comment of Adam.Step.
func adamUpdateGeneric(w, g, m, v []float32, rule *adamRule) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		grad := g[i] + rule.decay*w[i]
		m[i] += rule.gain1 * (grad - m[i])
		v[i] = rule.beta2*v[i] + rule.gain2*grad*grad
		root := float32(math.Sqrt(float64(v[i])))
		w[i] -= rule.rate * m[i] / (root*rule.root + rule.eps)
	}
}

package norm

import "math"

// layerNormRowsGeneric is LayerNorm.Forward for len(mean) rows of len(gamma) channels.
func layerNormRowsGeneric(y, x, gamma, beta, mean, invstd []float32, eps float32) {
	c := len(gamma)
	for r := range mean {
		row, out := x[r*c:r*c+c], y[r*c:r*c+c]
		sum := 0.0
		for _, v := range row {
			sum += float64(v)
		}
		m := sum / float64(c)
		squares := 0.0
		for _, v := range row {
			d := float64(v) - m
			squares += d * d
		}
		mean[r] = float32(m)
		invstd[r] = float32(1 / math.Sqrt(squares/float64(c)+float64(eps)))
		for j, v := range row {
			out[j] = (v-mean[r])*invstd[r]*gamma[j] + beta[j]
		}
	}
}

// layerNormGradRowsGeneric is LayerNorm.Backward for len(mean) rows of len(gamma) channels; it adds to dgamma and
// dbeta.
func layerNormGradRowsGeneric(dx, dgamma, dbeta, dy, x, mean, invstd, gamma, add []float32) {
	c := len(gamma)
	for r := range mean {
		m, s := mean[r], invstd[r]
		row, g, out := x[r*c:r*c+c], dy[r*c:r*c+c], dx[r*c:r*c+c]
		sumH, sumHX := 0.0, 0.0
		for j, v := range row {
			norm := (v - m) * s
			h := g[j] * gamma[j]
			sumH += float64(h)
			sumHX += float64(h * norm)
			dgamma[j] += g[j] * norm
			dbeta[j] += g[j]
		}
		meanH, meanHX := float32(sumH/float64(c)), float32(sumHX/float64(c))
		for j, v := range row {
			norm := (v - m) * s
			d := s * (g[j]*gamma[j] - meanH - norm*meanHX)
			if add != nil {
				d += add[r*c+j]
			}
			out[j] = d
		}
	}
}

package norm

import "github.com/reidbench/reidbench/kernels/act"

// batchNormSumsGeneric is, for c = len(shift) and d = x[r*c+j]-shift[j],
//
//	sum[j] += Σ_r d; square[j] += Σ_r d*d
func batchNormSumsGeneric(sum, square, x, shift []float32, rows int) {
	c := len(shift)
	sum, square = sum[:c], square[:c]
	for r := range rows {
		row := x[r*c : r*c+c]
		for j, s := range shift {
			d := row[j] - s
			sum[j] += d
			square[j] += d * d
		}
	}
}

// batchNormRowsGeneric is, for c = len(mean) and a clamp to [lo,hi],
//
//	y[r*yRow+j] = clamp((x[r*c+j]-mean[j])*scale[j] + beta[j] (+ add[r*c+j]))
func batchNormRowsGeneric(y, x, add, mean, scale, beta []float32, rows, yRow int, lo, hi float32) {
	c := len(mean)
	for r := range rows {
		for j := range c {
			i := r*c + j
			z := (x[i]-mean[j])*scale[j] + beta[j]
			if add != nil {
				z += add[i]
			}
			y[r*yRow+j] = act.Clamp(z, lo, hi)
		}
	}
}

// batchNormGradSumsGeneric is, for c = len(mean),
//
//	sumG[j] += Σ_r g[r*row+j]; sumGX[j] += Σ_r g[r*row+j] * (x[r*c+j]-mean[j])
func batchNormGradSumsGeneric(sumG, sumGX, g, x, mean []float32, rows, row int) {
	c := len(mean)
	sumG, sumGX = sumG[:c], sumGX[:c]
	for r := range rows {
		for j, m := range mean {
			v := g[r*row+j]
			sumG[j] += v
			sumGX[j] += v * (x[r*c+j] - m)
		}
	}
}

// batchNormGradRowsGeneric is, for c = len(mean),
//
//	dx[r*dxRow+j] = scale[j]*g[r*row+j] + (slope[j]*(x[r*c+j]-mean[j]) + offset[j]) (+ add[r*c+j])
func batchNormGradRowsGeneric(dx, g, x, add, mean, scale, slope, offset []float32, rows, dxRow, row int) {
	c := len(mean)
	for r := range rows {
		for j := range c {
			i := r*c + j
			v := scale[j]*g[r*row+j] + (slope[j]*(x[i]-mean[j]) + offset[j])
			if add != nil {
				v += add[i]
			}
			dx[r*dxRow+j] = v
		}
	}
}

// batchNormClampGradSumsGeneric is batchNormGradSumsGeneric with, for z as in batchNormRowsGeneric,
//
//	g[r*row+j] = dy[r*row+j] if lo < z < hi, else 0
//
// which is not kept if g is nil. It may be dy.
func batchNormClampGradSumsGeneric(
	g, sumG, sumGX, dy, x, add, mean, scale, beta []float32, rows, row int, lo, hi float32,
) {
	c := len(mean)
	sumG, sumGX = sumG[:c], sumGX[:c]
	for r := range rows {
		for j, m := range mean {
			i := r*c + j
			d := x[i] - m
			z := d*scale[j] + beta[j]
			if add != nil {
				z += add[i]
			}
			v := act.ClampGradient(dy[r*row+j], z, lo, hi)
			sumG[j] += v
			sumGX[j] += v * d
			if g != nil {
				g[r*row+j] = v
			}
		}
	}
}

// batchNormCurveRowsGeneric is batchNormRowsGeneric, without add, with another activation than a clamp.
func batchNormCurveRowsGeneric(kind act.Kind, y, x, mean, scale, beta []float32, rows int) {
	c := len(mean)
	for r := range rows {
		for j, m := range mean {
			i := r*c + j
			y[i] = float32(kind.Eval(float64((x[i]-m)*scale[j] + beta[j])))
		}
	}
}

// batchNormSumRowsGeneric is batchNormRowsGeneric, without add, or batchNormCurveRowsGeneric, whichever serves the
// activation, with
//
//	sum[j] += Σ_r y[r*c+j]
func batchNormSumRowsGeneric(kind act.Kind, y, sum, x, mean, scale, beta []float32, rows int) {
	if lo, hi, ok := kind.Bounds(); ok {
		batchNormRowsGeneric(y, x, nil, mean, scale, beta, rows, len(mean), lo, hi)
	} else {
		batchNormCurveRowsGeneric(kind, y, x, mean, scale, beta, rows)
	}
	c := len(mean)
	for r := range rows {
		for j, v := range y[r*c : r*c+c] {
			sum[j] += v
		}
	}
}

// batchNormCurveGradSumsGeneric is batchNormClampGradSumsGeneric, without add, with such an activation:
//
//	g[r*c+j] = dy[r*c+j] * act'(z)
func batchNormCurveGradSumsGeneric(kind act.Kind, g, sumG, sumGX, dy, x, mean, scale, beta []float32, rows int) {
	c := len(mean)
	sumG, sumGX = sumG[:c], sumGX[:c]
	for r := range rows {
		for j, m := range mean {
			i := r*c + j
			d := x[i] - m
			v := float32(float64(dy[i]) * kind.Slope(float64(d*scale[j]+beta[j])))
			g[i] = v
			sumG[j] += v
			sumGX[j] += v * d
		}
	}
}

// batchNormGatedGradSumsGeneric is batchNormClampGradSumsGeneric or batchNormCurveGradSumsGeneric, whichever serves the
// activation, for the gradient dy[r*c+j]*gate[j] + shift[j].
func batchNormGatedGradSumsGeneric(
	kind act.Kind, g, sumG, sumGX, dy, x, gate, shift, mean, scale, beta []float32, rows int,
) {
	for c, r := len(mean), 0; r < rows; r++ {
		for j := range c {
			g[r*c+j] = dy[r*c+j]*gate[j] + shift[j]
		}
	}
	if lo, hi, ok := kind.Bounds(); ok {
		batchNormClampGradSumsGeneric(g, sumG, sumGX, g, x, nil, mean, scale, beta, rows, len(mean), lo, hi)
		return
	}
	batchNormCurveGradSumsGeneric(kind, g, sumG, sumGX, g, x, mean, scale, beta, rows)
}

// batchNormClampGradRowsGeneric is batchNormGradRowsGeneric with g as in batchNormClampGradSumsGeneric.
func batchNormClampGradRowsGeneric(dx, dy, x, mean, scale, beta, slope, offset []float32, rows int, lo, hi float32) {
	c := len(mean)
	for r := range rows {
		for j, m := range mean {
			i := r*c + j
			d := x[i] - m
			g := act.ClampGradient(dy[i], d*scale[j]+beta[j], lo, hi)
			dx[i] = scale[j]*g + (slope[j]*d + offset[j])
		}
	}
}

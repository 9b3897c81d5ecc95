package vec

// sumChannelsGeneric is sum[j] += Σ_r x[r*c+j], for c = len(sum).
func sumChannelsGeneric(sum, x []float32, rows int) {
	c := len(sum)
	for r := range rows {
		for j, v := range x[r*c : r*c+c] {
			sum[j] += v
		}
	}
}

// scaleRowsGeneric is y[r*c+j] = x[r*c+j] * g[j], for c = len(g).
func scaleRowsGeneric(y, x, g []float32, rows int) {
	for c := len(g); rows > 0; rows-- {
		mulGeneric(y[:c], x, g)
		y, x = y[c:], x[c:]
	}
}

// scaleShiftRowsGeneric is y[r*c+j] = x[r*c+j] * g[j] + shift[j], for c = len(g).
func scaleShiftRowsGeneric(y, x, g, shift []float32, rows int) {
	c := len(g)
	for r := range rows {
		for j := range c {
			i := r*c + j
			y[i] = x[i]*g[j] + shift[j]
		}
	}
}

// gateSumsGeneric is dg[j] += Σ_r dy[r*c+j] * x[r*c+j], for c = len(dg).
func gateSumsGeneric(dg, dy, x []float32, rows int) {
	c := len(dg)
	for r := range rows {
		for j := range c {
			dg[j] += dy[r*c+j] * x[r*c+j]
		}
	}
}

// gateRowsGeneric is dx[r*c+j] = dy[r*c+j] * g[j] and dg[j] += Σ_r dy[r*c+j] * x[r*c+j], for c = len(g).
func gateRowsGeneric(dx, dg, dy, x, g []float32, rows int) {
	c := len(g)
	dg = dg[:c]
	for r := range rows {
		for j := range c {
			i := r*c + j
			d := dy[i]
			dg[j] += d * x[i]
			dx[i] = d * g[j]
		}
	}
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("batchnorm", batchnorm) }

// accumulate adds x to sum.
func accumulate(p *panel, sum, x reg.VecVirtual) { VADDPS(x, sum, sum) }

// accumulateProduct adds a*b to sum.
func accumulateProduct(sum, a, b reg.VecVirtual) { VFMADD231PS(a, b, sum) }

// batchnorm emits the passes of batch norm over a block of rows.
func batchnorm() {
	for _, m := range machines() {
		m.function("batchNormSums", "(sum, square, x, shift *float32, rows, c int)", "is batchNormSumsGeneric, for rows > 0.")
		m.panels(m.panelVectors(), sumRows, func(p *panel) {
			shift, sum, square := p.channels("shift"), p.zeros(), p.zeros()
			p.overRows(func(v int) {
				d := p.sub(p.get("x", v), shift[v])
				accumulate(p, sum[v], d)
				accumulateProduct(square[v], d, d)
			})
			p.addChannels("sum", sum)
			p.addChannels("square", square)
		}, "x")

		m.function("batchNormGradSums", "(sumG, sumGX, grad, x, mean *float32, rows, c int)", "is batchNormGradSumsGeneric, for rows > 0.")
		m.panels(m.panelVectors(), sumRows, func(p *panel) {
			mean, sumG, sumGX := p.channels("mean"), p.zeros(), p.zeros()
			p.overRows(func(v int) {
				g := p.get("grad", v)
				accumulate(p, sumG[v], g)
				accumulateProduct(sumGX[v], g, p.sub(p.get("x", v), mean[v]))
			})
			p.addChannels("sumG", sumG)
			p.addChannels("sumGX", sumGX)
		}, "grad", "x")

		m.function("batchNormGradRows", "(dx, grad, x, mean, scale, slope, offset *float32, rows, c int)", "is batchNormGradRowsGeneric, for rows > 0.")
		m.panels(m.panelVectors(), streamRows, func(p *panel) {
			mean, scale, slope, offset := p.channels("mean"), p.channels("scale"), p.channels("slope"), p.channels("offset")
			p.overRows(func(v int) {
				d := p.sub(p.get("x", v), mean[v])
				p.put("dx", v, p.fma(scale[v], p.get("grad", v), p.fma(d, slope[v], offset[v])))
			})
		}, "dx", "grad", "x")

		m.function("batchNormClampGradRows", "(dx, dy, x, mean, scale, beta, slope, offset *float32, rows, c int, lo, hi float32)", "is batchNormClampGradRowsGeneric, for rows > 0.")
		lo, hi := m.param("lo"), m.param("hi")
		m.panels(m.panelVectors(), streamRows, func(p *panel) {
			mean, scale, beta, slope, offset := p.channels("mean"), p.channels("scale"), p.operands("beta"), p.operands("slope"), p.operands("offset")
			p.overRows(func(v int) {
				d := p.sub(p.get("x", v), mean[v])
				g := p.between(p.fma(d, scale[v], beta[v]), lo, hi, p.get("dy", v))
				p.put("dx", v, p.fma(scale[v], g, p.fma(d, slope[v], offset[v])))
			})
		}, "dx", "dy", "x")

		for _, residual := range []bool{false, true} {
			m.batchNormRows(residual, false)
			m.batchNormRows(residual, true)
			m.batchNormClampGradSums(residual)
		}
	}
}

// normalise returns the function that gives the argument of the activation for vector v of the row at hand.
func (p *panel) normalise(residual bool) func(v int) reg.VecVirtual {
	mean, scale, beta := p.channels("mean"), p.channels("scale"), p.channels("beta")
	return func(v int) reg.VecVirtual {
		z := p.fma(p.sub(p.get("x", v), mean[v]), scale[v], beta[v])
		if residual {
			z = p.add(z, p.get("add", v))
		}
		return z
	}
}

func (m *machine) batchNormRows(residual, stream bool) {
	name, parameter, operands := "batchNorm", "", []string{"y", "x"}
	if residual {
		name, parameter, operands = "batchNormAdd", "add, ", append(operands, "add")
	}
	doc := "is batchNormRowsGeneric, for rows > 0."
	put := (*panel).put
	if stream {
		name += "Stream"
		doc += " It stores whole vectors past the caches, for which y has to be aligned."
		put = (*panel).stream
	}
	m.function(name+"Rows", "(y, x, "+parameter+"mean, scale, beta *float32, rows, c int, lo, hi float32)", doc)
	lo, hi := m.param("lo"), m.param("hi")
	m.panels(m.panelVectors(), streamRows, func(p *panel) {
		z := p.normalise(residual)
		p.overRows(func(v int) { put(p, "y", v, p.clamp(z(v), lo, hi)) })
	}, operands...)
}

func (m *machine) batchNormClampGradSums(residual bool) {
	name, written, parameter, operands := "batchNormClampGradSums", "", "", []string{"dy", "x"}
	if residual {
		name, written, parameter, operands = "batchNormAddClampGradSums", "grad, ", "add, ", append(operands, "grad", "add")
	}
	m.function(name, "("+written+"sumG, sumGX, dy, x, "+parameter+"mean, scale, beta *float32, rows, c int, lo, hi float32)", "is "+name+"Generic, for rows > 0.")
	lo, hi := m.param("lo"), m.param("hi")
	rows := sumRows
	if residual {
		rows = streamRows
	}
	m.panels(m.panelVectors(), rows, func(p *panel) {
		mean, scale, beta, sumG, sumGX := p.channels("mean"), p.channels("scale"), p.operands("beta"), p.zeros(), p.zeros()
		p.overRows(func(v int) {
			d := p.sub(p.get("x", v), mean[v])
			z := p.fma(d, scale[v], beta[v])
			if residual {
				z = p.add(z, p.get("add", v))
			}
			g := p.between(z, lo, hi, p.get("dy", v))
			accumulate(p, sumG[v], g)
			accumulateProduct(sumGX[v], g, d)
			if residual {
				p.put("grad", v, g)
			}
		})
		p.addChannels("sumG", sumG)
		p.addChannels("sumGX", sumGX)
	}, operands...)
}

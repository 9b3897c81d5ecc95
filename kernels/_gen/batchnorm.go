package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("batchnorm", "norm", batchnorm) }

// accumulate adds x to sum.
func accumulate(p *panel, sum, x reg.VecVirtual) { VADDPS(x, sum, sum) }

// accumulateProduct adds a*b to sum.
func accumulateProduct(sum, a, b reg.VecVirtual) { VFMADD231PS(a, b, sum) }

// batchnorm emits the passes of batch norm over a block of rows.
func batchnorm() {
	for _, m := range machines() {
		m.function("batchNormSums", "(sum, square, x, shift *float32, rows, c int)",
			"is batchNormSumsGeneric, for rows > 0.")
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

		m.function("batchNormGradSums", "(sumG, sumGX, grad, x, mean *float32, rows, c, gap int)",
			"is batchNormGradSumsGeneric, for rows > 0.")
		m.apart("gap", "grad")
		m.panels(m.panelVectors(), streamRows, func(p *panel) {
			mean, sumG, sumGX := p.channels("mean"), p.zeros(), p.zeros()
			p.overRows(func(v int) {
				g := p.get("grad", v)
				accumulate(p, sumG[v], g)
				accumulateProduct(sumGX[v], g, p.sub(p.get("x", v), mean[v]))
			})
			p.addChannels("sumG", sumG)
			p.addChannels("sumGX", sumGX)
		}, "grad", "x")

		m.function("batchNormClampGradRows",
			"(dx, dy, x, mean, scale, beta, slope, offset *float32, rows, c int, lo, hi float32)",
			"is batchNormClampGradRowsGeneric, for rows > 0.")
		lo, hi := m.param("lo"), m.param("hi")
		m.panels(m.panelVectors(), streamRows, func(p *panel) {
			mean, scale, beta, slope, offset := p.channels("mean"), p.channels("scale"), p.operands("beta"),
				p.operands("slope"), p.operands("offset")
			p.overRows(func(v int) {
				d := p.sub(p.get("x", v), mean[v])
				g := p.between(p.fma(d, scale[v], beta[v]), lo, hi, p.get("dy", v))
				p.put("dx", v, p.fma(scale[v], g, p.fma(d, slope[v], offset[v])))
			})
		}, "dx", "dy", "x")

		for _, stream := range []bool{false, true} {
			for _, residual := range []bool{false, true} {
				m.batchNormRows(residual, stream)
				m.batchNormGradRows(residual, stream)
				m.batchNormClampGradSums(residual, true, stream)
			}
			m.batchNormSumRows(stream)
			for _, c := range curves {
				if c.follows {
					m.batchNormCurveRows(c, stream)
					m.batchNormCurveSumRows(c, stream)
					m.batchNormCurveGradSums(c, false, stream)
				}
			}
		}
		m.batchNormClampGradSums(false, false, false)
		m.batchNormGatedClampGradSums()
		for _, c := range curves {
			if c.follows {
				m.batchNormCurveGradSums(c, true, false)
			}
		}
	}
}

// storing returns how results are stored, and what that adds to the name and the comment of a function: past the caches
// with stream, for which the tensor called to has to be aligned.
func storing(stream bool, to string) (put func(p *panel, name string, v int, x reg.VecVirtual), name, doc string) {
	if stream {
		return (*panel).stream, "Stream", " It stores whole vectors past the caches, for which " + to +
			" has to be aligned."
	}
	return (*panel).put, "", ""
}

func (m *machine) batchNormRows(residual, stream bool) {
	name, parameter, operands := "batchNorm", "", []string{"y", "x"}
	if residual {
		name, parameter, operands = "batchNormAdd", "add, ", append(operands, "add")
	}
	put, past, doc := storing(stream, "y")
	m.function(name+past+"Rows", "(y, x, "+parameter+"mean, scale, beta *float32, rows, c, yGap int, lo, hi float32)",
		"is batchNormRowsGeneric, for rows > 0."+doc)
	m.apart("yGap", "y")
	lo, hi := m.param("lo"), m.param("hi")
	m.panels(m.panelVectors(), streamRows, func(p *panel) {
		mean, scale, beta := p.channels("mean"), p.channels("scale"), p.channels("beta")
		p.overRows(func(v int) {
			z := p.fma(p.sub(p.get("x", v), mean[v]), scale[v], beta[v])
			if residual {
				z = p.add(z, p.get("add", v))
			}
			put(p, "y", v, p.clamp(z, lo, hi))
		})
	}, operands...)
}

// batchNormSumRows emits the forward pass that sums what it makes.
func (m *machine) batchNormSumRows(stream bool) {
	put, past, doc := storing(stream, "y")
	m.function("batchNorm"+past+"SumRows", "(y, sum, x, mean, scale, beta *float32, rows, c int, lo, hi float32)",
		"is batchNormSumRowsGeneric with a clamp, for rows > 0."+doc)
	lo, hi := m.param("lo"), m.param("hi")
	m.panels(m.panelVectors(), sumRows, func(p *panel) {
		mean, scale, beta, sum := p.channels("mean"), p.channels("scale"), p.operands("beta"), p.zeros()
		p.overRows(func(v int) {
			y := p.clamp(p.fma(p.sub(p.get("x", v), mean[v]), scale[v], beta[v]), lo, hi)
			accumulate(p, sum[v], y)
			put(p, "y", v, y)
		})
		p.addChannels("sum", sum)
	}, "y", "x")
}

func (m *machine) batchNormGradRows(sum, stream bool) {
	name, parameter, operands := "batchNorm", "", []string{"dx", "grad", "x"}
	if sum {
		name, parameter, operands = "batchNormAdd", "add, ", append(operands, "add")
	}
	put, past, doc := storing(stream, "dx")
	m.function(name+past+"GradRows",
		"(dx, grad, x, "+parameter+"mean, scale, slope, offset *float32, rows, c, dxGap, gap int)",
		"is batchNormGradRowsGeneric, for rows > 0."+doc)
	m.apart("dxGap", "dx")
	m.apart("gap", "grad")
	m.panels(m.panelVectors(), streamRows, func(p *panel) {
		mean, scale, slope, offset := p.channels("mean"), p.channels("scale"), p.channels("slope"), p.channels("offset")
		p.overRows(func(v int) {
			d := p.sub(p.get("x", v), mean[v])
			dx := p.fma(scale[v], p.get("grad", v), p.fma(d, slope[v], offset[v]))
			if sum {
				dx = p.add(dx, p.get("add", v))
			}
			put(p, "dx", v, dx)
		})
	}, operands...)
}

// batchNormClampGradSums emits the sums of a gradient through a clamp, which is kept or only summed.
func (m *machine) batchNormClampGradSums(residual, keep, stream bool) {
	name, written, parameter, operands := "batchNorm", "", "", []string{"dy", "x"}
	if residual {
		name, parameter, operands = "batchNormAdd", "add, ", append(operands, "add")
	}
	put, past, doc := storing(stream, "grad")
	if keep {
		name, written, operands = name+"Keep", "grad, ", append(operands, "grad")
	}
	m.function(name+past+"ClampGradSums",
		"("+written+"sumG, sumGX, dy, x, "+parameter+"mean, scale, beta *float32, rows, c, gap int, lo, hi float32)",
		"is batchNormClampGradSumsGeneric, for rows > 0."+doc)
	m.apart("gap", "dy")
	if keep {
		m.apart("gap", "grad")
	}
	lo, hi := m.param("lo"), m.param("hi")
	rows := streamRows
	if keep && !residual { // for blocks that are in the caches
		rows = sumRows
	}
	m.panels(m.panelVectors(), rows, func(p *panel) {
		mean, scale, beta, sumG, sumGX := p.channels("mean"), p.channels("scale"), p.operands("beta"), p.zeros(),
			p.zeros()
		p.overRows(func(v int) {
			d := p.sub(p.get("x", v), mean[v])
			z := p.fma(d, scale[v], beta[v])
			if residual {
				z = p.add(z, p.get("add", v))
			}
			g := p.between(z, lo, hi, p.get("dy", v))
			accumulate(p, sumG[v], g)
			accumulateProduct(sumGX[v], g, d)
			if keep {
				put(p, "grad", v, g)
			}
		})
		p.addChannels("sumG", sumG)
		p.addChannels("sumGX", sumGX)
	}, operands...)
}

// batchNormGatedClampGradSums emits the sums of a gradient that is kept, through a clamp and a gate.
func (m *machine) batchNormGatedClampGradSums() {
	m.function("batchNormGatedClampGradSums",
		"(grad, sumG, sumGX, dy, x, gate, shift, mean, scale, beta *float32, rows, c int, lo, hi float32)",
		"is batchNormGatedGradSumsGeneric with a clamp, for rows > 0.")
	lo, hi := m.param("lo"), m.param("hi")
	m.panels(m.curveVectors(), streamRows, func(p *panel) {
		mean, scale, beta, sumG, sumGX := p.channels("mean"), p.operands("scale"), p.operands("beta"), p.zeros(),
			p.zeros()
		gate, shift := p.operands("gate"), p.operands("shift")
		p.overRows(func(v int) {
			d := p.sub(p.get("x", v), mean[v])
			dy := p.fma(p.get("dy", v), gate[v], shift[v])
			g := p.between(p.fma(d, scale[v], beta[v]), lo, hi, dy)
			accumulate(p, sumG[v], g)
			accumulateProduct(sumGX[v], g, d)
			p.put("grad", v, g)
		})
		p.addChannels("sumG", sumG)
		p.addChannels("sumGX", sumGX)
	}, "grad", "dy", "x")
}

// batchNormCurveRows emits the forward pass of a batch norm that another activation than a clamp follows.
func (m *machine) batchNormCurveRows(c curve, stream bool) {
	put, past, doc := storing(stream, "y")
	m.function("batchNorm"+c.title()+past+"Rows", "(y, x, mean, scale, beta *float32, rows, c int)",
		"is batchNormCurveRowsGeneric with that activation, for rows > 0."+doc)
	m.pin(c.value.pinned...)
	m.panels(m.curveVectors(), streamRows, func(p *panel) {
		mean, scale, beta := p.channels("mean"), p.operands("scale"), p.operands("beta")
		p.overRows(func(v int) {
			put(p, "y", v, c.value.of(m, p.fma(p.sub(p.get("x", v), mean[v]), scale[v], beta[v])))
		})
	}, "y", "x")
}

// batchNormCurveSumRows emits the one that sums what it makes.
func (m *machine) batchNormCurveSumRows(c curve, stream bool) {
	put, past, doc := storing(stream, "y")
	m.function("batchNorm"+c.title()+past+"SumRows", "(y, sum, x, mean, scale, beta *float32, rows, c int)",
		"is batchNormSumRowsGeneric with that activation, for rows > 0."+doc)
	m.pin(c.value.pinned...)
	m.panels(m.curveVectors(), sumRows, func(p *panel) {
		mean, scale, beta, sum := p.channels("mean"), p.operands("scale"), p.operands("beta"), p.zeros()
		p.overRows(func(v int) {
			y := c.value.of(m, p.fma(p.sub(p.get("x", v), mean[v]), scale[v], beta[v]))
			accumulate(p, sum[v], y)
			put(p, "y", v, y)
		})
		p.addChannels("sum", sum)
	}, "y", "x")
}

// batchNormCurveGradSums emits the sums of its gradient, which is kept, and may come through a gate.
func (m *machine) batchNormCurveGradSums(c curve, gated, stream bool) {
	name, parameter, loop := "batchNorm", "", "batchNormCurveGradSumsGeneric"
	if gated {
		name, parameter, loop = "batchNormGated", "gate, shift, ", "batchNormGatedGradSumsGeneric"
	}
	put, past, doc := storing(stream, "grad")
	m.function(name+c.title()+past+"GradSums",
		"(grad, sumG, sumGX, dy, x, "+parameter+"mean, scale, beta *float32, rows, c int)",
		"is "+loop+" with that activation, for rows > 0."+doc)
	m.pin(c.slope.pinned...)
	m.panels(m.curveVectors(), streamRows, func(p *panel) {
		mean, scale, beta, sumG, sumGX := p.channels("mean"), p.operands("scale"), p.operands("beta"), p.zeros(),
			p.zeros()
		var gate, shift []Op
		if gated {
			gate, shift = p.operands("gate"), p.operands("shift")
		}
		p.overRows(func(v int) {
			d := p.sub(p.get("x", v), mean[v])
			g := c.slope.of(m, p.fma(d, scale[v], beta[v]))
			dy := p.get("dy", v)
			if gated {
				dy = p.fma(dy, gate[v], shift[v])
			}
			g = p.mul(g, dy)
			accumulate(p, sumG[v], g)
			accumulateProduct(sumGX[v], g, d)
			put(p, "grad", v, g)
		})
		p.addChannels("sumG", sumG)
		p.addChannels("sumGX", sumGX)
	}, "grad", "dy", "x")
}

// curveVectors is panelVectors for kernels that hold the values of an activation on its way, too.
func (m *machine) curveVectors() int { return m.panelVectors() / 2 }

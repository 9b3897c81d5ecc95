package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func init() { register("elementwise", "vec", elementwise) }

// elementwise emits sums, products and their per-channel forms.
func elementwise() {
	for _, m := range machines() {
		m.function("addClamp", "(y, a, b *float32, n int, lo, hi float32)", "is addClampGeneric.")
		lo, hi := m.param("lo"), m.param("hi")
		m.flat(func(s *step) { s.put("y", s.clamp(s.add(s.get("a"), s.get("b")), lo, hi)) }, "y", "a", "b")

		m.function("addStreamClamp", "(y, a, b *float32, n int, lo, hi float32)",
			"is addClampGeneric. It stores whole vectors past the caches, for which y has to be aligned.")
		lo, hi = m.param("lo"), m.param("hi")
		m.flat(func(s *step) { s.stream("y", s.clamp(s.add(s.get("a"), s.get("b")), lo, hi)) }, "y", "a", "b")

		m.function("mul", "(y, a, b *float32, n int)", "is mulGeneric.")
		m.flat(func(s *step) { s.put("y", s.mul(s.get("a"), s.get("b"))) }, "y", "a", "b")

		m.function("scale", "(y, x *float32, n int, s float32)", "is scaleGeneric.")
		factor := m.param("s")
		m.flat(func(s *step) { s.put("y", s.mul(s.get("x"), factor)) }, "y", "x")

		m.function("addScaled", "(y, a, x *float32, n int, s float32)", "is addScaledGeneric.")
		factor = m.param("s")
		m.flat(func(s *step) { s.put("y", s.fma(s.get("x"), factor, s.get("a"))) }, "y", "a", "x")

		m.function("sumChannels", "(sum, x *float32, rows, c int)", "is sumChannelsGeneric, for rows > 0.")
		m.panels(m.panelVectors(), sumRows, func(p *panel) {
			sum := p.zeros()
			p.overRows(func(v int) { accumulate(p, sum[v], p.get("x", v)) })
			p.addChannels("sum", sum)
		}, "x")

		m.addRowsFloat64()

		for _, stream := range []bool{false, true} {
			put, past, doc := storing(stream, "y")
			m.function("scale"+past+"Rows", "(y, x, gate *float32, rows, c int)",
				"is scaleRowsGeneric, for rows > 0."+doc)
			m.panels(m.panelVectors(), streamRows, func(p *panel) {
				g := p.channels("gate")
				p.overRows(func(v int) { put(p, "y", v, p.mul(p.get("x", v), g[v])) })
			}, "y", "x")
		}

		m.function("scaleShiftRows", "(y, x, gate, shift *float32, rows, c int)",
			"is scaleShiftRowsGeneric, for rows > 0.")
		m.panels(m.panelVectors(), streamRows, func(p *panel) {
			g, shift := p.channels("gate"), p.channels("shift")
			p.overRows(func(v int) { p.put("y", v, p.fma(p.get("x", v), g[v], shift[v])) })
		}, "y", "x")

		m.function("gateSums", "(dg, dy, x *float32, rows, c int)", "is gateSumsGeneric, for rows > 0.")
		m.panels(m.panelVectors(), streamRows, func(p *panel) {
			dg := p.zeros()
			p.overRows(func(v int) { accumulateProduct(dg[v], p.get("dy", v), p.get("x", v)) })
			p.addChannels("dg", dg)
		}, "dy", "x")

		m.function("gateRows", "(dx, dg, dy, x, gate *float32, rows, c int)", "is gateRowsGeneric, for rows > 0.")
		m.panels(m.panelVectors(), streamRows, func(p *panel) {
			g, dg := p.channels("gate"), p.zeros()
			p.overRows(func(v int) {
				dy := p.get("dy", v)
				accumulateProduct(dg[v], dy, p.get("x", v))
				p.put("dx", v, p.mul(dy, g[v]))
			})
			p.addChannels("dg", dg)
		}, "dx", "dy", "x")
	}
}

// addRowsFloat64 emits the addition of rows of float32 values to float64 ones, whole vectors only.
func (m *machine) addRowsFloat64() {
	m.function("addRowsFloat64", "(dst *float64, src *float32, vectors, rows, row int)",
		"is addRowsFloat64Generic, for vectors of as many bytes as this instruction set has, and rows > 0.")
	dst, src, left := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("vectors"), GP64())
	row := Load(Param("row"), GP64())
	SHLQ(U8(2), row)
	Label("vector")
	sum, wide, at, rows := m.vector(), m.vector(), GP64(), Load(Param("rows"), GP64())
	VMOVUPD(Mem{Base: dst}, sum)
	MOVQ(src, at)
	Label("row")
	VCVTPS2PD(Mem{Base: at}, wide)
	VADDPD(wide, sum, sum)
	ADDQ(row, at)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VMOVUPD(sum, Mem{Base: dst})
	ADDQ(I8(2*m.lanes), src)
	ADDQ(I32(4*m.lanes), dst)
	DECQ(left)
	JNZ(LabelRef("vector"))
	m.finish()
}

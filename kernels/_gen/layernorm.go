package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("layernorm", "norm", layerNorm) }

// layerNorm emits the norm of a block of rows and its gradient.
func layerNorm() {
	for _, m := range machines() {
		m.layerNormRows()
		m.layerNormGradRows(false)
		m.layerNormGradRows(true)
	}
}

// rowLoop emits loops over the c channels of one row; the mask of the last part of a vector is made once.
type rowLoop struct {
	*machine
	index, whole, part reg.GPVirtual // channel at hand; channels in whole vectors; channels after them
	tail               reg.Register
}

func (m *machine) newRowLoop() *rowLoop {
	l := &rowLoop{machine: m, index: GP64(), whole: GP64()}
	l.part = Load(Param("c"), GP64()).(reg.GPVirtual)
	MOVQ(l.part, l.whole)
	ANDQ(I8(m.lanes-1), l.part)
	SUBQ(l.part, l.whole)
	l.tail = m.tailMask(l.part)
	return l
}

// each emits body for whole vectors and for the last part of one.
func (l *rowLoop) each(name string, body func(mask reg.Register)) {
	XORQ(l.index, l.index)
	Label(name)
	CMPQ(l.index, l.whole)
	JGE(LabelRef(name + "Tail"))
	body(nil)
	ADDQ(I8(l.lanes), l.index)
	JMP(LabelRef(name))
	Label(name + "Tail")
	TESTQ(l.part, l.part)
	JZ(LabelRef(name + "Done"))
	body(l.tail)
	Label(name + "Done")
}

// at returns the vector of the row that base points to.
func (l *rowLoop) at(base reg.Register) Mem { return Mem{Base: base, Index: l.index, Scale: 4} }

// pointers loads parameters.
func pointers(names ...string) []reg.Register {
	var out []reg.Register
	for _, name := range names {
		out = append(out, Load(Param(name), GP64()))
	}
	return out
}

// nextRow advances the bases by a row of c channels.
func nextRow(bases ...reg.Register) {
	stride := Load(Param("c"), GP64())
	SHLQ(U8(2), stride)
	for _, base := range bases {
		ADDQ(stride, base)
	}
}

func (m *machine) layerNormRows() {
	m.function("layerNormRows", "(y, x, gamma, beta, mean, invstd *float32, rows, c int, eps float32)",
		"is layerNormRowsGeneric in float32, for rows > 0.")
	p := pointers("y", "x", "gamma", "beta", "mean", "invstd", "rows")
	y, x, gamma, beta, means, invstds, left := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	l := m.newRowLoop()
	count := XMM()
	CVTSQ2SS(Load(Param("c"), GP64()), count)
	Label("row")

	sum := m.zero()
	l.each("sum", func(mask reg.Register) { VADDPS(m.load(l.at(x), mask), sum, sum) })
	total := m.total(sum)
	VDIVSS(count, total.AsX(), total.AsX())
	VMOVSS(total.AsX(), Mem{Base: means})
	mean := m.spread(total)

	squares := m.zero()
	l.each("squares", func(mask reg.Register) {
		d := m.sub(m.load(l.at(x), mask), mean)
		if mask != nil {
			d = m.only(mask, d)
		}
		accumulateProduct(squares, d, d)
	})
	total = m.total(squares)
	one, eps := XMM(), Load(Param("eps"), XMM())
	VMOVSS(m.constant(1), one)
	VDIVSS(count, total.AsX(), total.AsX())
	VADDSS(eps, total.AsX(), total.AsX())
	VSQRTSS(total.AsX(), total.AsX(), total.AsX())
	VDIVSS(total.AsX(), one, total.AsX())
	VMOVSS(total.AsX(), Mem{Base: invstds})
	invstd := m.spread(total)

	l.each("apply", func(mask reg.Register) {
		norm := m.mul(m.sub(m.load(l.at(x), mask), mean), invstd)
		m.store(m.fma(norm, m.load(l.at(gamma), mask), m.load(l.at(beta), mask)), l.at(y), mask)
	})
	nextRow(x, y)
	ADDQ(I8(4), means)
	ADDQ(I8(4), invstds)
	DECQ(left)
	JNZ(LabelRef("row"))
	m.finish()
}

// only returns v in the lanes of the mask, 0 elsewhere.
func (m *machine) only(mask reg.Register, v reg.VecVirtual) reg.VecVirtual {
	out := m.vector()
	if m.isWide() {
		VMOVAPS_Z(v, mask, out)
	} else {
		VANDPS(v, mask, out)
	}
	return out
}

func (m *machine) layerNormGradRows(residual bool) {
	name, parameter := "layerNormGradRows", ""
	if residual {
		name, parameter = "layerNormGradAddRows", ", add"
	}
	m.function(name, "(dx, dgamma, dbeta, dy, x, mean, invstd, gamma"+parameter+" *float32, rows, c int)",
		"is layerNormGradRowsGeneric in float32, for rows > 0.")
	p := pointers("dx", "dgamma", "dbeta", "dy", "x", "mean", "invstd", "gamma")
	dx, dgamma, dbeta, dy, x, means, invstds, gamma := p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
	moving := []reg.Register{dx, dy, x}
	var add reg.Register
	if residual {
		add = Load(Param("add"), GP64())
		moving = append(moving, add)
	}
	l := m.newRowLoop()
	left := Load(Param("rows"), GP64())
	count := XMM()
	CVTSQ2SS(Load(Param("c"), GP64()), count)
	Label("row")
	mean, invstd := m.broadcast(Mem{Base: means}), m.broadcast(Mem{Base: invstds})

	sumH, sumHX := m.zero(), m.zero()
	l.each("sums", func(mask reg.Register) {
		norm := m.mul(m.sub(m.load(l.at(x), mask), mean), invstd)
		if mask != nil {
			norm = m.only(mask, norm)
		}
		g := m.load(l.at(dy), mask)
		h := m.mul(g, m.load(l.at(gamma), mask))
		VADDPS(h, sumH, sumH)
		accumulateProduct(sumHX, h, norm)
		m.store(m.fma(g, norm, m.load(l.at(dgamma), mask)), l.at(dgamma), mask)
		m.store(m.add(g, m.load(l.at(dbeta), mask)), l.at(dbeta), mask)
	})
	meanH, meanHX := m.total(sumH), m.total(sumHX)
	VDIVSS(count, meanH.AsX(), meanH.AsX())
	VDIVSS(count, meanHX.AsX(), meanHX.AsX())
	h, hx := m.spread(meanH), m.spread(meanHX)

	l.each("apply", func(mask reg.Register) {
		norm := m.mul(m.sub(m.load(l.at(x), mask), mean), invstd)
		d := m.sub(m.mul(m.load(l.at(dy), mask), m.load(l.at(gamma), mask)), h)
		d = m.mul(m.fnma(norm, hx, d), invstd)
		if residual {
			d = m.add(d, m.load(l.at(add), mask))
		}
		m.store(d, l.at(dx), mask)
	})
	nextRow(moving...)
	ADDQ(I8(4), means)
	ADDQ(I8(4), invstds)
	DECQ(left)
	JNZ(LabelRef("row"))
	m.finish()
}

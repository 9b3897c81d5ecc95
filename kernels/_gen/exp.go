package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("exp", "attention", expRows) }

// expRows emits the kernels of a softmax over one row.
func expRows() {
	for _, m := range machines() {
		m.function("expRow", "(y, x *float32, n int, scale, shift float32) float32", "is expRowGeneric.")
		factor := m.param("scale")
		shift := m.negated(m.param("shift"))
		sum := m.zero()
		m.values(func(s *step) {
			e := s.exp(s.fma(s.get("x"), factor, shift))
			s.put("y", e)
			s.merge(sum, s.add(sum, e))
		}, "x", "y")
		Store(m.total(sum).AsX(), ReturnIndex(0))
		m.finish()

		m.function("maxRow", "(x *float32, n int) float32", "is maxRowGeneric, but for NaN.")
		largest := m.held(float32(math.Inf(-1)))
		m.values(func(s *step) { s.merge(largest, s.larger(largest, s.get("x"))) }, "x")
		Store(m.largest(largest).AsX(), ReturnIndex(0))
		m.finish()

		m.function("softmaxSlopeRow", "(y, p *float32, n int, delta, scale float32)", "is softmaxSlopeRowGeneric.")
		delta, factor := m.param("delta"), m.param("scale")
		m.flat(func(s *step) {
			s.put("y", s.mul(s.get("p"), s.mul(s.sub(s.get("y"), delta), factor)))
		}, "y", "p")
	}
}

// merge sets the lanes of to that take part in this step.
func (s *step) merge(to, from reg.VecVirtual) {
	switch {
	case s.mask == nil:
		VMOVAPS(from, to)
	case s.isWide():
		VMOVAPS(from, s.mask, to)
	default:
		VBLENDVPS(s.mask, from, to, to)
	}
}

// larger returns the larger of the two in every lane.
func (m *machine) larger(a, b reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	VMAXPS(b, a, v)
	return v
}

// largest returns the largest lane of v in lane 0.
func (m *machine) largest(v reg.VecVirtual) reg.VecVirtual {
	half := YMM()
	if m.isWide() {
		VEXTRACTF64X4(U8(1), v, half)
		VMAXPS(v.AsY(), half, half)
	} else {
		VMOVAPS(v, half)
	}
	quarter, swapped := XMM(), XMM()
	VEXTRACTF128(U8(1), half, quarter)
	VMAXPS(half.AsX(), quarter, quarter)
	VPERMILPS(U8(0b01001110), quarter, swapped)
	VMAXPS(swapped, quarter, quarter)
	VPERMILPS(U8(0b10110001), quarter, swapped)
	VMAXPS(swapped, quarter, quarter)
	return quarter
}

// exp returns eˣ to 2 units in the last place: x = n·ln 2 + r with |r| ≤ ln 2/2, ln 2 in two parts, and the polynomial
// of Cephes' expf (Moshier, 1989) for r. Results that are subnormal or overflow come out as such, and NaN stays.
func (m *machine) exp(x reg.VecVirtual) reg.VecVirtual { return m.expOfSum(x, nil) }

// expOfSum is exp of x plus a rest that x has lost to rounding, if there is one.
func (m *machine) expOfSum(x, rest reg.VecVirtual) reg.VecVirtual {
	x = m.clamp(x, m.held(-105), m.held(90)) // beyond, the result is 0 or infinite all the same
	n := m.round(m.mul(x, m.constant(math.Log2E)))
	r := m.fnma(n, m.constant(0.693359375), x)
	r = m.fnma(n, m.constant(-2.12194440e-4), r)
	if rest != nil {
		r = m.add(r, rest)
	}
	p := m.polynomial(r, expSeries...)
	p = m.add(m.fma(m.mul(r, r), p, r), m.constant(1))
	if m.isWide() {
		VSCALEFPS(n, p, p)
		return p
	}
	// 2ⁿ in two factors, as n itself may lie outside of the exponents of normal numbers
	whole, half := m.vector(), m.vector()
	VCVTPS2DQ(n, whole)
	VPSRAD(U8(1), whole, half)
	VPSUBD(half, whole, whole)
	return m.mul(m.mul(p, m.powerOf2(half)), m.powerOf2(whole))
}

var (
	// (eˣ - 1 - x)/x² for |x| ≤ ln 2/2
	expSeries = []float32{0.5, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.9875691500e-4}
	// 2ˣ for |x| ≤ 1/2, of least relative error
	exp2Series = []float32{1, 0.693147, 0.24022242, 0.055507336, 0.009671513, 0.0013264727}
)

// exp2 returns 2ˣ to 1e-7 of its value: 0 where that is subnormal or less, infinity where it is half of the largest or
// more. NaN stays.
func (m *machine) exp2(x reg.VecVirtual) reg.VecVirtual {
	if m.isWide() {
		x = m.clamp(x, m.held(-151), m.held(129))
	} else {
		x = m.clamp(x, m.held(-127), m.held(128))
	}
	n := m.round(x)
	p := m.polynomial(m.sub(x, n), exp2Series...)
	if m.isWide() {
		VSCALEFPS(n, p, p)
		return p
	}
	VCVTPS2DQ(n, n)
	return m.mul(p, m.powerOf2(n))
}

// powerOf2 returns 2ⁿ for integers -127 ≤ n ≤ 128: the least is 0, the greatest infinity. It overwrites n.
func (m *machine) powerOf2(n reg.VecVirtual) reg.VecVirtual {
	VPADDD(m.bits(127), n, n)
	VPSLLD(U8(23), n, n)
	return n
}

// round returns the nearest integers.
func (m *machine) round(x reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	if m.isWide() {
		VRNDSCALEPS(U8(0), x, v)
	} else {
		VROUNDPS(U8(0), x, v)
	}
	return v
}

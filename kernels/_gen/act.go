package main

import (
	"math"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("act", "act", activations) }

// A curve is an activation that is not a clamp, with its derivative. After a batch norm it is computed with that.
type curve struct {
	name         string
	value, slope function
	follows      bool
}

// A function of one vector, and the constants that are worth a register where it is computed in a loop.
type function struct {
	of     func(m *machine, x reg.VecVirtual) reg.VecVirtual
	pinned []float32
}

var curves = []curve{
	{"silu", function{(*machine).silu, sigmoidConstants}, function{(*machine).siluSlope, siluSlopeConstants}, true},
	{"gelu", function{of: (*machine).gelu}, function{of: (*machine).geluSlope}, false},
	{"sigmoid", function{(*machine).sigmoid, sigmoidConstants}, function{of: (*machine).sigmoidSlope}, false},
	{"hardSigmoid", function{of: (*machine).hardSigmoid}, function{of: (*machine).hardSigmoidSlope}, false},
	{"hardSwish", function{of: (*machine).hardSwish}, function{of: (*machine).hardSwishSlope}, true},
	{"tanh", function{of: (*machine).tanh}, function{of: (*machine).tanhSlope}, false},
}

// title returns the curve's name as it stands within others.
func (c *curve) title() string { return strings.ToUpper(c.name[:1]) + c.name[1:] }

// activations emits these, and the clamps, as functions of their own.
func activations() {
	for _, m := range machines() {
		for _, curve := range curves {
			m.function(curve.name, "(y, x *float32, n int)", "is applyGeneric with that activation.")
			m.pin(curve.value.pinned...)
			m.flat(func(s *step) { s.put("y", curve.value.of(m, s.get("x"))) }, "y", "x")
			m.function(curve.name+"Backward", "(dx, dy, x *float32, n int)", "is backwardGeneric with that activation.")
			m.pin(curve.slope.pinned...)
			m.flat(func(s *step) { s.put("dx", s.mul(s.get("dy"), curve.slope.of(m, s.get("x")))) }, "dx", "dy", "x")
		}
		m.function("clampTo", "(y, x *float32, n int, lo, hi float32)", "is applyGeneric with a clamp to [lo,hi].")
		lo, hi := m.param("lo"), m.param("hi")
		m.flat(func(s *step) { s.put("y", s.clamp(s.get("x"), lo, hi)) }, "y", "x")
		m.function("clampBackward", "(dx, dy, x *float32, n int, lo, hi float32)",
			"is backwardGeneric with a clamp to [lo,hi].")
		lo, hi = m.param("lo"), m.param("hi")
		m.flat(func(s *step) { s.put("dx", s.between(s.get("x"), lo, hi, s.get("dy"))) }, "dx", "dy", "x")
	}
}

// polynomial returns Σ c[i]·x^i, by Horner's rule.
func (m *machine) polynomial(x reg.VecVirtual, c ...float32) reg.VecVirtual {
	sum := m.vector()
	VMOVUPS(m.constant(c[len(c)-1]), sum)
	for i := len(c) - 2; i >= 0; i-- {
		VFMADD213PS(m.constant(c[i]), x, sum)
	}
	return sum
}

func (m *machine) magnitude(x reg.VecVirtual) reg.VecVirtual { return m.and(x, m.bits(1<<31-1)) }

func (m *machine) negated(x reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	VXORPS(m.bits(1<<31), x, v)
	return v
}

// expBelow returns e⁻|ˣ|.
func (m *machine) expBelow(x reg.VecVirtual) reg.VecVirtual {
	return m.exp(m.or(x, m.bits(1<<31)))
}

// sigmoid returns 1/(1+e⁻ˣ), from e⁻|ˣ|, which cannot overflow.
func (m *machine) sigmoid(x reg.VecVirtual) reg.VecVirtual {
	share, sum := m.odds(x)
	return m.div(share, sum)
}

func (m *machine) silu(x reg.VecVirtual) reg.VecVirtual {
	share, sum := m.odds(x)
	return m.div(m.mul(x, share), sum)
}

// odds returns two factors whose quotient is σ(x): e⁻|ˣ| or 1, whichever belongs to the sign of x, and their sum.
func (m *machine) odds(x reg.VecVirtual) (share, sum reg.VecVirtual) {
	e, one := m.expBelow(x), m.held(1)
	return m.choose(less, x, m.zero(), e, one), m.add(e, one)
}

// sigmoidConstants are those of odds.
var sigmoidConstants = append([]float32{1, -105, 90, math.Log2E, 0.693359375, -2.12194440e-4}, expSeries...)

// sigmoidSlope returns e/(1+e)² for e = e⁻|ˣ|.
func (m *machine) sigmoidSlope(x reg.VecVirtual) reg.VecVirtual {
	e := m.expBelow(x)
	return m.div(e, m.fma(e, m.add(e, m.constant(2)), m.constant(1)))
}

// siluSlope returns s·(1 + x·(1-s)) for s = σ(x). It passes through 0, and its absolute error counts: e⁻ˣ may be a
// little off where it is large, and there is no need of e⁻|ˣ|.
func (m *machine) siluSlope(x reg.VecVirtual) reg.VecVirtual {
	one := m.held(1)
	e := m.exp2(m.mul(x, m.constant(-math.Log2E)))
	s := m.div(one, m.add(e, one))
	rest := m.smaller(m.mul(e, s), one) // ∞·0 is 1
	return m.mul(s, m.fma(rest, x, one))
}

// siluSlopeConstants are those of siluSlope.
var siluSlopeConstants = append([]float32{1, -math.Log2E, -151, 129}, exp2Series...)

// gauss returns, for x, u = |x| up to where e⁻ᵘ²ᐟ² is 0 in float32, that exponential, and q = 1/(1+u·5/16): the
// factors of the normal distribution's tail are polynomials of q.
func (m *machine) gauss(x reg.VecVirtual) (density, q reg.VecVirtual) {
	u := m.magnitude(x)
	u = m.clamp(u, m.zero(), m.held(16))
	square := m.mul(u, u)
	rest := m.vector() // what rounding u² lost, as e^-(u²/2) is sensitive to it
	VMOVAPS(u, rest)
	VFMSUB213PS(square, u, rest)
	density = m.expOfSum(m.mul(square, m.constant(-0.5)), m.mul(rest, m.constant(-0.5)))
	return density, m.div(m.held(1), m.fma(u, m.constant(0.3125), m.constant(1)))
}

// central returns Φ(x) for |x| < 1 by the Taylor series ½ + Σ (-1)ᵏ x²ᵏ⁺¹ / (√(2π)·2ᵏ·k!·(2k+1)), whose first term left
// out is 1e-10.
func (m *machine) central(x reg.VecVirtual) reg.VecVirtual {
	var series []float32
	term := 1 / math.Sqrt(2*math.Pi)
	for k := range 9 {
		series = append(series, float32(term/float64(2*k+1)))
		term /= -2 * float64(k+1)
	}
	return m.fma(x, m.polynomial(m.mul(x, x), series...), m.held(0.5))
}

// gelu returns x·Φ(x): near 0 as it stands, elsewhere max(x,0) - |x|·Φ(-|x|). The product is e⁻ˣ²ᐟ² times a polynomial,
// fitted at Chebyshev nodes for 1 < |x| < 14.3; its relative error is 2.0e-8.
func (m *machine) gelu(x reg.VecVirtual) reg.VecVirtual {
	density, q := m.gauss(x)
	product := m.polynomial(m.sub(q, m.constant(0.5)), 0.36794394, -0.20208357, -0.5359292, -0.76724064, -0.6050859,
		-0.105967864, 0.23793274, 0.10804314, -0.09752052)
	zero := m.zero()
	positive, negative := m.vector(), m.vector()
	VMAXPS(zero, x, positive)
	VMINPS(zero, x, negative)
	far := m.fnma(product, density, positive)
	far = m.fma(negative, zero, far) // -∞·0 is NaN
	return m.choose(less, m.magnitude(x), m.constant(1), m.mul(x, m.central(x)), far)
}

// geluSlope returns Φ(x) + x·φ(x). Beyond the central part, the slope at -|x| is e⁻ˣ²ᐟ² times Mills' ratio, which is q
// and a polynomial, less |x|/√(2π); the slope at |x| is 1 less that. The polynomial is fitted at Chebyshev nodes for
// |x| < 14.2; its relative error is 1.4e-8.
func (m *machine) geluSlope(x reg.VecVirtual) reg.VecVirtual {
	const peak = 0.3989422804 // of the density
	density, q := m.gauss(x)
	near := m.fma(m.mul(x, m.constant(peak)), density, m.central(x))
	p := m.polynomial(m.sub(q, m.constant(0.5)), 0.22996496, 0.33362767, 0.33230132, 0.18507971, -0.008132222,
		-0.082671255, -0.014108873, 0.043304224, 0.005176623, -0.018146714)
	u := m.clamp(m.magnitude(x), m.zero(), m.held(16))
	below := m.fnma(u, m.constant(peak), m.mul(p, q))
	far := m.choose(less, x, m.zero(), m.mul(below, density), m.fnma(below, density, m.held(1)))
	far = m.fma(x, m.zero(), far) // ∞·0 is NaN
	return m.choose(less, m.magnitude(x), m.constant(1), near, far)
}

// tanh returns tanh(x): near 0 the polynomial of Cephes' tanhf, elsewhere 1 - 2/(e²|ˣ|+1) with the sign of x.
func (m *machine) tanh(x reg.VecVirtual) reg.VecVirtual {
	u := m.magnitude(x)
	e := m.exp(m.add(u, u))
	far := m.sub(m.held(1), m.div(m.held(2), m.add(e, m.constant(1))))
	z := m.mul(x, x)
	p := m.polynomial(z, -3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3)
	near := m.fma(m.mul(p, z), u, u)
	v := m.choose(less, u, m.constant(0.625), near, far)
	return m.or(v, m.and(x, m.bits(1<<31)))
}

// tanhSlope returns 1 - tanh² = 4e/(1+e)² for e = e⁻²|ˣ|.
func (m *machine) tanhSlope(x reg.VecVirtual) reg.VecVirtual {
	u := m.magnitude(x)
	e := m.exp(m.mul(u, m.constant(-2)))
	return m.div(m.mul(e, m.constant(4)), m.fma(e, m.add(e, m.constant(2)), m.constant(1)))
}

func (m *machine) hardSigmoid(x reg.VecVirtual) reg.VecVirtual {
	return m.mul(m.clamp(m.add(x, m.constant(3)), m.zero(), m.held(6)), m.constant(1./6))
}

func (m *machine) hardSigmoidSlope(x reg.VecVirtual) reg.VecVirtual {
	return m.between(x, m.held(-3), m.held(3), m.held(1./6))
}

func (m *machine) hardSwish(x reg.VecVirtual) reg.VecVirtual { return m.mul(x, m.hardSigmoid(x)) }

func (m *machine) hardSwishSlope(x reg.VecVirtual) reg.VecVirtual {
	middle := m.fma(x, m.constant(1./3), m.constant(0.5))
	v := m.choose(greaterEqual, x, m.constant(3), m.held(1), middle)
	return m.choose(lessEqual, x, m.constant(-3), m.zero(), v)
}

package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// machine emits the pointwise kernels for one instruction set. A mask is nil where all lanes are used, else an opmask
// (AVX-512) or a vector whose lanes are all ones or all zeros (AVX2).
type machine struct {
	vectorSet
	tables *tables
	pinned map[uint32]reg.VecVirtual // constants in registers, by their bits
	gaps   map[string]string         // parameters by operand, see apart
}

// tables are the read-only data of one family.
type tables struct {
	tail      Mem // all ones, then zeros; unset until first used
	hasTail   bool
	constants map[uint32]Mem
}

// machines returns one machine for each instruction set.
func machines() []*machine {
	t := &tables{constants: map[uint32]Mem{}}
	return []*machine{{wide, t, nil, nil}, {narrow, t, nil, nil}}
}

func (m *machine) isWide() bool { return m.lanes == wide.lanes }

// function starts a function called base with the instruction set's name after it.
func (m *machine) function(base, signature string, doc ...string) {
	m.pinned, m.gaps = map[uint32]reg.VecVirtual{}, map[string]string{}
	TEXT(base+m.name, NOSPLIT, "func"+signature)
	doc[0] = base + m.name + " " + doc[0]
	Doc(doc...)
}

func (m *machine) finish() {
	VZEROUPPER()
	RET()
}

// pin keeps constants in registers for the rest of the function, where there are enough of them: loads of whole vectors
// are as scarce as multiplications.
func (m *machine) pin(values ...float32) {
	if !m.isWide() {
		return
	}
	for _, value := range values {
		m.pinned[math.Float32bits(value)] = m.held(value)
	}
}

// apart lets the rows of the named operands of panels lie as many bytes further apart as the parameter says.
func (m *machine) apart(gap string, operands ...string) {
	for _, name := range operands {
		m.gaps[name] = gap
	}
}

// bits returns a vector constant in memory.
func (m *machine) bits(value uint32) Mem {
	if c, ok := m.tables.constants[value]; ok {
		return c
	}
	c := GLOBL(fmt.Sprintf("const%08x", value), RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(value))
	}
	m.tables.constants[value] = c
	return c
}

// constant returns a vector constant, in memory unless it is pinned.
func (m *machine) constant(value float32) Op {
	if v, ok := m.pinned[math.Float32bits(value)]; ok {
		return v
	}
	return m.bits(math.Float32bits(value))
}

// held returns a vector constant in a register, which is not to be written to if it may be pinned.
func (m *machine) held(value float32) reg.VecVirtual {
	if v, ok := m.constant(value).(reg.VecVirtual); ok {
		return v
	}
	v := m.vector()
	VMOVUPS(m.constant(value), v)
	return v
}

func (m *machine) zero() reg.VecVirtual {
	v := m.vector()
	if m.isWide() {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
	return v
}

// broadcast returns a scalar from memory in every lane.
func (m *machine) broadcast(from Op) reg.VecVirtual {
	v := m.vector()
	VBROADCASTSS(from, v)
	return v
}

// param returns a scalar parameter in every lane.
func (m *machine) param(name string) reg.VecVirtual { return m.broadcast(argument(name)) }

// tailMask returns the mask of the first count lanes, count < lanes. BZHI is of BMI2.
func (m *machine) tailMask(count reg.GPVirtual) reg.Register {
	if m.isWide() {
		ones, k := GP32(), K()
		MOVL(I32(-1), ones)
		BZHIL(count.As32(), ones, ones)
		KMOVW(ones, k)
		return k
	}
	if !m.tables.hasTail {
		m.tables.tail, m.tables.hasTail = tailMaskTable(), true
	}
	address, offset, mask := GP64(), GP64(), m.vector()
	LEAQ(m.tables.tail.Offset(64), address)
	MOVQ(count, offset)
	NEGQ(offset)
	VMOVUPS(Mem{Base: address, Index: offset, Scale: 4}, mask)
	return mask
}

func (m *machine) load(from Mem, mask reg.Register) reg.VecVirtual {
	v := m.vector()
	switch {
	case mask == nil:
		VMOVUPS(from, v)
	case m.isWide():
		VMOVUPS_Z(from, mask, v)
	default:
		VMASKMOVPS(from, mask, v)
	}
	return v
}

func (m *machine) store(v reg.VecVirtual, to Mem, mask reg.Register) {
	switch {
	case mask == nil:
		VMOVUPS(v, to)
	case m.isWide():
		VMOVUPS(v, mask, to)
	default:
		VMASKMOVPS(v, mask, to)
	}
}

// Arithmetic. Every function returns a new register, so that formulas can be written as such.

func (m *machine) add(a, b Op) reg.VecVirtual {
	v := m.vector()
	VADDPS(b, a, v)
	return v
}

func (m *machine) sub(a, b Op) reg.VecVirtual {
	v := m.vector()
	VSUBPS(b, a, v)
	return v
}

func (m *machine) mul(a, b Op) reg.VecVirtual {
	v := m.vector()
	VMULPS(b, a, v)
	return v
}

func (m *machine) div(a, b Op) reg.VecVirtual {
	v := m.vector()
	VDIVPS(b, a, v)
	return v
}

func (m *machine) copy(a reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	VMOVAPS(a, v)
	return v
}

// fma returns a*b + c.
func (m *machine) fma(a reg.VecVirtual, b, c Op) reg.VecVirtual {
	return m.fused(a, b, c, VFMADD213PS, VFMADD132PS)
}

// fnma returns c - a*b.
func (m *machine) fnma(a reg.VecVirtual, b, c Op) reg.VecVirtual {
	return m.fused(a, b, c, VFNMADD213PS, VFNMADD132PS)
}

// fused emits one of two forms of an instruction: the first can take c from memory, the second b.
func (m *machine) fused(a reg.VecVirtual, b, c Op, with213, with132 func(ops ...Op)) reg.VecVirtual {
	v := m.copy(a)
	if inMemory, ok := b.(Mem); ok {
		if addend, ok := c.(Mem); ok {
			c = m.load(addend, nil)
		}
		with132(inMemory, c, v)
		return v
	}
	with213(c, b, v)
	return v
}

// clamp returns min(max(a, lo), hi) and keeps NaN: if one of two operands is NaN, the instructions return the
// second, in Go's order the first.
func (m *machine) clamp(a, lo, hi reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	VMAXPS(a, lo, v)
	VMINPS(v, hi, v)
	return v
}

// smaller returns the smaller of the two in every lane, b where a is NaN.
func (m *machine) smaller(a, b reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	VMINPS(b, a, v)
	return v
}

func (m *machine) and(a, b Op) reg.VecVirtual {
	v := m.vector()
	VANDPS(b, a, v)
	return v
}

func (m *machine) or(a, b Op) reg.VecVirtual {
	v := m.vector()
	VORPS(b, a, v)
	return v
}

// Predicates of comparisons, without signals. All but unordered are false where an operand is NaN.
const (
	unordered    = 3
	less         = 17
	lessEqual    = 18
	greaterEqual = 29
	greater      = 30
)

// choose returns yes where a stands to b as the predicate says, no elsewhere.
func (m *machine) choose(predicate int, a reg.VecVirtual, b Op, yes, no reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	if m.isWide() {
		k := K()
		VCMPPS(U8(predicate), b, a, k)
		VBLENDMPS(yes, no, k, v)
		return v
	}
	mask := m.vector()
	VCMPPS(U8(predicate), b, a, mask)
	VBLENDVPS(mask, yes, no, v)
	return v
}

// between returns a where lo < x < hi, 0 elsewhere.
func (m *machine) between(x, lo, hi, a reg.VecVirtual) reg.VecVirtual {
	v := m.vector()
	if m.isWide() {
		above, inside := K(), K()
		VCMPPS(U8(greater), lo, x, above)
		VCMPPS(U8(less), hi, x, above, inside)
		VMOVAPS_Z(a, inside, v)
		return v
	}
	above, inside := m.vector(), m.vector()
	VCMPPS(U8(greater), lo, x, above)
	VCMPPS(U8(less), hi, x, inside)
	VANDPS(above, inside, inside)
	VANDPS(a, inside, v)
	return v
}

// total adds the lanes of v; the sum is in lane 0 of the result.
func (m *machine) total(v reg.VecVirtual) reg.VecVirtual {
	half := YMM()
	if m.isWide() {
		VEXTRACTF64X4(U8(1), v, half)
		VADDPS(v.AsY(), half, half)
	} else {
		VMOVAPS(v, half)
	}
	quarter := XMM()
	VEXTRACTF128(U8(1), half, quarter)
	VADDPS(half.AsX(), quarter, quarter)
	swapped := XMM()
	VPERMILPS(U8(0b01001110), quarter, swapped)
	VADDPS(swapped, quarter, quarter)
	VPERMILPS(U8(0b10110001), quarter, swapped)
	VADDPS(swapped, quarter, quarter)
	return quarter
}

// spread returns lane 0 of v in every lane.
func (m *machine) spread(v reg.VecVirtual) reg.VecVirtual { return m.broadcast(v.AsX()) }

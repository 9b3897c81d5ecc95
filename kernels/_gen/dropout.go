package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("dropout", "pointwise", dropout) }

// dropout emits the kernel that drops values by random words. The halves of a vector of words lie as the values do that
// they belong to.
func dropout() {
	const golden = 0x9e3779b97f4a7c15 // what SplitMix64 counts by
	var counts [16 / 2]uint64
	for i := range counts {
		counts[i] = uint64(i) * golden
	}
	first := words("counts", counts[:]...)
	for _, m := range machines() {
		m.function("drop", "(y, x *float32, n int, state uint64, threshold uint32, keep float32)", "is dropGeneric.")
		counter, stride, threshold, keep := m.vector(), m.vector(), m.param("threshold"), m.param("keep")
		VPBROADCASTQ(argument("state"), counter)
		VPADDQ(first, counter, counter)
		VPBROADCASTQ(words("stride"+m.name, uint64(m.lanes/2)*golden), stride)
		mix := m.mixer()
		m.flat(func(s *step) {
			kept := s.keptBy(mix(counter), threshold, s.mul(s.get("x"), keep))
			VPADDQ(stride, counter, counter)
			s.put("y", kept)
		}, "y", "x")
	}
}

// words returns a table of words.
func words(name string, values ...uint64) Mem {
	table := GLOBL(name, RODATA|NOPTR)
	for i, value := range values {
		DATA(8*i, U64(value))
	}
	return table
}

// mixer returns mix64, of every word of a vector, with its factors in registers.
func (m *machine) mixer() func(z reg.VecVirtual) reg.VecVirtual {
	first, second := m.product("mixFirst"+m.name, 0xbf58476d1ce4e5b9), m.product("mixSecond"+m.name, 0x94d049bb133111eb)
	fold := func(z reg.VecVirtual, by uint8) reg.VecVirtual {
		v := m.vector()
		VPSRLQ(U8(by), z, v)
		VXORPS(z, v, v)
		return v
	}
	return func(z reg.VecVirtual) reg.VecVirtual { return fold(second(fold(first(fold(z, 30)), 27)), 31) }
}

// product returns the low words of the multiplication of words by a factor. AVX2 has only the product of low halves.
func (m *machine) product(name string, factor uint64) func(z reg.VecVirtual) reg.VecVirtual {
	low := m.vector()
	VPBROADCASTQ(words(name, factor), low)
	if m.isWide() {
		return func(z reg.VecVirtual) reg.VecVirtual {
			v := m.vector()
			VPMULLQ(low, z, v)
			return v
		}
	}
	high := m.vector()
	VPSRLQ(U8(32), low, high)
	return func(z reg.VecVirtual) reg.VecVirtual {
		v, cross, other := m.vector(), m.vector(), m.vector()
		VPSRLQ(U8(32), z, cross)
		VPMULUDQ(low, cross, cross)
		VPMULUDQ(high, z, other)
		VPADDQ(other, cross, cross)
		VPSLLQ(U8(32), cross, cross)
		VPMULUDQ(low, z, v)
		VPADDQ(cross, v, v)
		return v
	}
}

// keptBy returns x where the number is not below the threshold, both without signs, and 0 elsewhere.
func (m *machine) keptBy(number, threshold, x reg.VecVirtual) reg.VecVirtual {
	const notLess = 5
	v := m.vector()
	if m.isWide() {
		k := K()
		VPCMPUD(U8(notLess), threshold, number, k)
		VMOVAPS_Z(x, k, v)
		return v
	}
	VPMAXUD(threshold, number, v)
	VPCMPEQD(number, v, v)
	VANDPS(x, v, v)
	return v
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("winograd", "conv", winograd) }

// The roots of the interpolation points, as in winograd.go: 0, ± each of them, and infinity.
var (
	roots4  = roots{1}
	roots6  = roots{0.625, 1.5}
	roots10 = roots{0.375, 0.75, 1.25, 2}
)

// winograd emits the transforms of tiles, filters and their gradients. The formulas are the matrices of winograd.go.
func winograd() {
	for _, m := range machines() {
		m.spreadTile("spreadInput4", roots4.input(m), square, clipped)
		m.spreadTile("spreadFilter3To4", roots4.filter(m, 3), square, whole)
		m.collectTile("collectOutput4To2", roots4.output(m, 2), square)

		m.spreadTile("spreadInput6", roots6.input(m), square, clipped)
		for _, taps := range []int{3, 5} {
			outputs := 7 - taps
			m.spreadTile(fmt.Sprintf("spreadFilter%dTo6", taps), roots6.filter(m, taps), square, whole)
			m.collectTile(fmt.Sprintf("collectOutput6To%d", outputs), roots6.output(m, outputs), square)
			m.spreadTile(fmt.Sprintf("spreadGradient%dTo6", outputs), roots6.gradient(m, outputs), square, clipped)
			m.collectTile(fmt.Sprintf("collectGradient6To%d", taps), roots6.filterGradient(m, taps), square)
		}

		m.spreadTile("spreadInputLine10", roots10.input(m), line, clipped)
		m.spreadTile("spreadFilterLine7To10", roots10.filter(m, 7), line, whole)
		m.collectTile("collectOutputLine10To4", roots10.output(m, 4), line)
		m.spreadTile("spreadGradientLine4To10", roots10.gradient(m, 4), line, clipped)
		m.collectTile("collectGradientLine10To7", roots10.filterGradient(m, 7), line)
	}
}

// What a transform works on: a square, in two dimensions, or a line, in one; and whether the edge of an image clips it.
const (
	square, line   = true, false
	clipped, whole = true, false
)

// multiples reaches base + i·step for i < 10, by the odd multiples of the step.
type multiples map[int]reg.GPVirtual

// newMultiples prepares the multiples for i < count.
func newMultiples(step reg.GPVirtual, count int) multiples {
	s := multiples{1: step}
	for i := 3; i < count; i += 2 {
		s[i] = GP64()
		if i == 7 {
			LEAQ(Mem{Base: s[3], Index: step, Scale: 4}, s[i])
		} else {
			LEAQ(Mem{Base: step, Index: step, Scale: uint8(i - 1)}, s[i])
		}
	}
	return s
}

func (s multiples) at(base reg.Register, i int) Mem {
	if i == 0 {
		return Mem{Base: base}
	}
	scale := 1
	for i%2 == 0 {
		i, scale = i/2, 2*scale
	}
	return Mem{Base: base, Index: s[i], Scale: uint8(scale)}
}

// positions returns the multiples of the distance between the positions of a transformed line, or between the lines of
// a transformed square, of 4 or 6 positions each.
func positions(step reg.GPVirtual, count int, square bool) multiples {
	if !square {
		return newMultiples(step, count)
	}
	line := GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: uint8(count/2 - 1)}, line)
	SHLQ(U8(1), line)
	return newMultiples(line, count)
}

// frame is an aligned part of the stack, in vectors.
type frame struct {
	base  reg.GPVirtual
	bytes int
}

func (m *machine) newFrame(vectors int) frame {
	local := AllocLocal((vectors + 1) * 4 * m.lanes)
	f := frame{GP64(), 4 * m.lanes}
	LEAQ(local.Offset(4*m.lanes-1), f.base)
	ANDQ(I32(-4*m.lanes), f.base)
	return f
}

func (f frame) at(vector int) Mem { return Mem{Base: f.base, Disp: vector * f.bytes} }

// overChannels emits the loop over n channels, by whole vectors and a masked tail, and the function's end.
func (m *machine) overChannels(pointers []Op, body func(name string, tail reg.Register)) {
	Label("loop")
	CMPQ(argument("n"), I8(m.lanes))
	JLT(LabelRef("tail"))
	body("", nil)
	for _, pointer := range pointers {
		ADDQ(I8(4*m.lanes), pointer)
	}
	SUBQ(I8(m.lanes), argument("n"))
	JMP(LabelRef("loop"))
	Label("tail")
	left := GP64()
	MOVQ(argument("n"), left)
	TESTQ(left, left)
	JZ(LabelRef("done"))
	body("Tail", m.tailMask(left))
	Label("done")
	m.finish()
}

// columnMasks are the masks of a tile's columns: the lanes of the vector if the column exists, none otherwise. They are
// in registers if there are enough of those.
type columnMasks struct {
	held []reg.Register
	slot func(i int) Mem
}

// newColumnMasks sets the masks from the bits of the parameter cols.
func (m *machine) newColumnMasks(f frame, slot, columns int, tail reg.Register) columnMasks {
	c := columnMasks{slot: func(i int) Mem { return f.at(slot + i) }}
	for i := range columns {
		exists := GP64()
		MOVQ(argument("cols"), exists)
		SHLQ(U8(63-i), exists)
		SARQ(U8(63), exists)
		if m.isWide() {
			k := K()
			KMOVW(exists.As32(), k)
			if tail != nil {
				KANDW(tail, k, k)
			}
			if columns > 6 {
				KMOVW(k, c.slot(i))
			} else {
				c.held = append(c.held, k)
			}
			continue
		}
		v := m.vector()
		VMOVQ(exists, v.AsX())
		VPBROADCASTQ(v.AsX(), v)
		if tail != nil {
			VANDPS(tail, v, v)
		}
		VMOVAPS(v, c.slot(i))
	}
	return c
}

func (m *machine) loadColumn(c columnMasks, i int, from Mem) reg.VecVirtual {
	switch {
	case c.held != nil:
		return m.load(from, c.held[i])
	case m.isWide():
		k := K()
		KMOVW(c.slot(i), k)
		return m.load(from, k)
	}
	mask := m.vector()
	VMOVAPS(c.slot(i), mask)
	return m.load(from, mask)
}

// spreadTile emits the transform of a tile to positions. A clipped tile has lines and columns that do not exist and
// count as zeros; of one line, only columns.
func (m *machine) spreadTile(name string, t transform, square, clipped bool) {
	TEXT(name+m.name, 0, "func(dst *float32, dstStep int, src *float32, first, srcRow, srcCol, n int, rows, cols uint)")
	Doc(fmt.Sprintf("%s%s is spreadGeneric for one transform; strides are in bytes.", name, m.name))
	dst, src := Load(Param("dst"), GP64()).(reg.GPVirtual), Load(Param("src"), GP64()).(reg.GPVirtual)
	ADDQ(argument("first"), src)
	step := Load(Param("dstStep"), GP64()).(reg.GPVirtual)
	columns := newMultiples(Load(Param("srcCol"), GP64()).(reg.GPVirtual), t.in)
	targets := positions(step, t.out, square)
	halves := t.in * t.out
	f := m.newFrame(halves + t.in)
	loadLine := func(masks columnMasks, from reg.Register, tail reg.Register) (x vectors) {
		for j := range t.in {
			if clipped {
				x = append(x, m.loadColumn(masks, j, columns.at(from, j)))
			} else {
				x = append(x, m.load(columns.at(from, j), tail))
			}
		}
		return x
	}

	m.overChannels([]Op{dst, src}, func(suffix string, tail reg.Register) {
		var masks columnMasks
		if clipped {
			masks = m.newColumnMasks(f, halves, t.in, tail)
		}
		if !square {
			t.apply(loadLine(masks, src, tail), func(j int, v reg.VecVirtual) { m.store(v, targets.at(dst, j), tail) })
			return
		}
		line := GP64()
		MOVQ(src, line)
		for i := range t.in {
			missing, next := fmt.Sprintf("missing%d%s", i, suffix), fmt.Sprintf("next%d%s", i, suffix)
			if clipped {
				BTQ(U8(i), argument("rows"))
				JCC(LabelRef(missing))
			}
			t.apply(loadLine(masks, line, tail), func(j int, v reg.VecVirtual) { VMOVAPS(v, f.at(i*t.out+j)) })
			if clipped {
				JMP(LabelRef(next))
				Label(missing)
				zero := m.zero()
				for j := range t.out {
					VMOVAPS(zero, f.at(i*t.out+j))
				}
				Label(next)
			}
			ADDQ(argument("srcRow"), line)
		}
		to := GP64()
		MOVQ(dst, to)
		for j := range t.out {
			var x vectors
			for i := range t.in {
				x = append(x, m.load(f.at(i*t.out+j), nil))
			}
			t.apply(x, func(i int, v reg.VecVirtual) { m.store(v, targets.at(to, i), tail) })
			ADDQ(argument("dstStep"), to)
		}
	})
}

// collectTile emits the transform of positions to a tile. Only its first lines and columns are stored.
func (m *machine) collectTile(name string, t transform, square bool) {
	TEXT(name+m.name, 0, "func(dst *float32, dstRow, dstCol int, src *float32, srcStep, n, rows, cols int, "+
		"bias, add *float32, flags int)")
	Doc(fmt.Sprintf("%s%s is collectGeneric for one transform; strides are in bytes.", name, m.name))
	dst, src := Load(Param("dst"), GP64()).(reg.GPVirtual), Load(Param("src"), GP64()).(reg.GPVirtual)
	add := Load(Param("add"), GP64()).(reg.GPVirtual)
	sources := positions(Load(Param("srcStep"), GP64()).(reg.GPVirtual), t.in, square)
	f, zero := m.newFrame(t.in*t.out), m.zero()
	loadPositions := func(from, tail reg.Register) (x vectors) {
		for i := range t.in {
			x = append(x, m.load(sources.at(from, i), tail))
		}
		return x
	}

	m.overChannels([]Op{dst, src, add, argument("bias")}, func(suffix string, tail reg.Register) {
		column, flags := GP64(), GP64()
		MOVQ(argument("flags"), flags)
		storeLine := func(x vectors, i int, done string) {
			t.apply(x, func(j int, v reg.VecVirtual) {
				if j > 0 {
					CMPQ(argument("cols"), I8(j))
					JLE(LabelRef(done))
					ADDQ(argument("dstCol"), column)
				}
				m.finishPixel(v, fmt.Sprintf("%d%d%s", i, j, suffix), flags, dst, add, column, zero, tail)
			})
		}
		if !square {
			XORQ(column, column)
			storeLine(loadPositions(src, tail), 0, "stored"+suffix)
			Label("stored" + suffix)
			return
		}
		from := GP64()
		MOVQ(src, from)
		for j := range t.in {
			t.apply(loadPositions(from, tail), func(i int, v reg.VecVirtual) { VMOVAPS(v, f.at(i*t.in+j)) })
			ADDQ(argument("srcStep"), from)
		}
		offset := GP64()
		XORQ(offset, offset)
		for i := range t.out {
			done := fmt.Sprintf("line%d%s", i, suffix)
			if i > 0 {
				CMPQ(argument("rows"), I8(i))
				JLE(LabelRef("stored" + suffix))
			}
			var x vectors
			for j := range t.in {
				x = append(x, m.load(f.at(i*t.in+j), nil))
			}
			MOVQ(offset, column)
			storeLine(x, i, done)
			Label(done)
			ADDQ(argument("dstRow"), offset)
		}
		Label("stored" + suffix)
	})
}

// finishPixel adds what the flags name and stores one pixel.
func (m *machine) finishPixel(v reg.VecVirtual, name string, flags, dst, add, offset, zero, tail reg.Register) {
	when := func(flag uint32, what string, body func()) {
		TESTQ(U32(flag), flags)
		JZ(LabelRef("no" + what + name))
		body()
		Label("no" + what + name)
	}
	when(flagBias, "Bias", func() {
		bias := GP64()
		MOVQ(argument("bias"), bias)
		VADDPS(m.load(Mem{Base: bias}, tail), v, v)
	})
	when(flagAdd, "Add", func() { VADDPS(m.load(Mem{Base: add, Index: offset, Scale: 1}, tail), v, v) })
	when(flagReLU, "ReLU", func() { VMAXPS(v, zero, v) }) // this order lets a NaN through
	m.store(v, Mem{Base: dst, Index: offset, Scale: 1}, tail)
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("winograd", winograd) }

// Interpolation points of F(4×4) besides 0 and infinity, as in winograd.go: ±p and ±q.
const (
	p = 0.625
	q = 1.5

	pp, qq = p * p, q * q
	g0     = 1 / (pp * qq)            // weight of the point 0
	gp     = 1 / (2 * pp * (pp - qq)) // of ±p
	gq     = 1 / (2 * qq * (qq - pp)) // of ±q
)

// winograd emits the transforms of tiles, filters and their gradients. The formulas are the matrices of winograd.go.
func winograd() {
	for _, m := range machines() {
		spreadTile(m, "spreadInput2", 4, 4, true, m.inputTransform2)
		spreadTile(m, "spreadFilter2", 3, 4, false, m.filterTransform2)
		collectTile(m, "collectOutput2", 4, 2, m.outputTransform2)
		spreadTile(m, "spreadInput4", 6, 6, true, m.inputTransform4)
		spreadTile(m, "spreadFilter4", 3, 6, false, m.filterTransform4)
		collectTile(m, "collectOutput4", 6, 4, m.outputTransform4)
		spreadTile(m, "spreadGradient4", 4, 6, true, m.gradientTransform4)
		collectTile(m, "collectGradient4", 6, 3, m.filterGradient4)
	}
}

type vectors = []reg.VecVirtual

func (m *machine) inputTransform2(x vectors) vectors {
	return vectors{m.sub(x[0], x[2]), m.add(x[1], x[2]), m.sub(x[2], x[1]), m.sub(x[3], x[1])}
}

func (m *machine) filterTransform2(x vectors) vectors {
	half := m.constant(0.5)
	even, odd := m.mul(m.add(x[0], x[2]), half), m.mul(x[1], half)
	return vectors{x[0], m.add(even, odd), m.sub(even, odd), x[2]}
}

func (m *machine) outputTransform2(x vectors) vectors {
	return vectors{m.add(x[0], m.add(x[1], x[2])), m.add(x[3], m.sub(x[1], x[2]))}
}

func (m *machine) inputTransform4(x vectors) vectors {
	ends := func(x0, x2, x4 reg.VecVirtual) reg.VecVirtual { // (t²-p²)(t²-q²)
		return m.fma(x0, m.constant(pp*qq), m.fnma(x2, m.constant(pp+qq), x4))
	}
	pair := func(root, other float32) (plus, minus reg.VecVirtual) { // (t±root)(t²-other²)t
		even := m.fnma(x[2], m.constant(other*other), x[4])
		odd := m.fnma(x[1], m.constant(other*other), x[3])
		return m.fma(odd, m.constant(root), even), m.fnma(odd, m.constant(root), even)
	}
	p1, p2 := pair(p, q)
	q1, q2 := pair(q, p)
	return vectors{ends(x[0], x[2], x[4]), p1, p2, q1, q2, ends(x[1], x[3], x[5])}
}

func (m *machine) gradientTransform4(x vectors) vectors {
	at := func(root float32) (plus, minus reg.VecVirtual) { // the polynomial x at ±root
		even := m.fma(x[2], m.constant(root*root), x[0])
		odd := m.fma(x[3], m.constant(root*root*root), m.mul(x[1], m.constant(root)))
		return m.add(even, odd), m.sub(even, odd)
	}
	p1, p2 := at(p)
	q1, q2 := at(q)
	return vectors{x[0], p1, p2, q1, q2, x[3]}
}

func (m *machine) filterTransform4(x vectors) vectors {
	at := func(root float32, weight float64) (plus, minus reg.VecVirtual) { // weight times the polynomial x at ±root
		even := m.weigh(m.fma(x[2], m.constant(root*root), x[0]), weight)
		odd := m.weigh(m.mul(x[1], m.constant(root)), weight)
		return m.add(even, odd), m.sub(even, odd)
	}
	p1, p2 := at(p, gp)
	q1, q2 := at(q, gq)
	return vectors{m.weigh(x[0], g0), p1, p2, q1, q2, x[2]}
}

// weigh returns x times a weight that float32 does not hold: its rounding would be the same error in all filters, of which
// the layers of a network, and the sums over an image, make a larger one.
func (m *machine) weigh(x reg.VecVirtual, weight float64) reg.VecVirtual {
	high := float32(weight)
	return m.fma(x, m.constant(high), m.mul(x, m.constant(float32(weight-float64(high)))))
}

func (m *machine) outputTransform4(x vectors) vectors {
	evenP, oddP := m.add(x[1], x[2]), m.sub(x[1], x[2])
	evenQ, oddQ := m.add(x[3], x[4]), m.sub(x[3], x[4])
	return vectors{
		m.add(m.add(x[0], evenP), evenQ),
		m.fma(oddQ, m.constant(q), m.mul(oddP, m.constant(p))),
		m.fma(evenQ, m.constant(qq), m.mul(evenP, m.constant(pp))),
		m.fma(oddQ, m.constant(qq*q), m.fma(oddP, m.constant(pp*p), x[5])),
	}
}

func (m *machine) filterGradient4(x vectors) vectors {
	evenP, oddP := m.weigh(m.add(x[1], x[2]), gp), m.weigh(m.sub(x[1], x[2]), gp)
	evenQ, oddQ := m.weigh(m.add(x[3], x[4]), gq), m.weigh(m.sub(x[3], x[4]), gq)
	return vectors{
		m.add(m.weigh(x[0], g0), m.add(evenP, evenQ)),
		m.fma(oddQ, m.constant(q), m.mul(oddP, m.constant(p))),
		m.fma(evenQ, m.constant(qq), m.fma(evenP, m.constant(pp), x[5])),
	}
}

// multiples reaches base + i·step for i < 6.
type multiples struct{ step, step3, step5 reg.GPVirtual }

func newMultiples(step reg.GPVirtual) multiples {
	s := multiples{step, GP64(), GP64()}
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, s.step3)
	LEAQ(Mem{Base: step, Index: step, Scale: 4}, s.step5)
	return s
}

func (s multiples) at(base reg.Register, i int) Mem {
	switch i {
	case 0:
		return Mem{Base: base}
	case 3:
		return Mem{Base: base, Index: s.step3, Scale: 1}
	case 5:
		return Mem{Base: base, Index: s.step5, Scale: 1}
	}
	return Mem{Base: base, Index: s.step, Scale: uint8(i)}
}

// lines returns the multiples of the distance between the lines of a transformed tile, of 4 or 6 positions each.
func lines(step reg.Register, positions int) multiples {
	line := GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: uint8(positions/2 - 1)}, line)
	SHLQ(U8(1), line)
	return newMultiples(line)
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

// columnMasks are the masks of a tile's columns: the lanes of the vector if the column exists, none otherwise.
type columnMasks struct {
	wide []reg.Register
	slot func(i int) Mem
}

// newColumnMasks sets them from the bits of the parameter cols.
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
			c.wide = append(c.wide, k)
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
	if m.isWide() {
		return m.load(from, c.wide[i])
	}
	mask := m.vector()
	VMOVAPS(c.slot(i), mask)
	return m.load(from, mask)
}

// spreadTile emits the transform of a square tile of the given size to positions×positions values. A clipped tile has lines and columns
// that do not exist and count as zeros.
func spreadTile(m *machine, name string, size, positions int, clipped bool, transform func(vectors) vectors) {
	TEXT(name+m.name, 0, "func(dst *float32, dstStep int, src *float32, first, srcRow, srcCol, n int, rows, cols uint)")
	Doc(fmt.Sprintf("%s%s is spreadGeneric for one transform; strides are in bytes.", name, m.name))
	dst, src := Load(Param("dst"), GP64()).(reg.GPVirtual), Load(Param("src"), GP64()).(reg.GPVirtual)
	ADDQ(argument("first"), src)
	outLines := lines(Load(Param("dstStep"), GP64()), positions)
	columns := newMultiples(Load(Param("srcCol"), GP64()).(reg.GPVirtual))
	f := m.newFrame(size*positions + size)

	m.overChannels([]Op{dst, src}, func(suffix string, tail reg.Register) {
		var masks columnMasks
		if clipped {
			masks = m.newColumnMasks(f, size*positions, size, tail)
		}
		line := GP64()
		MOVQ(src, line)
		for i := range size {
			missing, next := fmt.Sprintf("missing%d%s", i, suffix), fmt.Sprintf("next%d%s", i, suffix)
			if clipped {
				BTQ(U8(i), argument("rows"))
				JCC(LabelRef(missing))
			}
			var x vectors
			for j := range size {
				if clipped {
					x = append(x, m.loadColumn(masks, j, columns.at(line, j)))
				} else {
					x = append(x, m.load(columns.at(line, j), tail))
				}
			}
			for j, v := range transform(x) {
				VMOVAPS(v, f.at(i*positions+j))
			}
			if clipped {
				JMP(LabelRef(next))
				Label(missing)
				zero := m.zero()
				for j := range positions {
					VMOVAPS(zero, f.at(i*positions+j))
				}
				Label(next)
			}
			ADDQ(argument("srcRow"), line)
		}
		to := GP64()
		MOVQ(dst, to)
		for j := range positions {
			var x vectors
			for i := range size {
				v := m.vector()
				VMOVAPS(f.at(i*positions+j), v)
				x = append(x, v)
			}
			for i, v := range transform(x) {
				m.store(v, outLines.at(to, i), tail)
			}
			ADDQ(argument("dstStep"), to)
		}
	})
}

// collectTile emits the transform of positions×positions values to a square tile of the given size, of which only the first lines and
// columns are stored.
func collectTile(m *machine, name string, positions, size int, transform func(vectors) vectors) {
	TEXT(name+m.name, 0, "func(dst *float32, dstRow, dstCol int, src *float32, srcStep, n, rows, cols int, bias, add *float32, flags int)")
	Doc(fmt.Sprintf("%s%s is collectGeneric for one transform; strides are in bytes.", name, m.name))
	dst, src := Load(Param("dst"), GP64()).(reg.GPVirtual), Load(Param("src"), GP64()).(reg.GPVirtual)
	add := Load(Param("add"), GP64()).(reg.GPVirtual)
	inLines := lines(Load(Param("srcStep"), GP64()), positions)
	f, zero := m.newFrame(size*positions), m.zero()

	m.overChannels([]Op{dst, src, add, argument("bias")}, func(suffix string, tail reg.Register) {
		from := GP64()
		MOVQ(src, from)
		for j := range positions {
			var x vectors
			for i := range positions {
				x = append(x, m.load(inLines.at(from, i), tail))
			}
			for i, v := range transform(x) {
				VMOVAPS(v, f.at(i*positions+j))
			}
			ADDQ(argument("srcStep"), from)
		}
		offset, column, flags := GP64(), GP64(), GP64()
		XORQ(offset, offset)
		MOVQ(argument("flags"), flags)
		for i := range size {
			done := fmt.Sprintf("line%d%s", i, suffix)
			if i > 0 {
				CMPQ(argument("rows"), I8(i))
				JLE(LabelRef("stored" + suffix))
			}
			var x vectors
			for j := range positions {
				v := m.vector()
				VMOVAPS(f.at(i*positions+j), v)
				x = append(x, v)
			}
			MOVQ(offset, column)
			for j, v := range transform(x) {
				if j > 0 {
					CMPQ(argument("cols"), I8(j))
					JLE(LabelRef(done))
					ADDQ(argument("dstCol"), column)
				}
				m.finishPixel(v, fmt.Sprintf("%d%d%s", i, j, suffix), flags, dst, add, column, zero, tail)
			}
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

package main

import (
	"fmt"
	"maps"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// step is one vector of every operand of a flat kernel.
type step struct {
	*machine
	at   map[string]Mem
	mask reg.Register
}

func (s *step) get(name string) reg.VecVirtual    { return s.load(s.at[name], s.mask) }
func (s *step) put(name string, v reg.VecVirtual) { s.store(v, s.at[name], s.mask) }

// stream is put past the caches, where all lanes are used.
func (s *step) stream(name string, v reg.VecVirtual) {
	if s.mask != nil {
		s.put(name, v)
		return
	}
	VMOVNTPS(v, s.at[name])
}

// flat emits the loop of a kernel over n values of the named operands, and the function's end.
func (m *machine) flat(body func(s *step), operands ...string) {
	m.values(body, operands...)
	m.finish()
}

// values emits the loop alone.
func (m *machine) values(body func(s *step), operands ...string) {
	index, left := GP64(), Load(Param("n"), GP64()).(reg.GPVirtual)
	s := &step{machine: m, at: map[string]Mem{}}
	for _, name := range operands {
		s.at[name] = Mem{Base: Load(Param(name), GP64()), Index: index, Scale: 4}
	}
	XORQ(index, index)
	Label("loop")
	CMPQ(left, I8(m.lanes))
	JLT(LabelRef("tail"))
	body(s)
	ADDQ(I8(m.lanes), index)
	SUBQ(I8(m.lanes), left)
	JMP(LabelRef("loop"))
	Label("tail")
	TESTQ(left, left)
	JZ(LabelRef("done"))
	s.mask = m.tailMask(left)
	body(s)
	Label("done")
}

// panel is one column of vectors of a kernel over rows of channels.
type panel struct {
	*machine
	vectors  int
	mask     reg.Register
	channel  reg.GPVirtual // index of the first channel
	rows     map[string]Mem
	rowIndex reg.GPVirtual // offset of that channel in the row at hand
	firstRow reg.GPVirtual // offset of the first row of the group
	group    reg.GPVirtual // number of rows in the group
}

// channels returns vector v of a per-channel parameter.
func (p *panel) channels(name string) []reg.VecVirtual {
	base := Load(Param(name), GP64())
	var out []reg.VecVirtual
	for v := range p.vectors {
		out = append(out, p.load(Mem{Base: base, Index: p.channel, Scale: 4, Disp: 4 * v * p.lanes}, p.mask))
	}
	return out
}

// operands is channels for parameters that are used once for each row: they stay in memory where that is possible.
func (p *panel) operands(name string) []Op {
	var out []Op
	if p.mask != nil {
		return append(out, p.channels(name)[0])
	}
	base := Load(Param(name), GP64())
	for v := range p.vectors {
		out = append(out, Mem{Base: base, Index: p.channel, Scale: 4, Disp: 4 * v * p.lanes})
	}
	return out
}

// addChannels adds the vectors to a per-channel parameter.
func (p *panel) addChannels(name string, sums []reg.VecVirtual) {
	base := Load(Param(name), GP64())
	for v, sum := range sums {
		at := Mem{Base: base, Index: p.channel, Scale: 4, Disp: 4 * v * p.lanes}
		p.store(p.add(p.load(at, p.mask), sum), at, p.mask)
	}
}

// zeros returns one cleared accumulator for each vector.
func (p *panel) zeros() []reg.VecVirtual {
	var out []reg.VecVirtual
	for range p.vectors {
		out = append(out, p.zero())
	}
	return out
}

func (p *panel) get(name string, v int) reg.VecVirtual {
	return p.load(p.rows[name].Offset(4*v*p.lanes), p.mask)
}

func (p *panel) put(name string, v int, x reg.VecVirtual) {
	p.store(x, p.rows[name].Offset(4*v*p.lanes), p.mask)
}

// stream is put past the caches, where all lanes are used.
func (p *panel) stream(name string, v int, x reg.VecVirtual) {
	if p.mask != nil {
		p.put(name, v, x)
		return
	}
	VMOVNTPS(x, p.rows[name].Offset(4*v*p.lanes))
}

// overRows emits the loop over the rows of the panel: body once for each vector.
func (p *panel) overRows(body func(v int)) {
	name := fmt.Sprintf("rows%d", p.vectors)
	if p.mask != nil {
		name = "rowsTail"
	}
	left, stride := GP64(), Load(Param("c"), GP64())
	MOVQ(p.group, left)
	SHLQ(U8(2), stride)
	LEAQ(Mem{Base: p.firstRow, Index: p.channel, Scale: 4}, p.rowIndex)
	for _, operand := range p.operandsApart() {
		Load(Param(operand), p.rows[operand].Base)
	}
	Label(name)
	for v := range p.vectors {
		body(v)
	}
	for _, operand := range p.operandsApart() {
		ADDQ(argument(p.gaps[operand]), p.rows[operand].Base)
	}
	ADDQ(stride, p.rowIndex)
	DECQ(left)
	JNZ(LabelRef(name))
}

// operandsApart returns the names of operands with rows further apart, in alphabetical order.
func (p *panel) operandsApart() []string { return slices.Sorted(maps.Keys(p.gaps)) }

// skipGaps moves operands with rows further apart past the gaps of a group of rows: their place in memory is kept in
// the parameter, which costs no register.
func (p *panel) skipGaps() {
	for _, operand := range p.operandsApart() {
		gap := Load(Param(p.gaps[operand]), GP64())
		IMULQ(p.group, gap)
		ADDQ(gap, argument(operand))
	}
}

// How many rows are done for all channels before the next ones, if a row is wider than one panel. Most read and write
// faster in the order of memory, as long as the parameters and sums of all channels stay in the first-level cache; the
// sums over one tensor alone cost more than reading it, and pay for going through memory.
const (
	sumRows        = 8
	streamRows     = 1
	streamChannels = 1024
)

// panels emits the loop of a kernel over rows of c channels, rows > 0, and the function's end. The operands named are
// the tensors [rows,c], whose rows may lie apart; emit is called for panels of the given number of vectors, of half as
// many and so on, of one vector, and of a part of one.
func (m *machine) panels(vectors, groupRows int, emit func(p *panel), operands ...string) {
	p := &panel{machine: m, rows: map[string]Mem{}, channel: GP64(), rowIndex: GP64(), firstRow: GP64(), group: GP64()}
	for _, name := range operands {
		p.rows[name] = Mem{Base: Load(Param(name), GP64()), Index: p.rowIndex, Scale: 1}
	}
	rows, left := Load(Param("rows"), GP64()), GP64()
	XORQ(p.firstRow, p.firstRow)
	MOVQ(rows, p.group)
	Label("groups")
	Load(Param("c"), left)
	CMPQ(left, I32(vectors*m.lanes))
	JLE(LabelRef("group"))
	MOVQ(U32(uint32(groupRows)), p.group)
	if groupRows == streamRows {
		CMPQ(left, I32(streamChannels))
		JLE(LabelRef("stream"))
		MOVQ(U32(sumRows), p.group)
		Label("stream")
	}
	CMPQ(p.group, rows)
	CMOVQGT(rows, p.group)
	Label("group")
	XORQ(p.channel, p.channel)
	for p.vectors = vectors; p.vectors > 0; p.vectors /= 2 {
		this, next := fmt.Sprintf("panel%d", p.vectors), fmt.Sprintf("below%d", p.vectors)
		width := p.vectors * m.lanes
		Label(this)
		CMPQ(left, I8(width))
		JLT(LabelRef(next))
		emit(p)
		ADDQ(I8(width), p.channel)
		SUBQ(I8(width), left)
		JMP(LabelRef(this))
		Label(next)
	}
	TESTQ(left, left)
	JZ(LabelRef("nextGroup"))
	p.vectors, p.mask = 1, m.tailMask(left)
	emit(p)
	Label("nextGroup")
	stride := Load(Param("c"), GP64())
	IMULQ(p.group, stride)
	LEAQ(Mem{Base: p.firstRow, Index: stride, Scale: 4}, p.firstRow)
	p.skipGaps()
	SUBQ(p.group, rows)
	JNZ(LabelRef("groups"))
	m.finish()
}

// panelVectors is how many vectors wide a panel is whose kernel holds a few registers for each.
func (m *machine) panelVectors() int {
	if m.isWide() {
		return 4
	}
	return 2
}

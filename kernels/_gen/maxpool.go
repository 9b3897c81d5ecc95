package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("maxpool", "pooling", maxPool) }

// maxPool emits the maximum over one window, with and without its position.
func maxPool() {
	for _, m := range machines() {
		m.function("maxWindow", "(y, x *float32, height, width, rowStride, c int)",
			"is maxWindowGeneric for c channels; rowStride is in bytes.")
		m.windows(false)
		m.function("maxWindowArg",
			"(y *float32, arg *uint8, x *float32, height, width, rowStride, first, rowStep, c int)",
			"is maxWindowArgGeneric for c channels; rowStride is in bytes.")
		m.windows(true)
		m.maxGradient()
	}
}

// maxGradient emits the gradient of one window: dy is added where its position is.
func (m *machine) maxGradient() {
	m.function("maxGradient",
		"(dx, dy *float32, arg *uint8, height, width, rowStride, colStride, first, rowStep, vectors int)",
		"is maxGradientGeneric for whole vectors of channels; strides are in bytes.")
	dx, dy, arg := Load(Param("dx"), GP64()), Load(Param("dy"), GP64()), Load(Param("arg"), GP64())
	rowStride, colStride := Load(Param("rowStride"), GP64()), Load(Param("colStride"), GP64())
	first, one, skip := m.integers("first"), m.vector(), m.integers("rowStep")
	VMOVUPS(m.bits(1), one)
	VPSUBD(m.integers("width"), skip, skip)
	Label("channels")
	gradient, at, position := m.vector(), m.vector(), m.vector()
	VMOVUPS(Mem{Base: dy}, gradient)
	VPMOVZXBD(Mem{Base: arg}, at)
	VMOVUPS(first, position)
	row, height := GP64(), Load(Param("height"), GP64())
	MOVQ(dx, row)
	Label("row")
	to, width := GP64(), Load(Param("width"), GP64())
	MOVQ(row, to)
	Label("column")
	sum := m.load(Mem{Base: to}, nil)
	if m.isWide() {
		here := K()
		VPCMPEQD(at, position, here)
		VADDPS(gradient, sum, here, sum)
	} else {
		here := m.vector()
		VPCMPEQD(at, position, here)
		VADDPS(m.and(gradient, here), sum, sum)
	}
	m.store(sum, Mem{Base: to}, nil)
	VPADDD(one, position, position)
	ADDQ(colStride, to)
	DECQ(width)
	JNZ(LabelRef("column"))
	VPADDD(skip, position, position)
	ADDQ(rowStride, row)
	DECQ(height)
	JNZ(LabelRef("row"))
	ADDQ(I32(4*m.lanes), dx)
	ADDQ(I32(4*m.lanes), dy)
	ADDQ(I8(m.lanes), arg)
	DECQ(argument("vectors"))
	JNZ(LabelRef("channels"))
	m.finish()
}

// windowMax is the search in one window.
type windowMax struct {
	*machine
	y, x, arg, channel reg.GPVirtual
	positions          bool
	one, first, skip   reg.VecVirtual // steps of the position: to the next column, the corner, to the next row
}

// windows emits the loop over the channels and the function's end.
func (m *machine) windows(positions bool) {
	w := &windowMax{machine: m, positions: positions, channel: GP64()}
	w.y, w.x = Load(Param("y"), GP64()).(reg.GPVirtual), Load(Param("x"), GP64()).(reg.GPVirtual)
	if positions {
		w.arg = Load(Param("arg"), GP64()).(reg.GPVirtual)
		w.one, w.first, w.skip = m.vector(), m.integers("first"), m.integers("rowStep")
		VMOVUPS(m.bits(1), w.one)
		VPSUBD(m.integers("width"), w.skip, w.skip)
	}
	left := Load(Param("c"), GP64()).(reg.GPVirtual)
	XORQ(w.channel, w.channel)
	Label("channels")
	CMPQ(left, I8(m.lanes))
	JLT(LabelRef("tail"))
	w.search("whole", nil, nil)
	ADDQ(I8(m.lanes), w.channel)
	SUBQ(I8(m.lanes), left)
	JMP(LabelRef("channels"))
	Label("tail")
	TESTQ(left, left)
	JZ(LabelRef("done"))
	w.search("part", m.tailMask(left), left)
	Label("done")
	m.finish()
}

// integers returns the low half of an integer parameter in every lane.
func (m *machine) integers(name string) reg.VecVirtual {
	x, v := XMM(), m.vector()
	VMOVD(Load(Param(name), GP64()).(reg.GPVirtual).As32(), x)
	VPBROADCASTD(x, v)
	return v
}

// search emits the loops over the window for one vector of channels; a mask may take only the first left of them.
func (w *windowMax) search(label string, mask reg.Register, left reg.Register) {
	best := w.held(float32(math.Inf(-1)))
	var where, position reg.VecVirtual
	if w.positions {
		where, position = w.copy(w.first), w.copy(w.first)
	}
	row, rowsLeft, stride := GP64(), Load(Param("height"), GP64()), Load(Param("rowStride"), GP64())
	pixelStride := Load(Param("c"), GP64())
	SHLQ(U8(2), pixelStride)
	LEAQ(Mem{Base: w.x, Index: w.channel, Scale: 4}, row)
	Label(label + "Row")
	pixel, columnsLeft := GP64(), Load(Param("width"), GP64())
	MOVQ(row, pixel)
	Label(label + "Column")
	v := w.load(Mem{Base: pixel}, mask)
	w.replace(v, best, position, where)
	if w.positions {
		VPADDD(w.one, position, position)
	}
	ADDQ(pixelStride, pixel)
	DECQ(columnsLeft)
	JNZ(LabelRef(label + "Column"))
	if w.positions {
		VPADDD(w.skip, position, position)
	}
	ADDQ(stride, row)
	DECQ(rowsLeft)
	JNZ(LabelRef(label + "Row"))
	w.store(best, Mem{Base: w.y, Index: w.channel, Scale: 4}, mask)
	if w.positions {
		w.storeBytes(where, Mem{Base: w.arg, Index: w.channel, Scale: 1}, mask, left)
	}
}

// replace puts v into best, and position into where, in the lanes where v is larger or NaN.
func (w *windowMax) replace(v, best, position, where reg.VecVirtual) {
	if w.isWide() {
		larger, nan := K(), K()
		VCMPPS(U8(greater), best, v, larger)
		VCMPPS(U8(unordered), v, v, nan)
		KORW(nan, larger, larger)
		VMOVAPS(v, larger, best)
		if w.positions {
			VMOVDQA32(position, larger, where)
		}
		return
	}
	larger, nan := w.vector(), w.vector()
	VCMPPS(U8(greater), best, v, larger)
	VCMPPS(U8(unordered), v, v, nan)
	VORPS(nan, larger, larger)
	VBLENDVPS(larger, v, best, best)
	if w.positions {
		VBLENDVPS(larger, position, where, where)
	}
}

// storeBytes stores the low byte of every lane, or of the first left lanes if there is a mask.
func (w *windowMax) storeBytes(v reg.VecVirtual, to Mem, mask, left reg.Register) {
	if w.isWide() {
		if mask == nil {
			VPMOVDB(v, to)
		} else {
			VPMOVDB(v, mask, to)
		}
		return
	}
	high, packed := XMM(), XMM()
	VEXTRACTI128(U8(1), v, high)
	VPACKUSDW(high, v.AsX(), packed)
	VPACKUSWB(packed, packed, packed)
	if mask == nil {
		VMOVQ(packed, to)
		return
	}
	word, count, address := GP64(), GP64(), GP64()
	VMOVQ(packed, word)
	MOVQ(left, count)
	LEAQ(to, address)
	Label("bytes")
	MOVB(word.As8(), Mem{Base: address})
	SHRQ(U8(8), word)
	INCQ(address)
	DECQ(count)
	JNZ(LabelRef("bytes"))
}

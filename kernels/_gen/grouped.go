package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("grouped", "conv", grouped) }

// grouped emits the kernels of grouped convolutions. Tile shapes and windows are those of grouped_tile.go.
func grouped() {
	for _, m := range machines() {
		tiles, blocks, held := [][2]int{{2, 4}}, [][2]int{{1, 4}}, 1
		if m.isWide() {
			tiles, blocks, held = [][2]int{{4, 4}, {2, 4}}, [][2]int{{4, 4}, {2, 4}}, groupedTaps
		}
		for _, mixed := range []bool{false, true} {
			for _, w := range []groupedWindow{{stride: 1}, {stride: 2}, {stride: 2, turned: true}} {
				for _, tile := range tiles {
					m.groupedTile(tile[0], tile[1], held, w, mixed)
				}
				for _, block := range blocks {
					if !w.turned {
						m.groupedGradient(block[0], block[1], w, mixed)
					}
				}
			}
		}
	}
	m := machines()[0]
	m.copyHalves(false)
	m.copyHalves(true)
}

// copyHalves emits the copy of an image to a block of vectors, two halves of each from places of their own, or that of
// the image through a batch norm.
func (m *machine) copyHalves(normalised bool) {
	name, parameters := "copyHalves", ""
	if normalised {
		name, parameters = "copyNormalisedHalves", ", mean, scale, beta *float32, lo, hi float32"
	}
	m.function(name,
		"(dst *float32, dstLine int, src *float32, srcLine, pixel, second, lines, pixels int"+parameters+")",
		"copies lines of pixels to a block, see halves.copy. Strides are in bytes.")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	pixel, second := Load(Param("pixel"), GP64()), Load(Param("second"), GP64())
	lines := Load(Param("lines"), GP64())
	join := func(low, high Mem) reg.VecVirtual {
		v := m.vector()
		VMOVUPS(low, v.AsY())
		VINSERTF32X8(U8(1), high, v, v)
		return v
	}
	through := func(x reg.VecVirtual) reg.VecVirtual { return x }
	if normalised {
		ofChannels := func(name string) reg.VecVirtual {
			from := Load(Param(name), GP64())
			return join(Mem{Base: from}, Mem{Base: from, Index: second, Scale: 1})
		}
		mean, scale, beta := ofChannels("mean"), ofChannels("scale"), ofChannels("beta")
		lo, hi := m.param("lo"), m.param("hi")
		through = func(x reg.VecVirtual) reg.VecVirtual { return m.clamp(m.fma(m.sub(x, mean), scale, beta), lo, hi) }
	}
	Label("line")
	to, from, upper, pixels := GP64(), GP64(), GP64(), Load(Param("pixels"), GP64())
	MOVQ(dst, to)
	MOVQ(src, from)
	LEAQ(Mem{Base: src, Index: second, Scale: 1}, upper)
	step := func(count int) {
		for i := range count {
			low, high := Mem{Base: from}, Mem{Base: upper}
			if i > 0 {
				low.Index, low.Scale, high.Index, high.Scale = pixel, uint8(i), pixel, uint8(i)
			}
			VMOVUPS(through(join(low, high)), Mem{Base: to, Disp: 4 * m.lanes * i})
		}
		LEAQ(Mem{Base: from, Index: pixel, Scale: uint8(count)}, from)
		LEAQ(Mem{Base: upper, Index: pixel, Scale: uint8(count)}, upper)
		ADDQ(I32(4*m.lanes*count), to)
	}
	const unrolled = 2
	Label("several")
	CMPQ(pixels, U8(unrolled))
	JLT(LabelRef("single"))
	step(unrolled)
	SUBQ(U8(unrolled), pixels)
	JMP(LabelRef("several"))
	Label("single")
	TESTQ(pixels, pixels)
	JZ(LabelRef("copied"))
	step(1)
	DECQ(pixels)
	JMP(LabelRef("single"))
	Label("copied")
	ADDQ(argument("dstLine"), dst)
	ADDQ(argument("srcLine"), src)
	DECQ(lines)
	JNZ(LabelRef("line"))
	m.finish()
}

// groupedName says what a kernel is for; mixed if the lanes of a vector belong to several groups.
func groupedName(base string, rows, cols int, w groupedWindow, mixed bool) string {
	name := fmt.Sprintf("%s%dx%d%v", base, rows, cols, w)
	if mixed {
		return name + "Mixed"
	}
	return name
}

// each visits the outputs, of the given number, that see an input, with the tap through which they do.
func (w groupedWindow) each(input, outputs int, visit func(output, tap int)) {
	for output := range outputs {
		if tap, ok := w.tap(output, input); ok {
			visit(output, tap)
		}
	}
}

// seen reports whether outputs see an input through one of the taps [first, first+count).
func (w groupedWindow) seen(input, outputs, first, count int) (seen bool) {
	w.each(input, outputs, func(_, tap int) { seen = seen || tap >= first && tap < first+count })
	return seen
}

// String is the part of a kernel's name.
func (w groupedWindow) String() string {
	if w.turned {
		return fmt.Sprintf("Turned%d", w.stride)
	}
	return fmt.Sprintf("Stride%d", w.stride)
}

// lines are addresses of lines that lie a register's content apart.
type lines struct {
	bases []reg.Register // of every third line
	step  reg.Register
}

// newLines returns the addresses of some lines, the first of them at from.
func newLines(count int, from, step reg.Register) lines {
	l := lines{step: step}
	for i := 0; i < count; i += 3 {
		base := GP64()
		if i == 0 {
			MOVQ(from, base)
		} else {
			LEAQ(Mem{Base: l.bases[i/3-1], Index: step, Scale: 2}, base)
			ADDQ(step, base)
		}
		l.bases = append(l.bases, base)
	}
	return l
}

func (l *lines) at(line int) Mem {
	at := Mem{Base: l.bases[line/3]}
	if line%3 > 0 {
		at.Index, at.Scale = l.step, uint8(line%3)
	}
	return at
}

func (l *lines) advance(bytes Op) {
	for _, base := range l.bases {
		ADDQ(bytes, base)
	}
}

// input returns what the lanes of a vector see of an input channel of their groups in a pixel: one channel for all of
// them, or that channel of each lane's group, picked by an index vector.
func (m *machine) input(pixel Mem, index reg.Register) reg.VecVirtual {
	v := m.vector()
	if index == nil {
		VBROADCASTSS(pixel, v)
	} else {
		VPERMPS(pixel, index, v)
	}
	return v
}

// index loads the index vector of a channel.
func (m *machine) index(at reg.Register) reg.Register {
	v := m.vector()
	VMOVUPS(Mem{Base: at}, v)
	return v
}

// fetch emits a round of the stream of that name: see fetchStream.
func (m *machine) fetch(name string) {
	count := Load(Param(name+"Count"), GP64())
	Label(name)
	at, lines := Load(Param(name), GP64()), Load(Param(name+"Lines"), GP64())
	Label(name + "Line")
	PREFETCHT1(Mem{Base: at})
	ADDQ(I8(64), at)
	DECQ(lines)
	JNZ(LabelRef(name + "Line"))
	MOVQ(argument(name+"Pixel"), at)
	ADDQ(at, argument(name))
	DECQ(count)
	JNZ(LabelRef(name))
}

// groupedTile emits a tile of rows × cols pixels, one vector of output channels each. held is the number of lines of
// taps whose weights are in registers at once.
func (m *machine) groupedTile(rows, cols, held int, w groupedWindow, mixed bool) {
	m.function(groupedName("groupedTile", rows, cols, w, mixed),
		"(y *float32, yRow, yCol int, x *float32, xLine, xPlane int, w *float32, index *int32, "+
			"inner, planes, tiles int, past bool, soon *float32, soonPixel, soonCount, soonLines int)",
		fmt.Sprintf("computes tiles of %d lines of %d pixels, see groupedTile. Strides are in bytes.", rows, cols))
	x, y, xLine := Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("xLine"), GP64())
	Label("tile")
	acc := make([][]reg.VecVirtual, rows)
	for r := range acc {
		for range cols {
			acc[r] = append(acc[r], m.zero())
		}
	}
	m.fetch("soon")
	weights, plane, planes := Load(Param("w"), GP64()), GP64(), Load(Param("planes"), GP64())
	MOVQ(x, plane)

	Label("plane")
	pixels := newLines(w.inputs(rows), plane, xLine)
	index, inner := Load(Param("index"), GP64()), Load(Param("inner"), GP64())
	Label("channel")
	var pick reg.Register
	if mixed {
		pick = m.index(index)
	}
	for first := 0; first < groupedTaps; first += held {
		var tap [groupedTaps][groupedTaps]reg.VecVirtual
		for i := first; i < first+held; i++ {
			for j := range tap[i] {
				tap[i][j] = m.vector()
				VMOVUPS(Mem{Base: weights, Disp: 4 * m.lanes * (i*groupedTaps + j)}, tap[i][j])
			}
		}
		for line := range w.inputs(rows) {
			if !w.seen(line, rows, first, held) {
				continue
			}
			for column := range w.inputs(cols) {
				pixel := pixels.at(line)
				pixel.Disp = 4 * m.lanes * column
				v := m.input(pixel, pick)
				w.each(line, rows, func(r, i int) {
					w.each(column, cols, func(c, j int) {
						if i >= first && i < first+held {
							VFMADD231PS(tap[i][j], v, acc[r][c])
						}
					})
				})
			}
		}
	}
	ADDQ(I32(4*m.lanes*groupedTaps*groupedTaps), weights)
	if mixed {
		ADDQ(I32(4*m.lanes), index)
	} else {
		pixels.advance(I8(4))
	}
	DECQ(inner)
	JNZ(LabelRef("channel"))
	ADDQ(argument("xPlane"), plane)
	DECQ(planes)
	JNZ(LabelRef("plane"))

	yCol := Load(Param("yCol"), GP64())
	if m.isWide() { // of a whole cache line
		CMPB(argument("past"), U8(0))
		JE(LabelRef("cached"))
		storeTile(acc, y, yCol, func(sum, to Op) { VMOVNTPS(sum, to) })
		JMP(LabelRef("stored"))
	}
	Label("cached")
	storeTile(acc, y, yCol, func(sum, to Op) { VMOVUPS(sum, to) })
	Label("stored")
	for range cols {
		ADDQ(yCol, y)
	}
	ADDQ(I32(4*w.step(cols)*m.lanes), x)
	DECQ(argument("tiles"))
	JNZ(LabelRef("tile"))
	m.finish()
}

// storeTile stores a tile from y on.
func storeTile(acc [][]reg.VecVirtual, y, yCol reg.Register, store func(sum, to Op)) {
	line := GP64()
	MOVQ(y, line)
	for r := range acc {
		to := GP64()
		MOVQ(line, to)
		for _, sum := range acc[r] {
			store(sum, Mem{Base: to})
			ADDQ(yCol, to)
		}
		if r+1 < len(acc) {
			ADDQ(argument("yRow"), line)
		}
	}
}

// groupedGradient emits the weight gradient of a vector of output channels, for blocks of rows × cols pixels.
func (m *machine) groupedGradient(rows, cols int, w groupedWindow, mixed bool) {
	m.function(groupedName("groupedGradient", rows, cols, w, mixed),
		"(dw *float32, dy *float32, dyLine int, x *float32, xLine int, index *int32, inner, bands, blocks int, "+
			"soonDy *float32, soonDyPixel, soonDyCount, soonDyLines int, "+
			"soonX *float32, soonXPixel, soonXCount, soonXLines int)",
		fmt.Sprintf("adds up blocks of %d lines of %d pixels, see groupedGradient. Strides are in bytes.", rows, cols))
	dyLine, xLine := Load(Param("dyLine"), GP64()), Load(Param("xLine"), GP64())
	Label("channel")
	var acc [groupedTaps][groupedTaps]reg.VecVirtual
	for i := range acc {
		for j := range acc[i] {
			acc[i][j] = m.zero()
		}
	}
	var pick reg.Register
	if mixed {
		pick = m.index(Load(Param("index"), GP64()))
	}
	dyBand, xBand, bands := Load(Param("dy"), GP64()), Load(Param("x"), GP64()), Load(Param("bands"), GP64())
	Label("band")
	dy, x := newLines(rows, dyBand, dyLine), newLines(w.inputs(rows), xBand, xLine)
	blocks := Load(Param("blocks"), GP64())
	Label("block")
	m.fetch("soonDy")
	m.fetch("soonX")
	gradient := make([][]reg.VecVirtual, rows)
	for r := range gradient {
		for c := range cols {
			pixel, v := dy.at(r), m.vector()
			pixel.Disp = 4 * m.lanes * c
			VMOVUPS(pixel, v)
			gradient[r] = append(gradient[r], v)
		}
	}
	for line := range w.inputs(rows) {
		for column := range w.inputs(cols) {
			pixel := x.at(line)
			pixel.Disp = 4 * m.lanes * column
			v := m.input(pixel, pick)
			w.each(line, rows, func(r, i int) {
				w.each(column, cols, func(c, j int) { VFMADD231PS(gradient[r][c], v, acc[i][j]) })
			})
		}
	}
	dy.advance(I32(4 * cols * m.lanes))
	x.advance(I32(4 * w.step(cols) * m.lanes))
	DECQ(blocks)
	JNZ(LabelRef("block"))
	for range rows {
		ADDQ(dyLine, dyBand)
	}
	for range w.step(rows) {
		ADDQ(xLine, xBand)
	}
	DECQ(bands)
	JNZ(LabelRef("band"))

	dw := Load(Param("dw"), GP64())
	for i := range acc {
		for j, sum := range acc[i] {
			to := Mem{Base: dw, Disp: 4 * m.lanes * (i*groupedTaps + j)}
			VADDPS(to, sum, sum)
			VMOVUPS(sum, to)
		}
	}
	ADDQ(I32(4*m.lanes*groupedTaps*groupedTaps), argument("dw"))
	if mixed {
		ADDQ(I32(4*m.lanes), argument("index"))
	} else {
		ADDQ(I8(4), argument("x"))
	}
	DECQ(argument("inner"))
	JNZ(LabelRef("channel"))
	m.finish()
}

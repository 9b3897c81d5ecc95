package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("grouped", grouped) }

// grouped emits the kernels of grouped convolutions. Tile shapes and taps are those of grouped_tile.go.
func grouped() {
	for _, m := range machines() {
		tiles, blocks, chunks := [][2]int{{1, 8}, {2, 4}}, []int{4}, []int{2}
		if m.isWide() {
			tiles, blocks, chunks = [][2]int{{2, 8}, {2, 4}}, []int{8, 4}, []int{4, 2}
		}
		for _, mixed := range []bool{false, true} {
			for _, taps := range []window{{3, 1}, {3, 2}, {2, 1}, {1, 1}} {
				for _, tile := range tiles {
					m.groupedTile(tile[0], tile[1], taps, mixed)
				}
			}
			for _, taps := range []window{{3, 1}, {3, 2}} {
				for _, pixels := range blocks {
					for _, chunk := range chunks {
						m.groupedGradient(pixels, chunk, taps, mixed)
					}
				}
			}
		}
	}
}

// window is a line of taps and the distance of neighbouring windows.
type window struct{ taps, stride int }

// columns returns how many columns of the input the windows of that many outputs cover.
func (w window) columns(outputs int) int { return (outputs-1)*w.stride + w.taps }

// each visits the outputs, of that many, that see column c, with the tap through which they do.
func (w window) each(c, outputs int, visit func(output, tap int)) {
	for tap := range w.taps {
		if at := c - tap; at >= 0 && at%w.stride == 0 && at/w.stride < outputs {
			visit(at/w.stride, tap)
		}
	}
}

func (w window) String() string { return fmt.Sprintf("K%dS%d", w.taps, w.stride) }

// groupedName tells whether the lanes of a vector share their input channel, or belong to several groups.
func groupedName(base string, mixed bool) string {
	if mixed {
		return base + "Mixed"
	}
	return base
}

// input returns what the lanes of a vector see of input channel i of their groups, at column c: one channel for all of
// them, or that channel of each lane's group, picked by an index vector.
func (m *machine) input(at reg.Register, c, i int, index reg.Register) reg.VecVirtual {
	v := m.vector()
	pixel := Mem{Base: at, Disp: 4 * c * m.lanes}
	if index == nil {
		VBROADCASTSS(pixel.Offset(4*i), v)
	} else {
		VPERMPS(pixel, index, v)
	}
	return v
}

// groupedTile emits a tile of rows × cols pixels, one vector of output channels each.
func (m *machine) groupedTile(rows, cols int, w window, mixed bool) {
	m.function(groupedName(fmt.Sprintf("groupedTile%dx%d%s", rows, cols, w), mixed),
		"(y *float32, yRow, yCol int, x *float32, xRow, xLine, xPlane int, w *float32, wTap int, index *int32, inner, planes, kh, tiles int)",
		fmt.Sprintf("computes tiles of %d lines of %d pixels, see groupedTile. Strides are in bytes.", rows, cols))
	xTile, yTile := Load(Param("x"), GP64()), Load(Param("y"), GP64())
	wTap := Load(Param("wTap"), GP64())
	Label("tile")
	acc := make([][]reg.VecVirtual, rows)
	for r := range acc {
		for range cols {
			acc[r] = append(acc[r], m.zero())
		}
	}
	x, weights := GP64(), Load(Param("w"), GP64())
	MOVQ(xTile, x)
	kh := Load(Param("kh"), GP64())

	Label("line")
	planes := Load(Param("planes"), GP64())
	plane := make([]reg.Register, rows)
	for r := range plane {
		plane[r] = GP64()
		if r == 0 {
			MOVQ(x, plane[0])
			continue
		}
		MOVQ(argument("xRow"), plane[r])
		ADDQ(plane[r-1], plane[r])
	}
	Label("plane")
	at := make([]reg.Register, rows)
	for r := range at {
		at[r] = GP64()
		MOVQ(plane[r], at[r])
	}
	index, inner := Load(Param("index"), GP64()), Load(Param("inner"), GP64())
	Label("channel")
	tap := make([]reg.VecVirtual, w.taps)
	for k := range tap {
		tap[k] = m.vector()
		from := Mem{Base: weights}
		if k > 0 {
			from.Index, from.Scale = wTap, uint8(k)
		}
		VMOVUPS(from, tap[k])
	}
	var pick reg.Register
	if mixed {
		v := m.vector()
		VMOVUPS(Mem{Base: index}, v)
		pick = v
	}
	for c := range w.columns(cols) {
		for r := range rows {
			v := m.input(at[r], c, 0, pick)
			w.each(c, cols, func(output, k int) { VFMADD231PS(tap[k], v, acc[r][output]) })
		}
	}
	ADDQ(I32(4*m.lanes), weights)
	if mixed {
		ADDQ(I32(4*m.lanes), index)
	} else {
		for r := range at {
			ADDQ(I8(4), at[r])
		}
	}
	DECQ(inner)
	JNZ(LabelRef("channel"))
	for r := range plane {
		ADDQ(argument("xPlane"), plane[r])
	}
	DECQ(planes)
	JNZ(LabelRef("plane"))
	ADDQ(argument("xLine"), x)
	for range w.taps - 1 {
		ADDQ(wTap, weights)
	}
	DECQ(kh)
	JNZ(LabelRef("line"))

	yCol, line := Load(Param("yCol"), GP64()), GP64()
	MOVQ(yTile, line)
	for r := range acc {
		to := GP64()
		MOVQ(line, to)
		for _, sum := range acc[r] {
			VMOVUPS(sum, Mem{Base: to})
			ADDQ(yCol, to)
		}
		if r == 0 {
			MOVQ(to, yTile)
		}
		if r+1 < rows {
			ADDQ(argument("yRow"), line)
		}
	}
	ADDQ(I32(4*cols*w.stride*m.lanes), xTile)
	DECQ(argument("tiles"))
	JNZ(LabelRef("tile"))
	m.finish()
}

// groupedGradient emits the weight gradient of one line of taps and some input channels, for blocks of pixels.
func (m *machine) groupedGradient(pixels, channels int, w window, mixed bool) {
	m.function(groupedName(fmt.Sprintf("groupedGradient%dx%d%s", pixels, channels, w), mixed),
		"(dw *float32, dwTap int, dy *float32, dyLine int, x *float32, xLine int, index *int32, lines, blocks int)",
		fmt.Sprintf("adds up blocks of %d pixels for %d channels, see groupedGradient. Strides are in bytes.", pixels, channels))
	acc := make([][]reg.VecVirtual, channels)
	pick := make([]reg.Register, channels)
	index := Load(Param("index"), GP64())
	for i := range acc {
		for range w.taps {
			acc[i] = append(acc[i], m.zero())
		}
		if mixed {
			v := m.vector()
			VMOVUPS(Mem{Base: index, Disp: 4 * i * m.lanes}, v)
			pick[i] = v
		}
	}
	dyLine, xLine := Load(Param("dy"), GP64()), Load(Param("x"), GP64())
	lines := Load(Param("lines"), GP64())
	Label("line")
	dy, x, blocks := GP64(), GP64(), Load(Param("blocks"), GP64())
	MOVQ(dyLine, dy)
	MOVQ(xLine, x)
	Label("block")
	gradient := make([]reg.VecVirtual, pixels)
	for p := range gradient {
		gradient[p] = m.vector()
		VMOVUPS(Mem{Base: dy, Disp: 4 * p * m.lanes}, gradient[p])
	}
	for c := range w.columns(pixels) {
		for i := range channels {
			v := m.input(x, c, i, pick[i])
			w.each(c, pixels, func(p, k int) { VFMADD231PS(gradient[p], v, acc[i][k]) })
		}
	}
	ADDQ(I32(4*pixels*m.lanes), dy)
	ADDQ(I32(4*pixels*w.stride*m.lanes), x)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	ADDQ(argument("dyLine"), dyLine)
	ADDQ(argument("xLine"), xLine)
	DECQ(lines)
	JNZ(LabelRef("line"))

	dw, dwTap := Load(Param("dw"), GP64()), Load(Param("dwTap"), GP64())
	for k := range w.taps {
		for i := range channels {
			to := Mem{Base: dw, Disp: 4 * i * m.lanes}
			VADDPS(to, acc[i][k], acc[i][k])
			VMOVUPS(acc[i][k], to)
		}
		ADDQ(dwTap, dw)
	}
	m.finish()
}

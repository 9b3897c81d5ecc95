package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("depthwise", depthwise) }

// depthwise emits the kernels of depthwise convolutions, which multiply channel by channel.
func depthwise() {
	for _, set := range []vectorSet{wide, narrow} {
		for _, pixels := range []int{4, 1} {
			tapSum(set, pixels)
		}
		for _, taps := range []int{7, 5, 3, 1} {
			tapGradient(set, taps)
		}
	}
}

// tapSum emits the sum over a window of taps for neighbouring pixels at once, so that they share the weights' loads.
func tapSum(set vectorSet, pixels int) {
	name := fmt.Sprintf("tapSum%d%s", pixels, set.name)
	TEXT(name, NOSPLIT, "func(y *float32, yStep int, x *float32, xStep, xRow, xCol int, w *float32, wRow, wCol, rows, cols int, bias, add *float32, vectors, flags int)")
	Doc(fmt.Sprintf("%s computes %d pixels of a depthwise convolution, see tapSum. Strides are in bytes.", name, pixels))
	x, w := Load(Param("x"), GP64()), Load(Param("w"), GP64())
	xStep, xCol := Load(Param("xStep"), GP64()), Load(Param("xCol"), GP64())
	wCol := Load(Param("wCol"), GP64())
	offset := GP64() // of the channels
	XORQ(offset, offset)
	pixel := func(base reg.Register, i int, step, step3 reg.Register) Mem {
		m := Mem{Base: base}
		switch i {
		case 1, 2:
			m.Index, m.Scale = step, uint8(i)
		case 3:
			m.Index, m.Scale = step3, 1
		}
		return m
	}
	xStep3 := GP64()
	LEAQ(Mem{Base: xStep, Index: xStep, Scale: 2}, xStep3)

	Label("channels")
	acc := make([]reg.VecVirtual, pixels)
	for i := range acc {
		acc[i] = set.vector()
		VXORPS(acc[i], acc[i], acc[i])
	}
	xLine, wLine := GP64(), GP64()
	LEAQ(Mem{Base: x, Index: offset, Scale: 1}, xLine)
	LEAQ(Mem{Base: w, Index: offset, Scale: 1}, wLine)
	rows := Load(Param("rows"), GP64())
	Label("row")
	xTap, wTap := GP64(), GP64()
	MOVQ(xLine, xTap)
	MOVQ(wLine, wTap)
	cols := Load(Param("cols"), GP64())
	Label("tap")
	weight := set.vector()
	VMOVUPS(Mem{Base: wTap}, weight)
	for i := range acc {
		VFMADD231PS(pixel(xTap, i, xStep, xStep3), weight, acc[i])
	}
	ADDQ(xCol, xTap)
	ADDQ(wCol, wTap)
	DECQ(cols)
	JNZ(LabelRef("tap"))
	ADDQ(argument("xRow"), xLine)
	ADDQ(argument("wRow"), wLine)
	DECQ(rows)
	JNZ(LabelRef("row"))

	flags := Load(Param("flags"), GP64())
	TESTQ(U32(flagBias), flags)
	JZ(LabelRef("nobias"))
	bias := Load(Param("bias"), GP64())
	for i := range acc {
		VADDPS(Mem{Base: bias, Index: offset, Scale: 1}, acc[i], acc[i])
	}
	Label("nobias")
	yStep, yStep3 := Load(Param("yStep"), GP64()), GP64()
	LEAQ(Mem{Base: yStep, Index: yStep, Scale: 2}, yStep3)
	TESTQ(U32(flagAdd), flags)
	JZ(LabelRef("noadd"))
	add := Load(Param("add"), GP64())
	ADDQ(offset, add)
	for i := range acc {
		VADDPS(pixel(add, i, yStep, yStep3), acc[i], acc[i])
	}
	Label("noadd")
	TESTQ(U32(flagReLU), flags)
	JZ(LabelRef("norelu"))
	zero := set.vector()
	VXORPS(zero, zero, zero)
	for i := range acc {
		VMAXPS(acc[i], zero, acc[i]) // this order lets a NaN through
	}
	Label("norelu")
	y := Load(Param("y"), GP64())
	ADDQ(offset, y)
	for i := range acc {
		VMOVUPS(acc[i], pixel(y, i, yStep, yStep3))
	}
	ADDQ(U32(uint32(4*set.lanes)), offset)
	DECQ(argument("vectors"))
	JNZ(LabelRef("channels"))
	VZEROUPPER()
	RET()
}

// argument returns a parameter where it lies, for what does not fit into registers.
func argument(name string) Mem {
	at, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return at.Addr
}

// tapGradient emits the gradient of neighbouring taps, summed over a line of pixels.
func tapGradient(set vectorSet, taps int) {
	name := fmt.Sprintf("tapGradient%d%s", taps, set.name)
	TEXT(name, NOSPLIT, "func(dw *float32, dwCol int, dy *float32, dyStep int, x *float32, xStep, xCol, pixels, vectors int)")
	Doc(fmt.Sprintf("%s adds the gradient of %d neighbouring taps, see tapGradient. Strides are in bytes.", name, taps))
	dw, dwCol := Load(Param("dw"), GP64()), Load(Param("dwCol"), GP64())
	dy, dyStep := Load(Param("dy"), GP64()), Load(Param("dyStep"), GP64())
	x, xStep := Load(Param("x"), GP64()), Load(Param("xStep"), GP64())
	xCol := Load(Param("xCol"), GP64())
	xCol3 := GP64()
	LEAQ(Mem{Base: xCol, Index: xCol, Scale: 2}, xCol3)

	Label("channels")
	acc := make([]reg.VecVirtual, taps)
	to := GP64()
	MOVQ(dw, to)
	for i := range acc {
		acc[i] = set.vector()
		VMOVUPS(Mem{Base: to}, acc[i])
		ADDQ(dwCol, to)
	}
	dyPixel, xPixel, pixels := GP64(), GP64(), Load(Param("pixels"), GP64())
	MOVQ(dy, dyPixel)
	MOVQ(x, xPixel)
	Label("pixel")
	gradient := set.vector()
	VMOVUPS(Mem{Base: dyPixel}, gradient)
	bases := []reg.Register{xPixel, nil, nil} // of the taps 0, 3 and 6
	for i := 1; 3*i < taps; i++ {
		base := GP64()
		LEAQ(Mem{Base: bases[i-1], Index: xCol3, Scale: 1}, base)
		bases[i] = base
	}
	for i := range acc {
		tap := Mem{Base: bases[i/3]}
		if i%3 > 0 {
			tap.Index, tap.Scale = xCol, uint8(i%3)
		}
		VFMADD231PS(tap, gradient, acc[i])
	}
	ADDQ(dyStep, dyPixel)
	ADDQ(xStep, xPixel)
	DECQ(pixels)
	JNZ(LabelRef("pixel"))
	MOVQ(dw, to)
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: to})
		ADDQ(dwCol, to)
	}
	ADDQ(U32(uint32(4*set.lanes)), dw)
	ADDQ(U32(uint32(4*set.lanes)), dy)
	ADDQ(U32(uint32(4*set.lanes)), x)
	DECQ(argument("vectors"))
	JNZ(LabelRef("channels"))
	VZEROUPPER()
	RET()
}

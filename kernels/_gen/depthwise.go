package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() {
	register("depthwise", "conv", depthwise)
	shared["depthwise"] = depthwiseShared
}

// depthwise emits the kernels of depthwise convolutions, which multiply channel by channel. They read panels, in which
// the pixels of one block of channels follow each other.
func depthwise() {
	for _, m := range machines() {
		m.copyPixels("", "", nil)
		m.copyPixels("Clamped", ", lo, hi float32", func() func(z reg.VecVirtual) reg.VecVirtual {
			lo, hi := m.param("lo"), m.param("hi")
			return func(z reg.VecVirtual) reg.VecVirtual { return m.clamp(z, lo, hi) }
		})
		m.copyPixels("HardSwish", "", func() func(z reg.VecVirtual) reg.VecVirtual { return m.hardSwish })
		m.copyGradientPixels()
		tapSums(m.vectorSet)
		tapGradients(m.vectorSet)
	}
}

const (
	channelBlock = 16
	gradientTaps = 5
	slotBytes    = 4 * channelBlock // of a pixel in a panel
	tapBytes     = 16               // of an element of the list of taps: two offsets
)

// depthwiseShared declares what the kernels' callers have to know.
func depthwiseShared() string {
	return fmt.Sprintf(`
// channelBlock is how many channels of a pixel lie together in a panel: a vector of AVX-512, two of AVX2.
const channelBlock = %d

// gradientTaps is how many taps the assembly sums at once: enough that no sum waits for its last addition.
const gradientTaps = %d

// The bits of the flags of a tapSum and of a tileTarget, in the order in which they take effect.
%s`, channelBlock, gradientTaps, flagConstants(convFlags))
}

// depthwiseTiles are the numbers of pixels of a line that the kernels compute at once. The last tile has the smaller
// number if that is enough.
var depthwiseTiles = []int{8, 4}

// copyPixels emits the copy of one block of channels to a panel, on the way through a batch norm if there is an
// activation.
func (m *machine) copyPixels(name, parameters string, activation func() func(z reg.VecVirtual) reg.VecVirtual) {
	what := "pixels"
	if activation != nil {
		parameters, what = ", mean, scale, beta *float32"+parameters, "normalised pixels"
	}
	m.copyFunction(name, "src", parameters, what)
	through := func(x reg.VecVirtual, _ int) reg.VecVirtual { return x }
	if activation != nil {
		mean, scale, beta := m.blockOf("mean"), m.blockOf("scale"), m.blockOf("beta")
		act := activation()
		through = func(x reg.VecVirtual, v int) reg.VecVirtual {
			return act(m.fma(m.sub(x, mean[v]), scale[v], beta[v]))
		}
	}
	ahead := Load(Param("ahead"), GP64())
	m.overPixels(func(v int, from Mem) reg.VecVirtual {
		return through(m.load(from, nil), v)
	}, func(from Mem) {
		PREFETCHT1(from.Idx(ahead, 1))
	})
}

// copyGradientPixels emits the copy of one block of channels of a batch norm's gradient to a panel.
func (m *machine) copyGradientPixels() {
	m.copyFunction("Gradient", "src, x", ", mean, scale, slope, offset *float32", "pixels of a batch norm's gradient")
	mean, scale, slope, offset := m.blockOf("mean"), m.blockOf("scale"), m.blockOf("slope"), m.blockOf("offset")
	x, ahead, xAhead := Load(Param("x"), GP64()), Load(Param("ahead"), GP64()), GP64()
	SUBQ(argument("src"), x) // from src
	LEAQ(Mem{Base: x, Index: ahead, Scale: 1}, xAhead)
	m.overPixels(func(v int, from Mem) reg.VecVirtual {
		d := m.sub(m.load(from.Idx(x, 1), nil), mean[v])
		return m.fma(scale[v], from, m.fma(d, slope[v], offset[v]))
	}, func(from Mem) {
		PREFETCHT1(from.Idx(ahead, 1))
		PREFETCHT1(from.Idx(xAhead, 1))
	})
}

// copyFunction begins a function that copies pixels to a panel.
func (m *machine) copyFunction(name, from, parameters, what string) {
	m.function("copy"+name+"Pixels",
		"(dst *float32, dstLine int, "+from+" *float32, srcLine, srcPixel, pixels, lines, ahead int"+parameters+")",
		"copies lines of "+what+" to a panel, see depthwisePanel.copyPixels. Strides are in bytes.")
}

// overPixels emits the loop of a function that copies pixels. value emits each vector of a pixel. fetch emits the
// prefetch of pixels that are copied later, as the loop waits for memory anyway.
func (m *machine) overPixels(value func(v int, from Mem) reg.VecVirtual, fetch func(from Mem)) {
	dst, dstLine := Load(Param("dst"), GP64()), Load(Param("dstLine"), GP64())
	src, srcLine := Load(Param("src"), GP64()), Load(Param("srcLine"), GP64())
	srcPixel, lines := Load(Param("srcPixel"), GP64()), Load(Param("lines"), GP64())
	Label("line")
	from, to, left := GP64(), GP64(), Load(Param("pixels"), GP64())
	MOVQ(src, from)
	MOVQ(dst, to)
	Label("pixel")
	for v := range slotBytes / (4 * m.lanes) {
		at := v * 4 * m.lanes
		VMOVUPS(value(v, Mem{Base: from, Disp: at}), Mem{Base: to, Disp: at})
	}
	fetch(Mem{Base: from})
	ADDQ(srcPixel, from)
	ADDQ(U32(slotBytes), to)
	DECQ(left)
	JNZ(LabelRef("pixel"))
	ADDQ(srcLine, src)
	ADDQ(dstLine, dst)
	DECQ(lines)
	JNZ(LabelRef("line"))
	m.finish()
}

// blockOf returns the values of a block of channels.
func (m *machine) blockOf(parameter string) []reg.VecVirtual {
	from := Load(Param(parameter), GP64())
	var block []reg.VecVirtual
	for at := 0; at < slotBytes; at += 4 * m.lanes {
		block = append(block, m.load(Mem{Base: from, Disp: at}, nil))
	}
	return block
}

// overTiles emits the loop over the lines and, within a line, over tiles of pixels: beginLine for each line, tile for
// each tile, with the number of pixels that are left of the line.
func overTiles(beginLine func(), tile func(pixels int, left reg.Register), endLine func()) {
	left := GP64()
	Label("line")
	Load(Param("pixels"), left)
	beginLine()
	Label("tile")
	for i, pixels := range depthwiseTiles {
		if i+1 < len(depthwiseTiles) {
			CMPQ(left, U32(uint32(depthwiseTiles[i+1])))
			JLE(LabelRef(fmt.Sprintf("tile%d", depthwiseTiles[i+1])))
		}
		Label(fmt.Sprintf("tile%d", pixels))
		tile(pixels, left)
		SUBQ(U32(uint32(pixels)), left)
		JG(LabelRef("tile"))
		if i+1 < len(depthwiseTiles) {
			JMP(LabelRef("lineEnd"))
		}
	}
	Label("lineEnd")
	endLine()
	DECQ(argument("lines"))
	JNZ(LabelRef("line"))
}

// tapSums emits the sum over a window of taps for every pixel of some lines. Loads are as scarce as multiplications:
// where three taps are neighbours, every value is loaded once for all of them.
func tapSums(set vectorSet) {
	name := "tapSums" + set.name
	TEXT(name, NOSPLIT, "func(y *float32, yStep, yLine int, x *float32, xLine int, w *float32, "+
		"taps *int, triples, count int, bias, add, soon, also *float32, soonStep, fetches int, "+
		"shift, sums *float32, sumsRow, pixels, lines, flags int)")
	Doc(name + " computes lines of a depthwise convolution for one vector of channels, see tapSum. " +
		"Strides are in bytes.")
	yStep, x, w := Load(Param("yStep"), GP64()), Load(Param("x"), GP64()), Load(Param("w"), GP64())
	flags := Load(Param("flags"), GP64())
	yPixel, addPixel, xTile := GP64(), GP64(), GP64()
	soon := Load(Param("soon"), GP64())
	sum, square := set.vector(), set.vector()
	VXORPS(sum, sum, sum)
	VXORPS(square, square, square)
	overTiles(
		func() {
			Load(Param("y"), yPixel)
			Load(Param("add"), addPixel)
			MOVQ(x, xTile)
		},
		func(pixels int, left reg.Register) {
			label := func(name string) string { return fmt.Sprintf("%s%d", name, pixels) }
			acc := make([]reg.VecVirtual, pixels)
			for i := range acc {
				acc[i] = set.vector()
				VXORPS(acc[i], acc[i], acc[i])
			}
			fetch(soon, label("fetch"))
			tap, triples := Load(Param("taps"), GP64()), Load(Param("triples"), GP64())
			TESTQ(triples, triples)
			JZ(LabelRef(label("notriples")))
			Label(label("triple"))
			xTriple, weights := GP64(), make([]reg.VecVirtual, 3)
			MOVQ(Mem{Base: tap}, xTriple)
			for j := range weights {
				wTap := GP64()
				MOVQ(Mem{Base: tap, Disp: j*tapBytes + 8}, wTap)
				weights[j] = set.vector()
				VMOVUPS(Mem{Base: w, Index: wTap, Scale: 4}, weights[j])
			}
			for i := range pixels + len(weights) - 1 {
				value := set.vector()
				VMOVUPS(Mem{Base: xTile, Index: xTriple, Scale: 4, Disp: i * slotBytes}, value)
				for j, weight := range weights {
					if i >= j && i-j < pixels {
						VFMADD231PS(value, weight, acc[i-j])
					}
				}
			}
			ADDQ(U32(3*tapBytes), tap)
			DECQ(triples)
			JNZ(LabelRef(label("triple")))
			Label(label("notriples"))
			taps := Load(Param("count"), GP64())
			TESTQ(taps, taps)
			JZ(LabelRef(label("summed")))
			Label(label("tap"))
			xTap, wTap, weight := GP64(), GP64(), set.vector()
			MOVQ(Mem{Base: tap}, xTap)
			MOVQ(Mem{Base: tap, Disp: 8}, wTap)
			VMOVUPS(Mem{Base: w, Index: wTap, Scale: 4}, weight)
			for i := range acc {
				VFMADD231PS(Mem{Base: xTile, Index: xTap, Scale: 4, Disp: i * slotBytes}, weight, acc[i])
			}
			ADDQ(U32(tapBytes), tap)
			DECQ(taps)
			JNZ(LabelRef(label("tap")))
			Label(label("summed"))

			// pass emits a step for every pixel of the tile. JZ skips it if the flag is not set, JNZ if it is.
			pass := func(name string, flag uint32, unless func(Op), each func(i int)) {
				TESTQ(U32(flag), flags)
				unless(LabelRef(label("no" + name)))
				for i := range acc {
					if i > 0 && (pixels == depthwiseTiles[len(depthwiseTiles)-1] || i > pixels/2) {
						CMPQ(left, U32(uint32(i)))
						JLE(LabelRef(label("no" + name)))
					}
					each(i)
				}
				Label(label("no" + name))
			}
			TESTQ(U32(flagBias), flags)
			JZ(LabelRef(label("nobias")))
			bias := Load(Param("bias"), GP64())
			for i := range acc {
				VADDPS(Mem{Base: bias}, acc[i], acc[i])
			}
			Label(label("nobias"))
			pass("add", flagAdd, JZ, func(i int) {
				VADDPS(Mem{Base: addPixel}, acc[i], acc[i])
				ADDQ(yStep, addPixel)
			})
			TESTQ(U32(flagReLU), flags)
			JZ(LabelRef(label("norelu")))
			zero := set.vector()
			VXORPS(zero, zero, zero)
			for i := range acc {
				VMAXPS(acc[i], zero, acc[i]) // this order lets a NaN through
			}
			Label(label("norelu"))
			shift := Load(Param("shift"), GP64())
			pass("sums", flagSums, JZ, func(i int) {
				deviation := set.vector()
				VSUBPS(Mem{Base: shift}, acc[i], deviation)
				VADDPS(deviation, sum, sum)
				VFMADD231PS(deviation, deviation, square)
			})
			pass("stream", flagStream, JZ, func(i int) {
				VMOVNTPS(acc[i], Mem{Base: yPixel})
				ADDQ(yStep, yPixel)
			})
			pass("store", flagStream, JNZ, func(i int) {
				VMOVUPS(acc[i], Mem{Base: yPixel})
				ADDQ(yStep, yPixel)
			})
			ADDQ(U32(uint32(pixels*slotBytes)), xTile)
		},
		func() {
			line := Load(Param("yLine"), GP64())
			ADDQ(line, argument("y"))
			ADDQ(line, argument("add"))
			ADDQ(argument("xLine"), x)
		},
	)
	TESTQ(U32(flagStream), flags)
	JZ(LabelRef("stored"))
	SFENCE()
	Label("stored")
	TESTQ(U32(flagSums), flags)
	JZ(LabelRef("summed"))
	sums, sumsRow := Load(Param("sums"), GP64()), Load(Param("sumsRow"), GP64())
	for _, v := range []reg.VecVirtual{sum, square} {
		VADDPS(Mem{Base: sums}, v, v)
		VMOVUPS(v, Mem{Base: sums})
		ADDQ(sumsRow, sums)
	}
	Label("summed")
	VZEROUPPER()
	RET()
}

// fetch asks the processor to bring memory into the second-level cache: a line each at soon and at also, see fetching.
func fetch(soon reg.Register, name string) {
	also, step, left := Load(Param("also"), GP64()), Load(Param("soonStep"), GP64()), Load(Param("fetches"), GP64())
	SUBQ(argument("soon"), also) // from soon
	TESTQ(left, left)
	JZ(LabelRef("no" + name))
	Label(name)
	PREFETCHT1(Mem{Base: soon})
	PREFETCHT1(Mem{Base: soon, Index: also, Scale: 1})
	ADDQ(step, soon)
	DECQ(left)
	JNZ(LabelRef(name))
	Label("no" + name)
}

// argument returns a parameter in memory, for values that do not fit into registers.
func argument(name string) Mem {
	at, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return at.Addr
}

// tapGradients emits the gradients of a list of taps, summed over lines of pixels. Each tile of the output's gradient
// is held in registers while the taps pass by. Meanwhile the kernel fetches what is read later.
func tapGradients(set vectorSet) {
	name := "tapGradients" + set.name
	TEXT(name, NOSPLIT, "func(sums *float32, taps *int, groups int, dy *float32, dyPixel, dyLine int, "+
		"x *float32, xLine int, soon, also *float32, soonStep, fetches, pixels, lines int)")
	Doc(fmt.Sprintf("%s adds up the gradients of groups of %d taps for one vector of channels, see tapGradient. "+
		"Strides are in bytes.", name, gradientTaps))
	x, dy := Load(Param("x"), GP64()), Load(Param("dy"), GP64())
	xTile, dyTile, soon := GP64(), GP64(), Load(Param("soon"), GP64())
	overTiles(
		func() {
			MOVQ(x, xTile)
			MOVQ(dy, dyTile)
		},
		func(pixels int, _ reg.Register) {
			gradient := make([]reg.VecVirtual, pixels)
			dyPixel := Load(Param("dyPixel"), GP64())
			for i := range gradient {
				gradient[i] = set.vector()
				VMOVUPS(Mem{Base: dyTile}, gradient[i])
				ADDQ(dyPixel, dyTile)
			}
			fetch(soon, fmt.Sprintf("fetch%d", pixels))
			tap, sum, groups := Load(Param("taps"), GP64()), Load(Param("sums"), GP64()), Load(Param("groups"), GP64())
			label := fmt.Sprintf("taps%d", pixels)
			Label(label)
			acc, at := make([]reg.VecVirtual, gradientTaps), make([]Mem, gradientTaps)
			for j := range acc {
				offset := GP64()
				MOVQ(Mem{Base: tap, Disp: j * tapBytes}, offset)
				at[j] = Mem{Base: xTile, Index: offset, Scale: 4}
				acc[j] = set.vector()
				VMOVUPS(Mem{Base: sum, Disp: j * slotBytes}, acc[j])
			}
			for i := range gradient {
				for j := range acc {
					VFMADD231PS(at[j].Offset(i*slotBytes), gradient[i], acc[j])
				}
			}
			for j := range acc {
				VMOVUPS(acc[j], Mem{Base: sum, Disp: j * slotBytes})
			}
			ADDQ(U32(gradientTaps*tapBytes), tap)
			ADDQ(U32(gradientTaps*slotBytes), sum)
			DECQ(groups)
			JNZ(LabelRef(label))
			ADDQ(U32(uint32(pixels*slotBytes)), xTile)
		},
		func() {
			ADDQ(argument("xLine"), x)
			ADDQ(argument("dyLine"), dy)
		},
	)
	VZEROUPPER()
	RET()
}

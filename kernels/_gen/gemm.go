package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("gemm", "gemm", gemm) }

// gemm emits the register tiles of the matrix product.
func gemm() {
	wideTiles.each(func(rows, cols int) { newTile(wide, rows, cols).emit() })
	tailMask := tailMaskTable()
	narrowTiles.each(func(rows, cols int) {
		t := newTile(narrow, rows, cols)
		t.tailMask = tailMask
		t.emit()
	})
}

// vectorSet is what differs between the instruction sets.
type vectorSet struct {
	name   string
	lanes  int
	vector func() reg.VecVirtual
}

var (
	wide   = vectorSet{"AVX512", 16, ZMM}
	narrow = vectorSet{"AVX2", 8, YMM}
)

// tile is the state of one kernel while it is emitted.
type tile struct {
	vectorSet
	suffix      string                         // of the kernel's name
	multiplyAdd func(a, b, acc reg.VecVirtual) // acc += a·b
	rows, cols  int
	vectors     int
	acc         [][]reg.VecVirtual // [row][vector]
	tailMask    Mem                // AVX2: all ones, then zeros

	call                reg.Register // the address of the tileCall at hand
	limit, width, flags reg.Register
	maskedColumns       bool
	masks               []reg.Register
}

func newTile(set vectorSet, rows, cols int) *tile {
	multiplyAdd := func(a, b, acc reg.VecVirtual) { VFMADD231PS(a, b, acc) }
	vectors := (cols + set.lanes - 1) / set.lanes
	return &tile{vectorSet: set, suffix: set.name, multiplyAdd: multiplyAdd, rows: rows, cols: cols, vectors: vectors}
}

// register returns a register for the v-th vector of columns.
func (t *tile) register(v int) reg.VecVirtual {
	return t.narrowed(t.vector(), v)
}

// narrowed returns the part of a register that the v-th vector of columns needs: half where no more columns are left.
func (t *tile) narrowed(r reg.VecVirtual, v int) reg.VecVirtual {
	if t.cols-v*t.lanes < t.lanes {
		return r.AsY().(reg.VecVirtual)
	}
	return r
}

// rowsPerBase is how many rows of A one address register reaches: base, base+step and base+2·step.
const rowsPerBase = 3

func (t *tile) emit() {
	name := fmt.Sprintf("tile%dx%d%s", t.rows, t.cols, t.suffix)
	TEXT(name, NOSPLIT, "func(calls *int, count, bands int)")
	Pragma("noescape")
	Doc(name+fmt.Sprintf(" computes tiles of at most %d rows and %d columns of C = A·B, see tileCall.", t.rows, t.cols),
		"All of A's rows and B's columns are read, only rows × cols of C are touched.")
	t.call = GP64()
	left := AllocLocal(8)
	Label("list")
	MOVQ(argument("calls"), t.call)
	count := Load(Param("count"), GP64())
	MOVQ(count, left)
	Label("tile")
	t.clear()
	t.prefetch("from", flagAccumulate)
	t.prefetch("add", flagAdd)
	t.accumulate()
	t.limit = t.value("rows")
	t.width = t.value("cols")
	t.flags = t.value("flags")
	if t.name == "AVX512" {
		t.makeOpMasks()
		t.epilogue("")
		t.next(left)
		return
	}
	CMPQ(t.width, U32(uint32(t.cols)))
	JNE(LabelRef("tail"))
	t.epilogue("full")
	JMP(LabelRef("next"))
	Label("tail")
	t.makeVectorMasks()
	t.maskedColumns = true
	t.epilogue("tail")
	t.next(left)
}

func (t *tile) field(name string) Mem {
	return Mem{Base: t.call, Disp: 8 * slices.Index(tileFields, name)}
}

// value loads a field.
func (t *tile) value(name string) reg.GPVirtual {
	value := GP64()
	MOVQ(t.field(name), value)
	return value
}

// next emits the step to the next tile of the list, or to the next band of the first, and the return after the last.
func (t *tile) next(left Mem) {
	Label("next")
	for _, moving := range []string{"a", "ahead", "c", "from", "add"} {
		step := t.value(moving + "Band")
		ADDQ(step, t.field(moving))
	}
	ADDQ(U32(uint32(8*len(tileFields))), t.call)
	DECQ(left)
	JNZ(LabelRef("tile"))
	DECQ(argument("bands"))
	JNZ(LabelRef("list"))
	VZEROUPPER()
	RET()
}

func (t *tile) clear() {
	t.acc = make([][]reg.VecVirtual, t.rows)
	for r := range t.acc {
		t.acc[r] = make([]reg.VecVirtual, t.vectors)
		for v := range t.acc[r] {
			t.acc[r][v] = t.register(v)
			VXORPS(t.acc[r][v], t.acc[r][v], t.acc[r][v])
		}
	}
}

// prefetch has the rows of a matrix that is added after the loop fetched before it, if the flag is set.
func (t *tile) prefetch(base string, flag uint32) {
	flags := t.value("flags")
	TESTQ(U32(flag), flags)
	JZ(LabelRef("unfetched" + base))
	at, row := t.value(base), t.value(base+"Row")
	for range t.rows {
		for line := 0; line < 4*t.cols; line += 64 {
			PREFETCHT0(Mem{Base: at, Disp: line})
		}
		ADDQ(row, at)
	}
	Label("unfetched" + base)
}

// accumulate emits the loops over the depth: acc[r] += a[r]·b.
func (t *tile) accumulate() {
	l := t.depthLoop()
	TESTQ(l.depth, l.depth)
	JZ(LabelRef("done"))
	Label("stretch")
	if t.unrolls() {
		t.chooseUnrolled(&l)
	}
	Label("depth")
	l.step(t, func(v int) Mem { return Mem{Base: l.b, Disp: v * t.lanes * 4} },
		func(r int) Mem { return l.inRows(r, 0) })
	PREFETCHT1(Mem{Base: l.ahead})
	PREFETCHT1(Mem{Base: l.ahead, Disp: 64})
	ADDQ(l.aheadStep, l.ahead)
	ADDQ(l.bStep, l.b)
	for _, base := range l.bases {
		ADDQ(l.aStep, base)
	}
	DECQ(l.depth)
	JNZ(LabelRef("depth"))
	Label("stretched")
	DECQ(l.stretches)
	JZ(LabelRef("done"))
	distance := t.value("aStretch")
	for _, base := range l.bases {
		ADDQ(distance, base)
	}
	MOVQ(t.field("depth"), l.depth)
	JMP(LabelRef("stretch"))
	Label("done")
}

// depthLoop is what the loops over the depth keep in registers.
type depthLoop struct {
	depth, stretches, aRow, aStep, b, bStep, ahead, aheadStep reg.Register

	bases []reg.Register // of each rowsPerBase rows of A
}

func (t *tile) depthLoop() depthLoop {
	l := depthLoop{
		depth: t.value("depth"), stretches: t.value("stretches"), aRow: t.value("aRow"), aStep: t.value("aStep"),
		b: t.value("b"), bStep: t.value("bStep"), ahead: t.value("ahead"), aheadStep: t.value("aheadStep"),
	}
	l.bases = make([]reg.Register, (t.rows+rowsPerBase-1)/rowsPerBase)
	l.bases[0] = t.value("a")
	for i := 1; i < len(l.bases); i++ {
		base := GP64()
		LEAQ(Mem{Base: l.bases[i-1], Index: l.aRow, Scale: 2}, base)
		ADDQ(l.aRow, base)
		l.bases[i] = base
	}
	return l
}

// inRows is the element of row r of A, u steps further on, where rows are aRow apart.
func (l *depthLoop) inRows(r, u int) Mem {
	element := Mem{Base: l.bases[r/rowsPerBase], Disp: 4 * u}
	if i := r % rowsPerBase; i > 0 {
		element.Index, element.Scale = l.aRow, uint8(i)
	}
	return element
}

// step emits one step: the products of a column of A and a row of B.
func (l *depthLoop) step(t *tile, row func(v int) Mem, column func(r int) Mem) {
	bv := make([]reg.VecVirtual, t.vectors)
	for v := range bv {
		bv[v] = t.register(v)
		VMOVUPS(row(v), bv[v])
	}
	for r := range t.rows {
		if t.embeds() {
			for v := range bv {
				VFMADD231PS_BCST(column(r), bv[v], t.acc[r][v])
			}
			continue
		}
		av := t.vector()
		VBROADCASTSS(column(r), av)
		for v := range bv {
			t.multiplyAdd(bv[v], av, t.acc[r][v])
		}
	}
}

// fetchAhead is how many bytes of a panel of B lie between what a step reads and what it fetches into the first-level
// cache: panels come from the second level or from farther away.
const fetchAhead = 2048

// unrolled is how many steps of the depth a loop does at once.
const unrolled = 4

// unrolls reports whether the tile has such loops: the narrower ones and those of pairs have none.
func (t *tile) unrolls() bool { return t.suffix == t.name && t.cols == 2*t.lanes }

// panelBytes is the distance of the rows of a packed panel.
func (t *tile) panelBytes() int { return 4 * t.cols }

// chooseUnrolled emits the unrolled loops and the choice among them. The steps that are left over, and factors that lie
// in other ways, are those of the plain loop.
func (t *tile) chooseUnrolled(l *depthLoop) {
	flags := t.value("flags")
	TESTQ(U32(flagUnroll), flags)
	JZ(LabelRef("depth"))
	CMPQ(l.aheadStep, U8(128/unrolled))
	JHI(LabelRef("depth"))
	CMPQ(l.aRow, U8(4))
	JE(LabelRef("columns"))
	CMPQ(l.aStep, U8(4))
	JNE(LabelRef("depth"))
	CMPQ(l.bStep, U32(uint32(t.panelBytes())))
	JNE(LabelRef("depth"))
	t.unrollRows(l)
	JMP(LabelRef("rest"))
	t.unrollColumns(l)
	Label("rest")
	ADDQ(U8(unrolled), l.depth)
	JZ(LabelRef("stretched"))
}

// unrollRows emits the loop for rows of A that lie as they are, and packed columns of B.
func (t *tile) unrollRows(l *depthLoop) {
	inPanel := func(v, u int) Mem { return Mem{Base: l.b, Disp: u*t.panelBytes() + v*t.lanes*4} }
	l.repeat("rows", func() {
		for u := range unrolled {
			l.step(t, func(v int) Mem { return inPanel(v, u) }, func(r int) Mem { return l.inRows(r, u) })
			for line := 0; line < t.panelBytes(); line += 64 {
				PREFETCHT0(Mem{Base: l.b, Disp: u*t.panelBytes() + fetchAhead + line})
			}
		}
		ADDQ(U32(uint32(unrolled*t.panelBytes())), l.b)
		for _, base := range l.bases {
			ADDQ(U8(4*unrolled), base)
		}
	})
}

// unrollColumns emits the loop for columns of A or panels of it, whose rows are neighbours.
func (t *tile) unrollColumns(l *depthLoop) {
	Label("columns")
	a, b := l.bases[0], l.b
	third := func(base, step reg.Register) reg.Register {
		at := GP64()
		LEAQ(Mem{Base: base, Index: step, Scale: 2}, at)
		ADDQ(step, at)
		return at
	}
	a3, b3 := third(a, l.aStep), third(b, l.bStep)
	at := func(base, base3, step reg.Register, u, offset int) Mem {
		switch u {
		case 0:
			return Mem{Base: base, Disp: offset}
		case 3:
			return Mem{Base: base3, Disp: offset}
		}
		return Mem{Base: base, Index: step, Scale: uint8(u), Disp: offset}
	}
	l.repeat("columns", func() {
		for u := range unrolled {
			l.step(t, func(v int) Mem { return at(b, b3, l.bStep, u, v*t.lanes*4) },
				func(r int) Mem { return at(a, a3, l.aStep, u, 4*r) })
		}
		for _, base := range []reg.Register{a, a3} {
			LEAQ(Mem{Base: base, Index: l.aStep, Scale: unrolled}, base)
		}
		for _, base := range []reg.Register{b, b3} {
			LEAQ(Mem{Base: base, Index: l.bStep, Scale: unrolled}, base)
		}
	})
	for i := 1; i < len(l.bases); i++ {
		LEAQ(Mem{Base: l.bases[i-1], Index: l.aRow, Scale: 2}, l.bases[i])
		ADDQ(l.aRow, l.bases[i])
	}
}

// repeat emits a loop over as many times several steps as there are, and leaves the others, less unrolled, in depth.
func (l *depthLoop) repeat(name string, steps func()) {
	SUBQ(U8(unrolled), l.depth)
	JL(LabelRef(name + "done"))
	Label(name + "steps")
	steps()
	PREFETCHT1(Mem{Base: l.ahead})
	PREFETCHT1(Mem{Base: l.ahead, Disp: 64})
	LEAQ(Mem{Base: l.ahead, Index: l.aheadStep, Scale: unrolled}, l.ahead)
	SUBQ(U8(unrolled), l.depth)
	JGE(LabelRef(name + "steps"))
	Label(name + "done")
}

// embeds reports whether a multiplication broadcasts its element of A itself: unless that is shared by two whole
// vectors, the broadcasts would be what the loop waits for.
func (t *tile) embeds() bool { return t.suffix == wide.name && t.cols < 2*t.lanes }

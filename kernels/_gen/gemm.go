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

// accumulate emits the loop over the depth: acc[r] += a[r]·b.
func (t *tile) accumulate() {
	depth, stretches := t.value("depth"), t.value("stretches")
	step := t.value("aRow")
	aStep := t.value("aStep")
	b := t.value("b")
	bStep := t.value("bStep")
	ahead := t.value("ahead")
	aheadStep := t.value("aheadStep")
	bases := make([]reg.Register, (t.rows+rowsPerBase-1)/rowsPerBase)
	bases[0] = t.value("a")
	for i := 1; i < len(bases); i++ {
		base := GP64()
		LEAQ(Mem{Base: bases[i-1], Index: step, Scale: 2}, base)
		ADDQ(step, base)
		bases[i] = base
	}
	TESTQ(depth, depth)
	JZ(LabelRef("done"))
	Label("depth")
	bv := make([]reg.VecVirtual, t.vectors)
	for v := range bv {
		bv[v] = t.register(v)
		VMOVUPS(Mem{Base: b, Disp: v * t.lanes * 4}, bv[v])
	}
	for r := range t.rows {
		element := Mem{Base: bases[r/rowsPerBase]}
		if i := r % rowsPerBase; i > 0 {
			element.Index, element.Scale = step, uint8(i)
		}
		if t.embeds() {
			for v := range bv {
				VFMADD231PS_BCST(element, bv[v], t.acc[r][v])
			}
			continue
		}
		av := t.vector()
		VBROADCASTSS(element, av)
		for v := range bv {
			t.multiplyAdd(bv[v], av, t.acc[r][v])
		}
	}
	PREFETCHT1(Mem{Base: ahead})
	PREFETCHT1(Mem{Base: ahead, Disp: 64})
	ADDQ(aheadStep, ahead)
	ADDQ(bStep, b)
	for _, base := range bases {
		ADDQ(aStep, base)
	}
	DECQ(depth)
	JNZ(LabelRef("depth"))
	DECQ(stretches)
	JZ(LabelRef("done"))
	stretch := t.value("aStretch")
	for _, base := range bases {
		ADDQ(stretch, base)
	}
	MOVQ(t.field("depth"), depth)
	JMP(LabelRef("depth"))
	Label("done")
}

// embeds reports whether a multiplication broadcasts its element of A itself: unless that is shared by two whole
// vectors, the broadcasts would be what the loop waits for.
func (t *tile) embeds() bool { return t.suffix == wide.name && t.cols < 2*t.lanes }

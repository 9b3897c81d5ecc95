package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { register("gemm", gemm) }

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

// narrowed returns what of a register the v-th vector of columns needs: half of it where no more columns are left.
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

// epilogue emits what follows the product, pass by pass so that every row's work is a handful of instructions. The
// suffix keeps the labels of two epilogues apart.
func (t *tile) epilogue(suffix string) {
	t.pass("accumulate"+suffix, flagAccumulate, true, func() func(int) { return t.addRows("from", "fromRow") })
	t.pass("bias"+suffix, flagBias, false, func() func(int) {
		bias := t.value("bias")
		values := make([]reg.VecVirtual, t.vectors)
		for v := range values {
			values[v] = t.load(Mem{Base: bias, Disp: v * t.lanes * 4}, v)
		}
		return func(r int) {
			for v, acc := range t.acc[r] {
				VADDPS(values[v], acc, acc)
			}
		}
	})
	t.pass("add"+suffix, flagAdd, true, func() func(int) { return t.addRows("add", "addRow") })
	t.pass("relu"+suffix, flagReLU, false, func() func(int) {
		zero := t.vector()
		VXORPS(zero, zero, zero)
		return func(r int) {
			for v, acc := range t.acc[r] {
				VMAXPS(acc, t.narrowed(zero, v), acc) // this order lets a NaN through
			}
		}
	})
	for v := range t.vectors {
		t.sumColumns(v, fmt.Sprint("sums", v, suffix))
	}
	c := t.value("c")
	cRow := t.value("cRow")
	if t.streams() {
		TESTQ(U32(flagStream), t.flags)
		JZ(LabelRef("cached"))
		for r := range t.rows {
			for v, acc := range t.acc[r] {
				VMOVNTPS(acc, Mem{Base: c, Disp: v * t.lanes * 4})
			}
			if r < t.rows-1 {
				ADDQ(cRow, c)
			}
		}
		JMP(LabelRef("next"))
		Label("cached")
	}
	for r := range t.rows {
		if r > 0 {
			CMPQ(t.limit, U8(uint8(r)))
			JLE(LabelRef("stored" + suffix))
		}
		for v, acc := range t.acc[r] {
			t.store(acc, Mem{Base: c, Disp: v * t.lanes * 4}, v)
		}
		ADDQ(cRow, c)
	}
	Label("stored" + suffix)
}

// sumColumns adds a vector of columns, less their shift, to the first row of sums, and the squares to the second. Whole
// vectors of shift and sums exist, so that no mask takes a register.
func (t *tile) sumColumns(v int, name string) {
	TESTQ(U32(flagSums), t.flags)
	JZ(LabelRef("no" + name))
	shift, sums, row := t.value("shift"), t.value("sums"), t.value("sumsRow")
	offset := v * t.lanes * 4
	atSum, atSquares := Mem{Base: sums, Disp: offset}, Mem{Base: sums, Index: row, Scale: 1, Disp: offset}
	sum, squares, d := t.register(v), t.register(v), t.register(v)
	VMOVUPS(atSum, sum)
	VMOVUPS(atSquares, squares)
	for r := range t.rows {
		if r > 0 {
			CMPQ(t.limit, U8(uint8(r)))
			JLE(LabelRef("summed" + name))
		}
		VSUBPS(Mem{Base: shift, Disp: offset}, t.acc[r][v], d)
		VADDPS(d, sum, sum)
		VFMADD231PS(d, d, squares)
	}
	Label("summed" + name)
	VMOVUPS(sum, atSum)
	VMOVUPS(squares, atSquares)
	Label("no" + name)
}

// streams reports whether the kernel can store past the caches: whole lines only, so that there is one in the widest
// tile.
func (t *tile) streams() bool {
	return t.rows == wideTiles.rows[0] && t.cols == wideTiles.cols[0] && t.lanes == wide.lanes
}

// pass emits code for every row that runs only if the flag is set; begin emits what comes before the rows. Rows that
// touch memory have to stop at the limit.
func (t *tile) pass(name string, flag uint32, limited bool, begin func() func(row int)) {
	TESTQ(U32(flag), t.flags)
	JZ(LabelRef("no" + name))
	row := begin()
	for r := range t.rows {
		if r > 0 && limited {
			CMPQ(t.limit, U8(uint8(r)))
			JLE(LabelRef("no" + name))
		}
		row(r)
	}
	Label("no" + name)
}

// addRows adds a row of the matrix to each row of accumulators.
func (t *tile) addRows(base, step string) func(int) {
	at := t.value(base)
	row := t.value(step)
	return func(r int) {
		for v, acc := range t.acc[r] {
			VADDPS(t.load(Mem{Base: at, Disp: v * t.lanes * 4}, v), acc, acc)
		}
		ADDQ(row, at)
	}
}

// makeOpMasks sets one mask register per vector to the columns that exist.
func (t *tile) makeOpMasks() {
	bits := GP64()
	MOVQ(t.width, reg.RCX)
	MOVQ(U32(1), bits)
	SHLQ(reg.CL, bits)
	DECQ(bits)
	t.masks = nil
	for range t.vectors {
		mask := K()
		KMOVW(bits.As32(), mask)
		SHRQ(U8(uint8(t.lanes)), bits)
		t.masks = append(t.masks, mask)
	}
}

// makeVectorMasks loads one vector of ones and zeros per vector of columns.
func (t *tile) makeVectorMasks() {
	table := GP64()
	LEAQ(t.tailMask, table)
	first := GP64()
	MOVQ(U32(uint32(t.cols)), first)
	SUBQ(t.width, first)
	t.masks = nil
	for v := range t.vectors {
		mask := t.vector()
		// The table's ones end at 2·lanes, whatever the width of the tile.
		VMOVUPS(Mem{Base: table, Index: first, Scale: 4, Disp: 4 * ((2-t.vectors)*t.lanes + v*t.lanes)}, mask)
		t.masks = append(t.masks, mask)
	}
}

func tailMaskTable() Mem {
	table := GLOBL("tailMask", RODATA|NOPTR)
	for i := range 32 {
		value := U32(0)
		if i < 16 {
			value = ^value
		}
		DATA(4*i, value)
	}
	return table
}

func (t *tile) load(from Mem, v int) reg.VecVirtual {
	to := t.register(v)
	switch {
	case t.name == "AVX512":
		VMOVUPS_Z(from, t.masks[v], to)
	case t.maskedColumns:
		VMASKMOVPS(from, t.masks[v], to)
	default:
		VMOVUPS(from, to)
	}
	return to
}

func (t *tile) store(from reg.VecVirtual, to Mem, v int) {
	switch {
	case t.name == "AVX512":
		VMOVUPS(from, t.masks[v], to)
	case t.maskedColumns:
		VMASKMOVPS(from, t.masks[v], to)
	default:
		VMOVUPS(from, to)
	}
}

package main

import (
	"fmt"
	"slices"
	"strings"
)

func init() { shared["gemm"] = gemmShared }

// tileSets are the register tiles, by the end of their names; the largest comes first. A new one is used where
// gemm_tile.go or bf16.go choose it.
var tileSets = []tileSet{wideTiles, narrowTiles, pairTiles}

type tileSet struct {
	suffix     string
	rows, cols []int
}

var (
	wideTiles   = tileSet{"AVX512", []int{12, 9, 6}, []int{32, 24, 16, 8}}
	narrowTiles = tileSet{"AVX2", []int{6, 3}, []int{16, 8}}
	pairTiles   = tileSet{"BF16", []int{12, 6}, []int{32, 16}}
)

// each calls f with all sizes.
func (s tileSet) each(f func(rows, cols int)) {
	for _, rows := range s.rows {
		for _, cols := range s.cols {
			f(rows, cols)
		}
	}
}

// The bits of a tile's flags.
const (
	flagAccumulate = 1 << iota
	flagBias
	flagAdd
	flagReLU
	flagSums
	flagStream
)

// tileFlags are the same in words, in the order of their bits.
var tileFlags = []struct{ name, meaning string }{
	{"FlagAccumulate", "+ from"},
	{"FlagBias", "+ bias, one value per column"},
	{"FlagAdd", "+ add"},
	{"FlagReLU", "max(·, 0)"},
	{"FlagSums", "sums += the columns of the result, see tile"},
	{"FlagStream", "C is stored past the caches, where a whole tile of whole cache lines is"},
}

// tileFields are the fields of a tileCall.
var tileFields = []string{
	"depth", "stretches", "a", "aRow", "aStep", "aStretch", "b", "bStep", "ahead", "aheadStep",
	"c", "cRow", "from", "fromRow", "add", "addRow", "bias", "shift", "sums", "sumsRow",
	"rows", "cols", "flags", "aBand", "aheadBand", "cBand", "fromBand", "addBand",
}

// tileAddresses are those that hold addresses.
var tileAddresses = []string{"a", "b", "ahead", "c", "from", "add", "bias", "shift", "sums"}

// gemmShared returns what the kernels of the matrix product and their callers share.
func gemmShared() string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("// The bits of a tile's flags, in the order in which they take effect.\nconst (")
	for i, flag := range tileFlags {
		bit := ""
		if i == 0 {
			bit = " = 1 << iota"
		}
		line("%s%s // %s", flag.name, bit, flag.meaning)
	}
	line(")\n\n// The largest tiles of AVX-512 and of AVX2.\nconst (")
	line("wideRows, wideCols = %d, %d", wideTiles.rows[0], wideTiles.cols[0])
	line("narrowRows, narrowCols = %d, %d", narrowTiles.rows[0], narrowTiles.cols[0])
	line(")\n")
	line("// tileCall is a tile as assembly reads it: addresses, and strides in bytes. aStretch leads from the end of a")
	line("// stretch of the depth to the next one. A kernel computes a list of them for band after band of rows: the steps")
	line("// are added to the addresses each time. Whoever fills it in keeps alive what they point to.")
	line("type tileCall struct {")
	for _, field := range tileFields {
		kind := "int"
		if slices.Contains(tileAddresses, field) {
			kind = "uintptr"
		}
		line("%s %s", field, kind)
	}
	line("}\n")
	line("// tileKernel is an assembly kernel by number, so that calls of it are direct: a list on the stack can then stay")
	line("// there.")
	line("type tileKernel int\n\nconst (")
	kind := " tileKernel = iota"
	for _, set := range tileSets {
		set.each(func(rows, cols int) {
			line("kernel%dx%d%s%s", rows, cols, set.suffix, kind)
			kind = ""
		})
	}
	line(")\n\n// run has the kernel compute a list of tiles, band by band.")
	line("func (k tileKernel) run(calls []tileCall, bands int) {")
	line("list, count := (*int)(unsafe.Pointer(unsafe.SliceData(calls))), len(calls)\nswitch k {")
	for _, set := range tileSets {
		set.each(func(rows, cols int) {
			name := fmt.Sprintf("%dx%d%s", rows, cols, set.suffix)
			line("case kernel%s:\ntile%s(list, count, bands)", name, name)
		})
	}
	line("}\n}")
	return "import \"unsafe\"\n\n" + text.String()
}

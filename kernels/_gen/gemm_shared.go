package main

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

func init() { shared["gemm"] = gemmShared }

// tileSets are the register tiles, by the end of their names; the largest comes first. A new one is used where
// gemm/tile.go or gemm/bf16.go choose it.
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

// The bits of the flags that say what a kernel does with a result before it stores it.
const (
	flagAccumulate = 1 << iota
	flagBias
	flagAdd
	flagReLU
	flagCap
	flagSums
	flagStream
	flagUnroll
)

// flagName is a flag as Go code knows it.
type flagName struct {
	bit           int
	name, meaning string
}

// tileFlags are the flags of a tile of a matrix product.
var tileFlags = []flagName{
	{flagAccumulate, "flagAccumulate", "+ from"},
	{flagBias, "flagBias", "+ bias, one value per column"},
	{flagAdd, "flagAdd", "+ add"},
	{flagReLU, "flagReLU", "max(·, 0)"},
	{flagCap, "flagCap", "min(·, 6)"},
	{flagSums, "flagSums", "sums += the columns of the result, see tile"},
	{flagStream, "flagStream", "C is stored past the caches, where a whole tile of whole cache lines is"},
	{flagUnroll, "flagUnroll", "the widest tiles take several steps of the depth at once, see Tuning"},
}

// convFlags are the flags of a line of a depthwise convolution and of a tile in Winograd's form.
var convFlags = []flagName{
	{flagBias, "flagBias", "+ bias, one value per channel"},
	{flagAdd, "flagAdd", "+ add"},
	{flagReLU, "flagReLU", "max(·, 0)"},
	{flagSums, "flagSums", "sums += the channels of the result, see tapSum"},
	{flagStream, "flagStream", "the result is stored past the caches, see tapSum"},
}

// flagConstants declares flags.
func flagConstants(flags []flagName) string {
	var text strings.Builder
	text.WriteString("const (\n")
	for _, flag := range flags {
		fmt.Fprintf(&text, "%s = 1 << %d // %s\n", flag.name, bits.TrailingZeros(uint(flag.bit)), flag.meaning)
	}
	text.WriteString(")\n")
	return text.String()
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
	line("// The bits of a tile's flags, in the order in which they take effect.")
	text.WriteString(flagConstants(tileFlags))
	line("\n// The largest tiles of AVX-512 and of AVX2.\nconst (")
	line("wideRows, wideCols = %d, %d", wideTiles.rows[0], wideTiles.cols[0])
	line("narrowRows, narrowCols = %d, %d", narrowTiles.rows[0], narrowTiles.cols[0])
	line(")\n")
	line(`// tileCall is a tile as assembly reads it: addresses, and strides in bytes. aStretch leads from the end of a
// stretch of the depth to the next one. A kernel computes a list of tiles for one band of rows after the other: aBand,
// cBand and the like are added to the addresses each time. Whoever fills in a tileCall keeps alive what its addresses
// point to.`)
	line("type tileCall struct {")
	for _, field := range tileFields {
		kind := "int"
		if slices.Contains(tileAddresses, field) {
			kind = "uintptr"
		}
		line("%s %s", field, kind)
	}
	line("}\n")
	line(`// tileKernel is an assembly kernel by number. That makes the calls of kernels direct, and a list of tiles on
// the stack can stay there.`)
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

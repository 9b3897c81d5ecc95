package gemm

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

// anyBits spoils some of the values with every kind of float32 there is.
func anyBits(rng *rand.Rand, x []float32) {
	for i := range x {
		switch rng.IntN(8) {
		case 0:
			x[i] = math.Float32frombits(rng.Uint32())
		case 1:
			x[i] = math.Float32frombits(rng.Uint32() & 0x807fffff) // subnormal
		case 2:
			x[i] = math.Float32frombits(0x7f7fffff - rng.Uint32N(3)<<15) // rounds to infinity, or nearly so
		case 3:
			x[i] = math.Float32frombits(math.Float32bits(x[i])&0xffff0000 | 0x8000) // halfway
		}
	}
}

func TestRoundBF16(t *testing.T) {
	for _, test := range []struct{ bits, want uint32 }{
		{0, 0}, {0x80000000, 0x8000},
		{0x3f800000, 0x3f80}, {0x3f807fff, 0x3f80}, {0x3f808001, 0x3f81},
		{0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, // halfway: the even one
		{0x3fffffff, 0x4000}, {0xbfffffff, 0xc000},
		{0x7f7fffff, 0x7f80}, {0xff7fffff, 0xff80}, // beyond the largest
		{0x7f800000, 0x7f80}, {0xff800000, 0xff80},
		{0x7f800001, 0x7fc0}, {0xffc12345, 0xffc1},
		{0x00000001, 0}, {0x807fffff, 0x8000}, {0x00800000, 0x0080}, // subnormal, and the smallest that is not
	} {
		if got := roundBF16(math.Float32frombits(test.bits)); got != test.want {
			t.Errorf("roundBF16(%#x) = %#x, want %#x", test.bits, got, test.want)
		}
	}
}

// The sum of a pair by its definition: two additions, the second product first.
func TestAddPairProduct(t *testing.T) {
	tiny, inf, nan := math.Float32frombits(0x00800000), float32(math.Inf(1)), float32(math.NaN())
	for _, test := range []struct{ sum, a0, a1, b0, b1, want float32 }{
		{1, 2, 3, 5, 7, 32},
		{0, 1, 1, 1, 0x1p24, 0x1p24}, // 2²⁴ and then 1, which is lost
		{0x1p24, 1, 1, 1, 1, 0x1p24}, // one by one; a sum of the pair would not be lost
		{-0x1p24, 1, 1, 1, 1, -0x1p24 + 2},
		{tiny / 2, 0, 0, 0, 0, 0},
		{0, tiny, 0, 0.5, 0, 0},
		{0, inf, 0, 1, 0, inf}, {0, inf, 0, 0, 0, nan}, {0, inf, inf, 1, -1, nan}, {nan, 1, 1, 1, 1, nan},
	} {
		got := addPairProduct(test.sum, pairBF16(test.a0, test.a1), pairBF16(test.b0, test.b1))
		if got != test.want && got == got || (got != got) != (test.want != test.want) {
			t.Errorf("%g + %g·%g + %g·%g = %g, want %g", test.sum, test.a1, test.b1, test.a0, test.b0, got, test.want)
		}
	}
}

// same reports whether two results are equal, or both NaN.
func same(got, want float32) bool { return got == want || got != got && want != want }

func sameBits(got, want float32) bool { return math.Float32bits(got) == math.Float32bits(want) }

// onBothSides runs a kernel in assembly and in Go, each on memory of its own, and compares all of it.
func onBothSides(t *testing.T, what string, dst []float32, same func(got, want float32) bool, run func(dst []float32)) {
	t.Helper()
	want := slices.Clone(dst)
	run(dst)
	restore := isa.Use(isa.Generic)
	run(want)
	restore()
	for i := range want {
		if !same(dst[i], want[i]) {
			got, want, n := math.Float32bits(dst[i]), math.Float32bits(want[i]), len(want)
			t.Fatalf("%s: value %d of %d is %#x, want %#x", what, i, n, got, want)
		}
	}
}

func checkPairs(t *testing.T, rng *rand.Rand, rows, cols int) {
	t.Helper()
	srcRow, dstRow := cols+rng.IntN(3), cols+rng.IntN(3)
	src := kerneltest.Guarded(t, rng, (rows-1)*srcRow+cols)
	anyBits(rng, src)
	halfRow := mem.CeilDiv(cols, 2) + rng.IntN(3)
	columns := kerneltest.Guarded(t, rng, (rows-1)*halfRow+mem.CeilDiv(cols, 2))
	onBothSides(t, fmt.Sprintf("pairColumns of %d×%d", rows, cols), columns, sameBits, func(dst []float32) {
		PairColumns(dst, halfRow, src, srcRow, rows, cols)
	})
	lines := kerneltest.Guarded(t, rng, (mem.CeilDiv(rows, 2)-1)*dstRow+cols)
	onBothSides(t, fmt.Sprintf("pairRows of %d×%d", rows, cols), lines, sameBits, func(dst []float32) {
		PairRows(dst, dstRow, src, srcRow, rows, cols)
	})
}

func TestPairs(t *testing.T) {
	kerneltest.NeedBF16(t)
	rng := rand.New(rand.NewPCG(21, 22))
	for cols := 1; cols <= 100; cols++ {
		for rows := 1; rows <= 5; rows++ {
			checkPairs(t, rng, rows, cols)
		}
	}
}

func FuzzPairs(f *testing.F) {
	f.Add(uint64(1), uint8(1), uint8(31))
	f.Add(uint64(2), uint8(8), uint8(200))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols uint8) {
		kerneltest.NeedBF16(t)
		checkPairs(t, rand.New(rand.NewPCG(seed, 0)), 1+int(rows), 1+int(cols))
	})
}

// checkPairTile compares the assembly with the loop in Go, bit by bit: the order of additions is the same.
func checkPairTile(t *testing.T, rng *rand.Rand, rows, cols, depth, flags int, special bool) {
	t.Helper()
	c := randomTile(rng, rows, cols, depth, flags)
	c.pairs, c.bias = true, kerneltest.Guarded(t, rng, cols)
	all := c.bands * rows
	c.add.Data = kerneltest.Guarded(t, rng, (all-1)*c.add.Row+cols)
	operand := func(n int) []float32 {
		pairs, values := kerneltest.Guarded(t, rng, n), kerneltest.Guarded(t, rng, 2*n)
		if special {
			anyBits(rng, values)
		}
		PairColumns(pairs, n, values, 2*n, 1, 2*n)
		return pairs
	}
	sizeA, sizeB := c.sizes()
	c.left.Data, c.b.Data = operand(sizeA), operand(sizeB)
	c.fetch(fetched{}, c.bands)
	name := fmt.Sprintf("rows %d cols %d depth %d flags %b", rows, cols, depth, flags)
	onBothSides(t, name, kerneltest.Guarded(t, rng, (all-1)*c.c.Row+cols), same, func(dst []float32) {
		c.c.Data = dst
		c.from = c.c
		c.compute()
	})
}

func TestPairTile(t *testing.T) {
	kerneltest.NeedBF16(t)
	rng := rand.New(rand.NewPCG(23, 24))
	shape := tileFor(isa.AVX512)
	for rows := 1; rows <= shape.Rows; rows++ {
		for cols := 1; cols <= shape.Cols; cols++ {
			for flags := range flagCap << 1 {
				checkPairTile(t, rng, rows, cols, 1+rng.IntN(20), flags, flags%3 == 0)
			}
		}
	}
}

func FuzzPairTile(f *testing.F) {
	f.Add(uint64(1), uint8(12), uint8(32), uint16(100), uint8(15), false)
	f.Add(uint64(2), uint8(5), uint8(17), uint16(1), uint8(1), true)
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols uint8, depth uint16, flags uint8, special bool) {
		kerneltest.NeedBF16(t)
		shape := tileFor(isa.AVX512)
		r, c, k := 1+int(rows)%shape.Rows, 1+int(cols)%shape.Cols, 1+int(depth)%300
		checkPairTile(t, rand.New(rand.NewPCG(seed, 0)), r, c, k, int(flags)%(flagCap<<1), special)
	})
}

func TestPrecisionIsRefused(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		if err := FP32.Available(); err != nil {
			t.Errorf("fp32: %v", err)
		}
		available := isa.Active() == isa.AVX512 && isa.HasBF16()
		if err := BF16.Available(); errors.Is(err, ErrPrecision) == available || (err == nil) != available {
			t.Errorf("bf16: %v", err)
		}
	})
	if err := new(Precision).UnmarshalText([]byte("fp16")); !errors.Is(err, ErrPrecision) {
		t.Errorf("fp16: %v", err)
	}
}

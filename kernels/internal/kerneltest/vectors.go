package kerneltest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/reidbench/reidbench/kernels/isa"
)

// Extent is how many values an operand of a vector kernel has, and which.
type Extent int

// The extents of operands of rows × channels values.
const (
	Tensor   Extent = iota // rows × channels
	Squares                // rows × channels, none of them negative
	Apart                  // rows × channels, the rows RowGap values apart
	Channels               // one for each channel
	PerRow                 // one for each row
)

// RowGap is how many values lie between rows of the extent [Apart].
const RowGap = 5

// Vector is one function that exists in assembly, with the portable loop it is held against. The operands named
// first are written; all of them are given random contents.
type Vector struct {
	Name     string
	written  []Extent
	read     []Extent
	assembly func(x [][]float32, rows int)
	portable func(x [][]float32, rows int)
}

// check runs both versions on the same contents and compares all memory, boundaries included.
func (k Vector) check(t *testing.T, rng *rand.Rand, rows, c int, special bool) {
	t.Helper()
	sizes := map[Extent]int{
		Tensor: rows * c, Squares: rows * c, Apart: max(0, rows*(c+RowGap)-RowGap), Channels: c, PerRow: rows,
	}
	var got, want, gotMemory, wantMemory [][]float32
	for _, e := range append(append([]Extent(nil), k.written...), k.read...) {
		x, memory := Fenced(rng, sizes[e], special)
		if e == Squares {
			for i := range x {
				x[i] = float32(math.Abs(float64(x[i])))
			}
		}
		twin := append([]float32(nil), memory...)
		at := (len(memory) - len(x)) / 2
		got, gotMemory = append(got, x), append(gotMemory, memory)
		want, wantMemory = append(want, twin[at:at+len(x):at+len(x)]), append(wantMemory, twin)
	}
	k.assembly(got, rows)
	k.portable(want, rows)
	for i := range gotMemory {
		terms := 0
		if i < len(k.written) && k.written[i] == Channels {
			terms = rows // each is a sum over the rows
		}
		for j, w := range wantMemory[i] {
			if g := gotMemory[i][j]; !WithinRounding(g, w, terms) {
				t.Errorf("%s, %d rows of %d, special %t: operand %d[%d of %d] = %g, want %g",
					k.Name, rows, c, special, i, j-margin, len(got[i]), g, w)
				return
			}
		}
	}
}

// NewVector returns the kernel and its portable loop.
func NewVector(name string, written, read []Extent, assembly, portable func(x [][]float32, rows int)) Vector {
	return Vector{name, written, read, assembly, portable}
}

// CheckVectors holds kernels against their loops: every tail length, few and many rows, special values.
func CheckVectors(t *testing.T, kernels []Vector) {
	ForEachISA(t, func(t *testing.T) {
		if isa.Active() == isa.Generic {
			t.Skip("nothing to compare")
		}
		rng := NewRand()
		for _, k := range kernels {
			for c := 1; c <= 70; c++ {
				for _, rows := range []int{1, 2, 5} {
					k.check(t, rng, rows, c, false)
					k.check(t, rng, rows, c, true)
				}
			}
			k.check(t, rng, 0, 7, false)
			k.check(t, rng, 70, 129, false)
		}
	})
}

// FuzzVectors is CheckVectors for sizes and contents that a fuzzer chooses.
func FuzzVectors(f *testing.F, kernels []Vector) {
	f.Add(uint8(0), uint8(1), uint8(17), uint64(1), false)
	f.Add(uint8(9), uint8(3), uint8(64), uint64(2), true)
	f.Add(uint8(20), uint8(9), uint8(255), uint64(3), true)
	f.Fuzz(func(t *testing.T, which, rows, c uint8, seed uint64, special bool) {
		for set := range Sets(isa.AVX2) {
			t.Run(set.String(), func(t *testing.T) {
				kernels[int(which)%len(kernels)].check(t, rand.New(rand.NewPCG(seed, 0)), int(rows), 1+int(c), special)
			})
		}
	})
}

package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// extent says how many values an operand of a vector kernel has.
type extent int

const (
	tensor   extent = iota // rows × channels
	apart                  // the same, with rows rowGap values apart
	channels               // one for each channel
	perRow                 // one for each row
)

const rowGap = 5

// vectorKernel is one function that exists in assembly, with the portable loop it is held against. The operands named
// first are written; all of them are given random contents.
type vectorKernel struct {
	name     string
	written  []extent
	read     []extent
	assembly func(x [][]float32, rows int)
	portable func(x [][]float32, rows int)
}

// check runs both versions on the same contents and compares all memory, boundaries included.
func (k vectorKernel) check(t *testing.T, rng *rand.Rand, rows, c int, special bool) {
	t.Helper()
	sizes := map[extent]int{tensor: rows * c, apart: max(0, rows*(c+rowGap)-rowGap), channels: c, perRow: rows}
	var got, want, gotMemory, wantMemory [][]float32
	for _, e := range append(append([]extent(nil), k.written...), k.read...) {
		x, memory := fenced(rng, sizes[e], special)
		if k.name == "adamUpdate" && len(got) == 2 { // a mean of squares
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
		for j, w := range wantMemory[i] {
			if g := gotMemory[i][j]; !withinRounding(g, w) {
				t.Errorf("%s, %d rows of %d, special %t: operand %d[%d of %d] = %g, want %g", k.name, rows, c, special, i, j-19, len(got[i]), g, w)
				return
			}
		}
	}
}

// newVectorKernel returns the kernel and its portable loop.
func newVectorKernel(name string, written, read []extent, assembly, portable func(x [][]float32, rows int)) vectorKernel {
	return vectorKernel{name, written, read, assembly, portable}
}

// checkVectorKernels holds kernels against their loops: every tail length, few and many rows, special values.
func checkVectorKernels(t *testing.T, kernels []vectorKernel) {
	forEachISA(t, func(t *testing.T) {
		if active == Generic {
			t.Skip("nothing to compare")
		}
		rng := newRand()
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

// fuzzVectorKernels is checkVectorKernels for sizes and contents that a fuzzer chooses.
func fuzzVectorKernels(f *testing.F, kernels []vectorKernel) {
	f.Add(uint8(0), uint8(1), uint8(17), uint64(1), false)
	f.Add(uint8(9), uint8(3), uint8(64), uint64(2), true)
	f.Add(uint8(20), uint8(9), uint8(255), uint64(3), true)
	f.Fuzz(func(t *testing.T, which, rows, c uint8, seed uint64, special bool) {
		for isa := AVX2; isa <= Detected(); isa++ {
			t.Run(isa.String(), func(t *testing.T) {
				setISA(t, isa)
				kernels[int(which)%len(kernels)].check(t, rand.New(rand.NewPCG(seed, 0)), int(rows), 1+int(c), special)
			})
		}
	})
}

package kerneltest

import (
	"iter"
	"testing"

	"github.com/reidbench/reidbench/kernels/isa"
)

// widest is the last of the instruction sets that tests go through: that of REIDBENCH_ISA, or else this CPU's best.
var widest = isa.Active()

// setISA runs the rest of the test with the given instruction set; the test is skipped where the CPU lacks it, or
// REIDBENCH_ISA asks for less.
func setISA(tb testing.TB, set isa.Set) {
	tb.Helper()
	if set > widest {
		tb.Skipf("no %s: this CPU lacks it, or REIDBENCH_ISA asks for less", set)
	}
	tb.Cleanup(isa.Use(set))
}

// ForEachISA runs the test once for every instruction set up to the widest.
func ForEachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for set := range Sets(isa.Generic) {
		t.Run(set.String(), test)
	}
}

// Sets yields the instruction sets from first to the widest, each while it is the active one.
func Sets(first isa.Set) iter.Seq[isa.Set] {
	return func(yield func(isa.Set) bool) {
		for set := first; set <= widest; set++ {
			if !whileActive(set, yield) {
				return
			}
		}
	}
}

func whileActive(set isa.Set, yield func(isa.Set) bool) bool {
	defer isa.Use(set)()
	return yield(set)
}

// NeedBF16 skips the test where the kernels for pairs cannot run.
func NeedBF16(tb testing.TB) {
	tb.Helper()
	if !isa.HasBF16() {
		tb.Skip("this CPU has no AVX512_BF16")
	}
	setISA(tb, isa.AVX512)
}

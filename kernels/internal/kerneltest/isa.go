package kerneltest

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/isa"
)

// SetISA runs the rest of the test with the given instruction set; the test is skipped where the CPU lacks it.
func SetISA(tb testing.TB, set isa.Set) {
	tb.Helper()
	if set > isa.Detected() {
		tb.Skipf("this CPU has no %s", set)
	}
	tb.Cleanup(isa.Use(set))
}

// ForEachISA runs the test once for every instruction set of this CPU.
func ForEachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for set := isa.Generic; set <= isa.Detected(); set++ {
		t.Run(set.String(), func(t *testing.T) {
			SetISA(t, set)
			test(t)
		})
	}
}

// NeedBF16 skips the test where the kernels for pairs cannot run.
func NeedBF16(tb testing.TB) {
	tb.Helper()
	if !isa.HasBF16() {
		tb.Skip("this CPU has no AVX512_BF16")
	}
	SetISA(tb, isa.AVX512)
}

package kernels

import "testing"

// setISA runs the rest of the test with the given instruction set; the test is skipped where the CPU lacks it.
func setISA(tb testing.TB, isa ISA) {
	tb.Helper()
	if isa > Detected() {
		tb.Skipf("this CPU has no %s", isa)
	}
	tb.Cleanup(useISA(isa))
}

// forEachISA runs the test once for every instruction set of this CPU.
func forEachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for isa := Generic; isa <= Detected(); isa++ {
		t.Run(isa.String(), func(t *testing.T) {
			setISA(t, isa)
			test(t)
		})
	}
}

// needBF16 skips the test where the kernels for pairs cannot run.
func needBF16(tb testing.TB) {
	tb.Helper()
	if !hasBF16() {
		tb.Skip("this CPU has no AVX512_BF16")
	}
	setISA(tb, AVX512)
}

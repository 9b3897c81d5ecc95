package kerneltest

import (
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/mem"
)

// CheckStreamed computes a result of the given size through the caches and past them, and fails the test unless both
// have the same bits and nothing is written after them. No other kernel may run meanwhile.
func CheckStreamed(t *testing.T, what string, size int, compute func(y []float32)) {
	t.Helper()
	cached, streamed := mem.Allocate(size+mem.Line), mem.Allocate(size+mem.Line)
	compute(cached[:size])
	restore := mem.StreamFrom(0)
	compute(streamed[:size])
	restore()
	if !slices.Equal(cached, streamed) { // what is after the result is zero in both
		t.Errorf("%s: streamed results differ", what)
	}
}

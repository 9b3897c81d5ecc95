package mem_test

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/mem"
)

func TestAllocate(t *testing.T) {
	for _, n := range []int{0, 1, mem.Line, 1000, 3 << 20} { // the last has huge pages within it
		x := mem.Allocate(n)
		if len(x) != n || cap(x) != n {
			t.Errorf("Allocate(%d) has %d floats and room for %d", n, len(x), cap(x))
		}
		if n > 0 && !mem.Aligned(x) {
			t.Errorf("Allocate(%d) does not begin at a cache line", n)
		}
		for i, v := range x {
			if v != 0 {
				t.Fatalf("Allocate(%d)[%d] = %g", n, i, v)
			}
		}
	}
}

func TestCheckLen(t *testing.T) {
	const want = "norm.LayerNorm.Forward: gamma has 2 elements, want 3"
	mem.CheckLen("norm.LayerNorm.Forward", "gamma", make([]float32, 3), 3)
	defer func() {
		if got := recover(); got != want {
			t.Errorf("CheckLen panics with %v, want %q", got, want)
		}
	}()
	mem.CheckLen("norm.LayerNorm.Forward", "gamma", make([]float32, 2), 3)
}

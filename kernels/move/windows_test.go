package move

import (
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestWindows(t *testing.T) {
	pool := parallel.NewPool(2)
	defer pool.Close()
	// Two samples of 2×4 pixels with one channel in windows of 2×2.
	x := []float32{0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17}
	want := []float32{0, 1, 4, 5, 2, 3, 6, 7, 10, 11, 14, 15, 12, 13, 16, 17}
	k := NewWindows(2, 4, 1, 2, 2)
	y := make([]float32, len(x))
	k.Forward(pool, 2, y, x)
	if !slices.Equal(y, want) {
		t.Errorf("forward: %v, want %v", y, want)
	}
	back := make([]float32, len(x))
	k.Backward(pool, 2, back, y)
	if !slices.Equal(back, x) {
		t.Errorf("backward: %v, want %v", back, x)
	}
	if n := testing.AllocsPerRun(10, func() { k.Forward(pool, 2, y, x) }); n != 0 {
		t.Errorf("%v allocations per call", n)
	}
}

package mem_test

import (
	"slices"
	"testing"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/mem"
)

func TestStreamCopy(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		const untouched = -1
		for _, n := range []int{0, 1, 63, 64, 65, 128, 200, 1000} {
			src := kerneltest.Normal(kerneltest.NewRand(), n)
			dst := mem.Allocate(n + 1)
			dst[n] = untouched
			mem.StreamCopy(dst, src)
			mem.Fence()
			if !slices.Equal(dst[:n], src) || dst[n] != untouched {
				t.Errorf("%d floats are not copied, or more than those", n)
			}
		}
	})
}

func TestStreams(t *testing.T) {
	slab := mem.Allocate(8*mem.Line + 1)
	tests := []struct {
		name    string
		y       []float32
		rows, c int
		want    bool // on an instruction set that stores past the caches
	}{
		{"as large as asked", slab, 4, 2 * mem.Line, true},
		{"smaller", slab, 4, mem.Line, false},
		{"rows of no whole lines", slab, 8, mem.Line + 1, false},
		{"not aligned", slab[1:], 4, 2 * mem.Line, false},
	}
	kerneltest.ForEachISA(t, func(t *testing.T) {
		defer mem.StreamFrom(8 * mem.Line)()
		for _, test := range tests {
			want := test.want && isa.Active() != isa.Generic
			if got := mem.Streams(test.y, test.rows, test.c); got != want {
				t.Errorf("%s: %t, want %t", test.name, got, want)
			}
		}
	})
}

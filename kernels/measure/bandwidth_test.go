package measure

import (
	"slices"
	"testing"
	"time"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestBandwidthIsPlausible(t *testing.T) {
	p := parallel.NewPool(2)
	defer p.Close()
	// Between one channel of old memory on a machine that is busy, and a cache line every other cycle of 6 GHz on both
	// threads, several times what a core has outstanding at once.
	if bandwidth := Bandwidth(p, time.Millisecond); bandwidth < 3e8 || bandwidth > 2*32*6e9 {
		t.Errorf("bandwidth = %g B/s", bandwidth)
	}
}

func TestStreamCopies(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		const tasks, floats = 2, streamTask / 4
		c := streamCopies{dst: mem.Allocate(tasks * floats), src: mem.Allocate(tasks * floats)}
		for i := range c.src {
			c.src[i] = float32(i)
		}
		c.Do(1, 0)
		if !slices.Equal(c.dst[:floats], make([]float32, floats)) || !slices.Equal(c.dst[floats:], c.src[floats:]) {
			t.Error("the second task did not copy the second half, and only that")
		}
	})
}

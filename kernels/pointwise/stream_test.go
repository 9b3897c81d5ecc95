package pointwise

import (
	"testing"

	"github.com/reidbench/reidbench/kernels/act"
	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Results that are stored past the caches are the same as others, to the bit.
func TestStreamedStores(t *testing.T) {
	const n, positions = 16, 9 * 11
	kerneltest.ForEachISA(t, func(t *testing.T) {
		pool := parallel.NewPool(2)
		defer pool.Close()
		rng := kerneltest.NewRand()
		for _, channels := range []int{16, 24, 40, 64, 72, 96, 160} {
			size := n * positions * channels
			a, b := kerneltest.Normal(rng, size), kerneltest.Normal(rng, size)
			gates := kerneltest.Normal(rng, n*channels)
			gate, sum := NewChannelGate(positions, channels), NewAdd(act.ReLU)
			kerneltest.CheckStreamed(t, "ChannelGate", size, func(y []float32) { gate.Forward(pool, n, y, a, gates) })
			kerneltest.CheckStreamed(t, "Add", size, func(y []float32) { sum.Forward(pool, size, y, a, b) })
		}
	})
}

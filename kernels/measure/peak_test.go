package measure

import (
	"testing"
	"time"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// A peak lies between that of one unit at 1 GHz, on a quarter of one thread of a machine that is busy, and that of two
// units at 6 GHz on both threads. A unit does two operations for each lane in a cycle. The portable loop's operations
// are scalar: four of them are done in a cycle at most.
func TestPeakIsPlausible(t *testing.T) {
	lanes := map[isa.Set]float64{isa.Generic: 1, isa.AVX2: 8, isa.AVX512: 16}
	kerneltest.ForEachISA(t, func(t *testing.T) {
		p := parallel.NewPool(2)
		defer p.Close()
		unit := 2 * lanes[isa.Active()]
		if peak := Peak(p, 10*time.Millisecond); peak < unit*1e9/4 || peak > 2*2*unit*6e9 {
			t.Errorf("peak = %g FLOP/s", peak)
		}
	})
}

func BenchmarkPeak(b *testing.B) {
	p := parallel.NewPool(1)
	defer p.Close()
	for b.Loop() {
		b.ReportMetric(Peak(p, 100*time.Millisecond)/1e9, "GFLOP/s")
	}
}

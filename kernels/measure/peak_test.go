package measure

import (
	"testing"
	"time"

	"github.com/reidbench/reidbench/kernels/internal/kerneltest"
	"github.com/reidbench/reidbench/kernels/parallel"
)

func TestMeasurePeakIsPlausible(t *testing.T) {
	kerneltest.ForEachISA(t, func(t *testing.T) {
		p := parallel.NewPool(2)
		defer p.Close()
		// Between a slow emulator and 64 lanes of two units at 6 GHz on both threads.
		if peak := Peak(p, 10*time.Millisecond); peak < 1e6 || peak > 4e12 {
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

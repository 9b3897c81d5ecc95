package kerneltest

import (
	"fmt"
	"testing"
	"time"

	"github.com/reidbench/reidbench/kernels/isa"
)

// PeakTime is how long benchmarks measure the multiply-add peak.
const PeakTime = 20 * time.Millisecond

// ReportSpeed adds the rate of a benchmark to its results, and its share of the multiply-add peak, which is measured
// right after the benchmark.
func ReportSpeed(b *testing.B, macs int64, peak float64) {
	b.Helper()
	b.StopTimer()
	rate := 2 * float64(macs) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(100*rate/peak, "%peak")
	b.ReportMetric(0, "ns/op")
}

// Pass is a kernel that memory bounds: it reads and writes the given number of tensors.
type Pass struct {
	name    string
	tensors float64
	run     func()
}

// NewPass returns a pass over memory.
func NewPass(name string, tensors float64, run func()) Pass { return Pass{name, tensors, run} }

// BenchmarkPasses measures each pass over tensors of the given size.
func BenchmarkPasses(b *testing.B, size int, passes []Pass) {
	for _, p := range passes {
		b.Run(fmt.Sprintf("%s/%s", p.name, isa.Active()), func(b *testing.B) {
			b.SetBytes(int64(4 * float64(size) * p.tensors))
			for b.Loop() {
				p.run()
			}
		})
	}
}

package kernels

import (
	"fmt"
	"testing"
	"time"
)

// peakTime is how long benchmarks measure the multiply-add peak.
const peakTime = 20 * time.Millisecond

// reportSpeed adds the rate of a benchmark to its results, and its share of the multiply-add peak, which is measured right after
// the benchmark.
func reportSpeed(b *testing.B, macs int64, peak float64) {
	b.Helper()
	b.StopTimer()
	rate := 2 * float64(macs) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(100*rate/peak, "%peak")
	b.ReportMetric(0, "ns/op")
}

// pass is a kernel that memory bounds: it reads and writes the given number of tensors.
type pass struct {
	name    string
	tensors float64
	run     func()
}

// newPass returns a pass over memory.
func newPass(name string, tensors float64, run func()) pass { return pass{name, tensors, run} }

// benchmarkPasses measures each pass over tensors of the given size.
func benchmarkPasses(b *testing.B, size int, passes []pass) {
	for _, p := range passes {
		b.Run(fmt.Sprintf("%s/%s", p.name, active), func(b *testing.B) {
			b.SetBytes(int64(4 * float64(size) * p.tensors))
			for b.Loop() {
				p.run()
			}
		})
	}
}

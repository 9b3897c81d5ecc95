package measure

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/results"
)

// WriteHeader writes what the format of Go's benchmarks says about a whole file: the
// machine, which benchstat keeps apart.
func WriteHeader(w io.Writer, machine results.Machine) error {
	// The package stays the same from version to version: benchstat compares only what has the same one.
	_, err := fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: github.com/reidbench/reidbench/bench\ncpu: %s\nisa: %s\n",
		machine.OS, machine.Arch, machine.CPU, machine.ISA)
	return err
}

// WriteBenchmark writes a measurement in the format of Go's benchmarks
// (golang.org/design/14313-benchmark-format), one line per step, so that benchstat has
// samples to find the median and its confidence from.
func WriteBenchmark(w io.Writer, m Measurement) error {
	var s strings.Builder
	variant, precision := "", ""
	if m.Variant != "" {
		variant = "/variant=" + m.Variant
	}
	if m.Precision != gemm.FP32.String() {
		precision = "/precision=" + m.Precision
	}
	for _, step := range m.Steps {
		seconds := step.Seconds()
		fmt.Fprintf(&s, "Benchmark%s%s/model=%s%s/batch=%d/threads=%d%s-%d",
			strings.ToUpper(string(m.Mode[:1])), m.Mode[1:],
			escapeName(m.Model), variant, m.Batch, m.Threads, precision, runtime.GOMAXPROCS(0))
		gflops := m.FLOPs / seconds / 1e9
		fmt.Fprintf(&s, "\t1\t%d ns/op\t%.6g img/s\t%.6g GFLOP/s\t%.4g peak-share\t",
			step/time.Nanosecond, float64(m.Batch)/seconds, gflops, 1e9*gflops/m.Peak)
		if m.Mode == KernelMode {
			fmt.Fprintf(&s, "%.6g bound-GFLOP/s\t%.4g bound-share\n", m.BoundGFLOPS, gflops/m.BoundGFLOPS)
			continue
		}
		fmt.Fprintf(&s, "%d planned-B\t%d peak-RSS-B\n", m.PlannedBytes, m.PeakRSSBytes)
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// WriteModels says, as the format's configuration, which models the kernels that follow are from.
func WriteModels(w io.Writer, models []string) error {
	_, err := fmt.Fprintf(w, "models: %s\n", strings.Join(models, " "))
	return err
}

// escapeName keeps a benchmark's name one word.
func escapeName(name string) string { return strings.NewReplacer(" ", "_", "/", "_").Replace(name) }

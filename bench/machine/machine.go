// Package machine says what this machine is and how much memory and how many threads there are to work with.
package machine

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/reidbench/reidbench/kernels/isa"
	"github.com/reidbench/reidbench/results"
)

// Describe looks at this machine. What it cannot learn is left empty.
func Describe() results.Machine {
	return results.Machine{
		CPU:   procField("/proc/cpuinfo", "model name"),
		ISA:   isa.Active().String(),
		Cores: runtime.GOMAXPROCS(0),
		Go:    runtime.Version(),
		OS:    runtime.GOOS,
		Arch:  runtime.GOARCH,
	}
}

// Threads is how many threads to use where n are asked for: one per CPU if n is below 1.
func Threads(n int) int {
	if n < 1 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// TotalMemory is the machine's memory in bytes, 0 if unknown.
func TotalMemory() int64 { return kibibytes(procField("/proc/meminfo", "MemTotal")) }

// HeldMemory is what this process holds now, in bytes; 0 if unknown.
func HeldMemory() int64 { return kibibytes(procField("/proc/self/status", "VmRSS")) }

// PeakMemory is the most memory that this process has held so far, or since the
// last [ResetPeakMemory], in bytes; 0 if unknown.
func PeakMemory() int64 { return kibibytes(procField("/proc/self/status", "VmHWM")) }

// ResetPeakMemory lets [PeakMemory] start anew, where the system allows that.
func ResetPeakMemory() error {
	return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// procField returns the value of the first "name : value" line of a file of Linux's
// /proc, "" if there is none.
func procField(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return "" // another system than Linux
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kibibytes reads "123 kB" as bytes, 0 if it is something else.
func kibibytes(s string) int64 {
	digits, _ := strings.CutSuffix(s, " kB")
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || digits == s {
		return 0
	}
	return n << 10
}

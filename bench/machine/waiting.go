package machine

import (
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/reidbench/reidbench/results"
)

// CPUTime is how long the threads of a process have run, and how long they could have but waited for a CPU that had
// other work. What runs alone, on no more threads than there are CPUs, waits for hardly anything.
type CPUTime struct{ Ran, Waited time.Duration }

// Spent is this process's CPU time so far, of the threads that it has now; none on systems other than Linux, where it
// is not known.
func Spent() CPUTime { return spent(os.DirFS("/")) }

func spent(root fs.FS) CPUTime {
	var sum CPUTime
	threads, _ := fs.Glob(root, "proc/self/task/*/schedstat")
	for _, file := range threads {
		text, err := fs.ReadFile(root, file)
		if err != nil {
			continue // that thread has just ended
		}
		fields := strings.Fields(string(text)) // ns on a CPU, ns waiting for one, how often
		if len(fields) != 3 {
			return CPUTime{}
		}
		ran, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return CPUTime{}
		}
		waited, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return CPUTime{}
		}
		sum.Ran += time.Duration(ran)
		sum.Waited += time.Duration(waited)
	}
	return sum
}

// WaitedShare is that of the threads' time since before in which they waited, in thousandths.
func (t CPUTime) WaitedShare(before CPUTime) results.WaitedShare {
	ran, waited := max(t.Ran-before.Ran, 0), max(t.Waited-before.Waited, 0) // less where a thread has ended
	if ran+waited == 0 {
		return 0
	}
	return results.WaitedShare(math.Round(1000*float64(waited)/float64(ran+waited)) / 1000)
}

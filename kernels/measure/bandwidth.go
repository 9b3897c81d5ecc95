package measure

import (
	"time"

	"github.com/reidbench/reidbench/kernels/mem"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// Bandwidth returns how many bytes per second the threads of p read and write together, when they copy arrays that
// are much larger than the caches and what they write goes past those. It takes about d.
func Bandwidth(p *parallel.Pool, d time.Duration) float64 {
	const size = 128 << 20 // bytes of each array
	c := streamCopies{dst: mem.Allocate(size / 4), src: mem.Allocate(size / 4)}
	for i := range c.src {
		c.src[i], c.dst[i] = 1, 1 // untouched pages would all be one page of zeros, in the caches
	}
	best := 0.0
	for begin, passes := time.Now(), 0; passes < 3 || time.Since(begin) < d; passes++ {
		start := time.Now()
		p.Run(size/streamTask, &c)
		best = max(best, 2*size/time.Since(start).Seconds())
	}
	return best
}

const streamTask = 1 << 20 // bytes

// streamCopies copies one stretch of an array a task.
type streamCopies struct{ dst, src []float32 }

func (j *streamCopies) Do(task, _ int) {
	const floats = streamTask / 4
	mem.StreamCopy(j.dst[task*floats:], j.src[task*floats:][:floats])
	mem.Fence()
}

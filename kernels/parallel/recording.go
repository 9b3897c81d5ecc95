package parallel

import (
	"slices"
	"time"
)

// A Recording is how long the tasks of a pool's jobs have taken, one after the other on one thread.
type Recording struct {
	Jobs [][]time.Duration // in the order of the calls of Run, the tasks in theirs
}

// StartRecording has the calling goroutine alone run the following jobs, and take the time of their tasks.
func (p *Pool) StartRecording() *Recording {
	p.recording = &Recording{}
	return p.recording
}

// StopRecording ends that.
func (p *Pool) StopRecording() { p.recording = nil }

func (r *Recording) run(tasks int, j Job) {
	took := make([]time.Duration, tasks)
	last := time.Now()
	for task := range tasks {
		j.Do(task, 0)
		now := time.Now()
		took[task], last = now.Sub(last), now
	}
	r.Jobs = append(r.Jobs, took)
}

// Makespan is how long a pool of so many threads takes for a job whose tasks take these times: it deals them out, and
// its threads take them, by the very functions that [Pool.Run] does it by. That threads start late, and slow each
// other down where they share memory, is left out.
func Makespan(tasks []time.Duration, threads int) time.Duration {
	shares := make([]share, max(min(threads, len(tasks)), 1))
	deal(shares, len(tasks))
	free := make([]time.Duration, len(shares)) // when each worker takes its next task
	for range tasks {
		worker := 0
		for w, at := range free {
			if at < free[worker] {
				worker = w
			}
		}
		task, _ := take(shares, worker) // there is one for each round
		free[worker] += tasks[task]
	}
	return slices.Max(free)
}

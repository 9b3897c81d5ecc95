package parallel

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/reidbench/reidbench/kernels/isa"
)

type countingJob struct {
	counts  []atomic.Int32
	threads int
	bad     atomic.Int32
}

func (j *countingJob) Do(task, worker int) {
	j.counts[task].Add(1)
	if worker < 0 || worker >= j.threads {
		j.bad.Add(1)
	}
}

func TestPoolRunsEachTaskOnce(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 5} {
		p := NewPool(threads)
		for _, tasks := range []int{0, 1, 2, 7, 1000} {
			j := &countingJob{counts: make([]atomic.Int32, tasks), threads: p.Threads()}
			p.Run(tasks, j)
			for i := range j.counts {
				if n := j.counts[i].Load(); n != 1 {
					t.Errorf("threads %d, tasks %d: task %d ran %d times", threads, tasks, i, n)
				}
			}
			if j.bad.Load() != 0 {
				t.Errorf("threads %d, tasks %d: worker out of range", threads, tasks)
			}
		}
		p.Close()
	}
}

// A worker takes its share from the front, others from the back, and nobody takes a task twice.
func TestPoolShares(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	p.shares[0].set(0, 3)
	p.shares[1].set(3, 5)
	type taken struct{ worker, task int }
	var got []taken
	for _, worker := range []int{0, 1, 1, 1, 0, 0} {
		task, ok := take(p.shares, worker)
		if !ok {
			task = -1
		}
		got = append(got, taken{worker, task})
	}
	want := []taken{{0, 0}, {1, 3}, {1, 4}, {1, 2}, {0, 1}, {0, -1}}
	if !slices.Equal(got, want) {
		t.Errorf("workers took %v, want %v", got, want)
	}
}

type panickingJob struct{ at int }

func (j panickingJob) Do(task, _ int) {
	if task == j.at {
		panic(fmt.Sprintf("task %d", task))
	}
}

func TestPoolRaisesPanicInCaller(t *testing.T) {
	for _, threads := range []int{1, 3} {
		p := NewPool(threads)
		defer p.Close()
		func() {
			defer func() {
				if got := recover(); got != "task 5" {
					t.Errorf("threads %d: recovered %v, want task 5", threads, got)
				}
			}()
			p.Run(20, panickingJob{at: 5})
		}()
		j := &countingJob{counts: make([]atomic.Int32, 10), threads: threads}
		p.Run(10, j) // the pool is usable afterwards
		for i := range j.counts {
			if j.counts[i].Load() != 1 {
				t.Errorf("threads %d: task %d ran %d times after a panic", threads, i, j.counts[i].Load())
			}
		}
	}
}

func TestPoolRunDoesNotAllocate(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	j := &countingJob{counts: make([]atomic.Int32, 50), threads: 2}
	if n := testing.AllocsPerRun(20, func() { p.Run(50, j) }); n != 0 {
		t.Errorf("Run allocates %v times", n)
	}
}

// One job after the other, on helpers that look for work, that sleep, and whose call is taken back before they wake.
func TestPoolRunsManyJobs(t *testing.T) {
	for _, spins := range []bool{false, isa.Detected() != isa.Generic} {
		p := newPool(3, spins)
		j := &countingJob{counts: make([]atomic.Int32, 3), threads: p.Threads()}
		const runs = 2000
		for i := range runs {
			if i%500 == 0 {
				runtime.GC() // long enough for the helpers to fall asleep
			}
			p.Run(3, j)
		}
		p.Close()
		for i := range j.counts {
			if n := j.counts[i].Load(); n != runs {
				t.Errorf("spins %t: task %d ran %d times in %d runs", spins, i, n, runs)
			}
		}
	}
}

func BenchmarkPoolRun(b *testing.B) {
	p := NewPool(2)
	defer p.Close()
	j := &countingJob{counts: make([]atomic.Int32, 2), threads: 2}
	for b.Loop() {
		p.Run(2, j)
	}
}

package kernels

import (
	"sync"
	"sync/atomic"
)

// Job is work cut into tasks. Do runs one of them; worker is below Pool.Threads and tells which scratch is free to use.
// What a task computes must not depend on the worker.
type Job interface {
	Do(task, worker int)
}

// Pool is a fixed set of workers that run the tasks of one Job at a time. The goroutine that calls Run is worker 0.
type Pool struct {
	threads int
	wake    chan struct{}
	done    sync.WaitGroup // workers still busy with the current Run
	exited  sync.WaitGroup // workers not gone yet

	job   Job
	tasks int64
	next  atomic.Int64

	mu       sync.Mutex
	panicked any
}

// NewPool starts a pool of the given number of threads, at least one. Close ends it.
func NewPool(threads int) *Pool {
	threads = max(threads, 1)
	p := &Pool{threads: threads, wake: make(chan struct{}, threads)}
	p.exited.Add(threads - 1)
	for worker := 1; worker < threads; worker++ {
		go p.serve(worker)
	}
	return p
}

// Threads returns the number of workers, the caller of Run included.
func (p *Pool) Threads() int { return p.threads }

// Close ends the pool's goroutines and waits until they are gone. No Run may be in flight or follow.
func (p *Pool) Close() {
	close(p.wake)
	p.exited.Wait()
}

// Run does every task in [0,tasks) and returns when all are done. Workers take the next task as they become free. A
// panic in a task is raised again here, once the workers have stopped. A task must not call Run on its own pool.
func (p *Pool) Run(tasks int, j Job) {
	if p.threads == 1 || tasks <= 1 {
		for task := range tasks {
			j.Do(task, 0)
		}
		return
	}
	helpers := min(p.threads, tasks) - 1
	p.job, p.tasks = j, int64(tasks)
	p.next.Store(0)
	p.done.Add(helpers)
	for range helpers {
		p.wake <- struct{}{}
	}
	p.work(0)
	p.done.Wait()
	p.job = nil
	if cause := p.panicked; cause != nil {
		p.panicked = nil
		panic(cause)
	}
}

func (p *Pool) serve(worker int) {
	defer p.exited.Done()
	for range p.wake {
		p.work(worker)
		p.done.Done()
	}
}

// work takes tasks until none is left. A panic stops the other workers after their current task.
func (p *Pool) work(worker int) {
	defer p.rescue()
	for {
		task := p.next.Add(1) - 1
		if task >= p.tasks {
			return
		}
		p.job.Do(int(task), worker)
	}
}

func (p *Pool) rescue() {
	cause := recover()
	if cause == nil {
		return
	}
	p.next.Store(p.tasks)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.panicked == nil {
		p.panicked = cause
	}
}

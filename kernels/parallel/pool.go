package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reidbench/reidbench/kernels/isa"
)

// Job is work cut into tasks. Do runs one of them; worker is below Pool.Threads and says which scratch is free to use.
// What a task computes must not depend on the worker.
type Job interface {
	Do(task, worker int)
}

// spinTime is how long a thread looks for work, or for the others to finish, before it sleeps. Waking a sleeping thread
// takes longer than many kernels do; between the kernels of a training step nobody sleeps.
const spinTime = 50 * time.Microsecond

// Pool is a fixed set of workers that run the tasks of one Job at a time. The goroutine that calls Run is worker 0.
type Pool struct {
	threads int
	spins   bool     // waiting threads look for work before they sleep
	helpers []helper // workers 1 and up
	exited  sync.WaitGroup

	job    Job
	shares []share // by worker; empty outside of Run

	recording *Recording // nil: none

	busy atomic.Int64  // helpers in the current Run, plus callerSleeps
	done chan struct{} // wakes the caller

	mu       sync.Mutex
	panicked any
}

// callerSleeps is added to Pool.busy by a caller that waits on Pool.done.
const callerSleeps = 1 << 32

// helper is where the caller of Run and one worker meet.
type helper struct {
	state atomic.Uint32
	wake  chan struct{} // a token for each time that the state was asleep
	_     [48]byte      // keeps the states of two helpers in different cache lines
}

// share is the tasks that a worker has yet to do: from the low half of the word up to the high half. The worker takes
// the first of them, others the last. So the same worker does the same part of the data in kernel after kernel, unless
// it falls behind: writing what another core has read last takes several times as long.
type share struct {
	word atomic.Uint64
	_    [56]byte // keeps two of them in different cache lines
}

func (s *share) set(first, last int) { s.word.Store(uint64(first) | uint64(last)<<32) }

// take returns the first task, or the last one, and false if there is none.
func (s *share) take(last bool) (task int, ok bool) {
	for {
		word := s.word.Load()
		low, high := word&(1<<32-1), word>>32
		if low >= high {
			return 0, false
		}
		rest, task := word+1, low
		if last {
			rest, task = low|(high-1)<<32, high-1
		}
		if s.word.CompareAndSwap(word, rest) {
			return int(task), true
		}
	}
}

// States of a helper, and who changes them:
//
//	idle → called     Run
//	called → working  the helper, which then takes tasks
//	working → idle    the helper, when no task is left
//	called → idle     Run, if no task was left before the helper began: the call is taken back
//	idle → asleep     the helper, after spinTime without a call
//	asleep → called   Run, which sends the token that the helper waits for
//	idle → ended      Close
//	asleep → ended    Close, with a token
//
// A helper that wakes up and finds that its call was taken back is idle.
const (
	idle    = iota // looks for work
	asleep         // waits for a token
	called         // should work
	working        // does
	ended          // should return
)

// NewPool starts a pool of the given number of threads, at least one. Close ends it.
func NewPool(threads int) *Pool {
	threads = max(threads, 1)
	return newPool(threads, canSpin(threads))
}

func newPool(threads int, spins bool) *Pool {
	p := &Pool{
		threads: threads, spins: spins,
		helpers: make([]helper, threads-1), shares: make([]share, threads), done: make(chan struct{}, 1),
	}
	p.exited.Add(threads - 1)
	for i := range p.helpers {
		p.helpers[i].wake = make(chan struct{}, 1)
		go p.serve(&p.helpers[i], i+1)
	}
	return p
}

// canSpin reports whether waiting threads have a CPU of their own, and an instruction for it.
func canSpin(threads int) bool {
	return threads <= runtime.GOMAXPROCS(0) && isa.Detected() != isa.Generic
}

// Threads returns the number of workers, the caller of Run included.
func (p *Pool) Threads() int { return p.threads }

// Close ends the pool's goroutines and waits until they are gone. No Run may be in flight or follow.
func (p *Pool) Close() {
	for i := range p.helpers {
		p.helpers[i].set(ended)
	}
	p.exited.Wait()
}

// Run does every task in [0,tasks) and returns when all are done. Every worker has a share of them, one after the
// other, and takes the last ones of another's when it is done. A panic in a task is raised again here, once the workers
// have stopped. A task must not call Run on its own pool.
func (p *Pool) Run(tasks int, j Job) {
	if p.recording != nil {
		p.recording.run(tasks, j)
		return
	}
	if p.threads == 1 || tasks <= 1 {
		for task := range tasks {
			j.Do(task, 0)
		}
		return
	}
	workers := min(p.threads, tasks)
	helpers := p.helpers[:workers-1]
	p.job = j
	deal(p.shares[:workers], tasks)
	p.busy.Store(int64(len(helpers)))
	for i := range helpers {
		helpers[i].set(called)
	}
	p.work(0)
	for i := range helpers {
		if helpers[i].state.CompareAndSwap(called, idle) { // has not begun, and is not needed any more
			p.busy.Add(-1)
		}
	}
	p.wait()
	p.job = nil
	if cause := p.panicked; cause != nil {
		p.panicked = nil
		panic(cause)
	}
}

// wait returns when no helper is busy.
func (p *Pool) wait() {
	for s := p.newSpin(); s.again(); {
		if p.busy.Load() == 0 {
			return
		}
	}
	if p.busy.Add(callerSleeps) != callerSleeps {
		<-p.done
	}
}

// set changes what a helper should do, and wakes it if it sleeps.
func (h *helper) set(state uint32) {
	if h.state.Swap(state) == asleep {
		h.wake <- struct{}{}
	}
}

func (p *Pool) serve(h *helper, worker int) {
	defer p.exited.Done()
	for p.awaitCall(h) {
		p.work(worker)
		h.state.Store(idle)
		if p.busy.Add(-1) == callerSleeps {
			p.done <- struct{}{}
		}
	}
}

// awaitCall returns true when the helper should work, false when it should return.
func (p *Pool) awaitCall(h *helper) bool {
	for {
		for s := p.newSpin(); s.again(); {
			if h.state.Load() >= called {
				break
			}
		}
		if h.state.CompareAndSwap(idle, asleep) {
			<-h.wake
		}
		switch {
		case h.state.CompareAndSwap(called, working):
			return true
		case h.state.Load() == ended:
			return false
		}
		// The call was taken back.
	}
}

// spin is a wait of bounded time for something that another thread does.
type spin struct {
	rounds int
	start  time.Time
}

// newSpin begins a wait, which is over at once where threads do not spin.
func (p *Pool) newSpin() spin {
	if !p.spins {
		return spin{rounds: -1}
	}
	return spin{}
}

// again reports whether to look another time.
func (s *spin) again() bool {
	const pauses, roundsPerClock = 8, 32
	switch {
	case s.rounds < 0:
		return false
	case s.rounds == 0:
		s.start = time.Now()
	case s.rounds%roundsPerClock == 0 && time.Since(s.start) > spinTime:
		return false
	}
	s.rounds++
	pause(pauses)
	return true
}

// work takes tasks until none is left. A panic stops the other workers after their current task.
func (p *Pool) work(worker int) {
	defer p.rescue()
	for task, ok := take(p.shares, worker); ok; task, ok = take(p.shares, worker) {
		p.job.Do(task, worker)
	}
}

// deal gives every worker a share of the tasks, one after the other.
func deal(shares []share, tasks int) {
	for i := range shares {
		shares[i].set(i*tasks/len(shares), (i+1)*tasks/len(shares))
	}
}

// take returns a task for a worker: of its own share or, if that is done, of another's; false if all are.
func take(shares []share, worker int) (task int, ok bool) {
	for i := range shares {
		if task, ok := shares[(worker+i)%len(shares)].take(i > 0); ok {
			return task, true
		}
	}
	return 0, false
}

func (p *Pool) rescue() {
	cause := recover()
	if cause == nil {
		return
	}
	for i := range p.shares {
		p.shares[i].set(0, 0)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.panicked == nil {
		p.panicked = cause
	}
}

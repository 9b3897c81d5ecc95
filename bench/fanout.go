package bench

import (
	"context"
	"errors"
	"math"
	"os"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// start runs the jobs in their turns, as many side by side as the configuration and the memory allow.
func (r *runner) start(ctx context.Context) error {
	defer r.limitHeap()()
	var group errgroup.Group
	group.SetLimit(r.config.Jobs)
	room := r.makeRoom()
	ended := map[store.Folder]chan struct{}{}
	for _, j := range r.jobs {
		ended[j.folder] = make(chan struct{})
	}
	for _, i := range r.turns() {
		j := r.jobs[i]
		if j.teacher != nil {
			if j.teacher.ended = ended[j.teacher.folder]; j.teacher.ended == nil && r.config.AwaitTeacher {
				j.teacher.ended = j.teacher.recorded(ctx)
			}
		}
		release, err := j.admit(ctx, room)
		if err != nil {
			close(ended[j.folder])
			continue
		}
		group.Go(func() error {
			defer close(ended[j.folder])
			defer release()
			r.runJob(ctx, j, &r.summary.Jobs[i])
			return nil
		})
	}
	_ = group.Wait() // jobs keep their errors
	return r.summary.Verdict(ctx)
}

// turns are the indices of the jobs in the order in which they begin: their own, but students after all others, so that
// none waits for a teacher that has not begun.
func (r *runner) turns() []int {
	var others, students []int
	for i, j := range r.jobs {
		if j.teacher == nil {
			others = append(others, i)
		} else {
			students = append(students, i)
		}
	}
	return append(others, students...)
}

// limitHeap has garbage collected before it takes memory that jobs were promised, until restore is called.
func (r *runner) limitHeap() (restore func()) {
	before := debug.SetMemoryLimit(-1)
	if r.config.Memory > 0 {
		debug.SetMemoryLimit(min(before, r.config.Memory+machine.PeakMemory()))
	}
	return func() { debug.SetMemoryLimit(before) }
}

// makeRoom returns the memory that jobs take from, and tells every job how much that is: what is left beside the images
// that they share.
func (r *runner) makeRoom() *semaphore.Weighted {
	room := int64(math.MaxInt64)
	if r.config.Memory > 0 {
		room = r.config.Memory
		counted := map[graph.Shape]bool{}
		for _, j := range r.jobs {
			if j.unbuilt != nil || counted[j.graph.Input.Shape] {
				continue
			}
			counted[j.graph.Input.Shape] = true
			room -= j.imageBytes() * int64(len(j.data.Train.Entries))
		}
		room = max(room, 1)
	}
	for _, j := range r.jobs {
		j.room = room
	}
	return semaphore.NewWeighted(room)
}

// admit waits for the job's teacher and for memory. A job that is done takes none, and neither does
// one that is going to be refused.
func (j *job) admit(ctx context.Context, room *semaphore.Weighted) (release func(), err error) {
	none := func() {}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if _, done := j.folder.DoneRecord(); done || j.unbuilt != nil {
		return none, nil
	}
	if j.unbuilt = parallel.Guard(func() (err error) {
		j.footprint, err = j.measure(j.id.Recipe.Batch)
		return err
	}); j.unbuilt != nil {
		return none, nil
	}
	if j.teacher != nil && j.teacher.ended != nil {
		select {
		case <-j.teacher.ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if !j.fits() {
		return none, nil
	}
	if err := room.Acquire(ctx, j.footprint.own); err != nil {
		return nil, err
	}
	return func() { room.Release(j.footprint.own) }, nil
}

// runJob runs one job to whatever end, which it notes.
func (r *runner) runJob(ctx context.Context, j *job, result *JobResult) {
	if ctx.Err() != nil {
		return
	}
	err := parallel.Guard(func() error { return j.runLocked(ctx, result) })
	switch {
	case err == nil:
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		result.State = results.StateInterrupted
	default:
		result.State, result.Err = results.StateFailed, store.ExplainWrite(err)
		j.emit(progress.Event{Kind: progress.StateChanged, State: result.State, Err: result.Err})
	}
}

// runLocked does what is left of the job, alone in its folder.
func (j *job) runLocked(ctx context.Context, result *JobResult) error {
	if record, done := j.folder.DoneRecord(); done {
		j.noteDone(result, record, true)
		j.completeBoard()
		return j.folder.Tidy(j.lastKept(), j.keep.Every, j.now(), j.warn)
	}
	if err := os.MkdirAll(j.folder.Dir, 0o777); err != nil {
		return err
	}
	l, err := j.folder.Lock(j.now(), j.warn)
	if err != nil {
		return err
	}
	defer l.Release()
	record, done, err := j.folder.Reopen()
	if err != nil {
		return err
	}
	if done { // by another process, meanwhile
		j.noteDone(result, record, true)
		return nil
	}
	if result.Record, err = j.runRecorded(ctx); err != nil {
		return err
	}
	j.noteDone(result, result.Record, false)
	return l.Retire()
}

// noteDone notes that the job is done, in this run or before it.
func (j *job) noteDone(result *JobResult, record results.Record, before bool) {
	result.State, result.DoneBefore, result.Record = results.StateDone, before, record
	j.emit(progress.Event{Kind: progress.StateChanged, State: result.State, DoneBefore: before, Metrics: record.Final})
}

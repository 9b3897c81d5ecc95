package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// An Executor has Slurm do what [bench.Run] does in this process.
type Executor struct {
	Options Options
	Program string   // the file of the program that tasks run; nodes get a copy of it
	Flags   []string // of the program's run command, for every task; paths in them are absolute

	Detach bool // submit, and wait for nothing

	// Pause waits between two looks at Slurm and the folder, or until ctx ends; nil: ten seconds.
	Pause func(ctx context.Context)
}

// interval is long enough not to be a burden to Slurm.
const interval = 10 * time.Second

// patience is how often one call submits a job whose task ends without a result, as long as
// nothing has been trained in between.
const patience = 3

// errDied is wrapped by the error of a job whose tasks have ended, again and again, without a result.
var errDied = errors.New("died in Slurm without a result")

// Run submits what is neither done nor under way in Slurm, and waits until all jobs have ended: those
// that failed are recorded, those whose task has died are submitted again. It differs from [bench.Run]
// in no result and no error but these: ErrMissing, errRefused; errDied for a job; and [store.ErrConflict]
// also for a job that waits or runs in Slurm with other flags. If ctx ends, the tasks stay in Slurm.
func (e *Executor) Run(ctx context.Context, c bench.Config) (bench.Summary, error) {
	summary, err := bench.Plan(ctx, c)
	if err != nil {
		return summary, err
	}
	r := newRun(e, c, &summary)
	for attached := false; ; attached = true {
		err := r.pass(ctx)
		switch {
		case ctx.Err() != nil:
			r.note("", "the tasks stay in Slurm: the same command attaches to them, scancel ends them")
			return summary, summary.Verdict(ctx)
		case err != nil && attached && !errors.Is(err, store.ErrConflict):
			r.complain(err) // Slurm may be back in a moment
		case err != nil:
			return summary, err
		default:
			r.complaint = ""
		}
		if e.Detach || r.left() == 0 {
			return summary, summary.Verdict(ctx)
		}
		e.pause(ctx)
	}
}

func (e *Executor) pause(ctx context.Context) {
	if e.Pause != nil {
		e.Pause(ctx)
		return
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// run is one call of Run.
type run struct {
	*Executor
	config    bench.Config
	jobs      []*job
	logs      string // the folder of what tasks print
	complaint string // the last warning about Slurm itself
}

// job is what one call of Run knows of a job.
type job struct {
	*bench.JobResult
	number  int // among all jobs, of the program's --task
	settled bool
	seen    bool            // it was under way during this call: what its folder says of its end is news
	tries   int             // submissions by this call since it last made progress
	inSlurm TaskState       // as Slurm last said
	started bool            // its training has been told of
	status  store.JobStatus // when it had come farthest
}

func newRun(e *Executor, c bench.Config, summary *bench.Summary) *run {
	r := &run{Executor: e, config: c, logs: filepath.Join(c.Out, Folder)}
	if c.Progress == nil {
		r.config.Progress = progress.Silent{}
	}
	for i := range summary.Jobs {
		j := &job{JobResult: &summary.Jobs[i], number: i}
		if j.State == results.StateDone {
			j.settled = true
			r.report(progress.Event{
				Kind: progress.StateChanged, State: j.State, DoneBefore: true, Job: j.name(), Metrics: j.Record.Final,
			})
		}
		r.jobs = append(r.jobs, j)
	}
	return r
}

func (j *job) name() string { return filepath.Base(j.Dir) }

func (r *run) report(e progress.Event) { r.config.Progress.Report(e) }

func (r *run) note(job, format string, args ...any) {
	r.report(progress.Event{Kind: progress.Noted, Job: job, Text: fmt.Sprintf(format, args...)})
}

// complain warns of an error once, until it is over or another one comes.
func (r *run) complain(err error) {
	if err.Error() != r.complaint {
		r.complaint = err.Error()
		r.report(progress.Event{Kind: progress.Warned, Text: r.complaint + "; trying again"})
	}
}

// left is the number of jobs that have not ended.
func (r *run) left() int {
	n := 0
	for _, j := range r.jobs {
		if !j.settled {
			n++
		}
	}
	return n
}

// pass looks at Slurm and at the folder, in this order: a task that Slurm knows no more has left in the
// folder what it had to. Jobs that have ended are settled, those that nobody works on are submitted.
func (r *run) pass(ctx context.Context) error {
	if r.left() == 0 {
		return nil
	}
	unlock, err := lock(ctx, r.logs)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := Read(r.config.Out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := s.adopt(ctx); err != nil {
		return err
	}
	states, err := queue(ctx, s.ids())
	if err != nil {
		return err
	}
	var idle []*job
	for _, j := range r.jobs {
		if j.settled {
			continue
		}
		array, task := s.place(j.name())
		state := states[task]
		record, recorded, err := store.Folder{Dir: j.Dir}.Record()
		switch {
		case recorded && record.State == results.StateDone:
			r.settle(j, record, nil)
		case state.active() && !slices.Equal(array.Flags, r.Flags):
			return fmt.Errorf("%w: %s is %v as task %v, with the flags %q, not %q; scancel %v, or wait for it",
				store.ErrConflict, j.name(), state, task, array.Flags, r.Flags, task)
		case state.active():
			r.underWay(j, task, state)
		case err != nil:
			r.settle(j, record, err)
		case recorded && j.seen: // before, the failure is an old one
			r.settle(j, record, errors.New(record.Reason))
		case j.seen && j.tries >= patience:
			r.settle(j, record, r.death(j, task, state))
		default:
			if j.seen {
				r.report(progress.Event{Kind: progress.Warned, Job: j.name(), Text: fmt.Sprintf("task %v ended "+
					"without a result (%s), see %s",
					task, howEnded(state), logFile(r.config.Out, task))})
			}
			idle = append(idle, j)
		}
	}
	return r.submit(ctx, &s, states, idle)
}

// settle ends a job: failed with err, done without one.
func (r *run) settle(j *job, record results.Record, err error) {
	j.settled, j.Record, j.Err = true, record, err
	e := progress.Event{Kind: progress.StateChanged, Job: j.name(), Err: err}
	if j.State = results.StateFailed; err == nil {
		j.State, e.Metrics = results.StateDone, record.Final
	}
	e.State = j.State
	r.report(e)
}

// death is the error of a job that is given up.
func (r *run) death(j *job, task Task, state TaskState) error {
	file := logFile(r.config.Out, task)
	return fmt.Errorf("%w, %d times; task %v: %s; the end of %s: %q",
		errDied, j.tries, task, howEnded(state), file, lastLine(file))
}

// howEnded is the state of a task that has ended.
func howEnded(state TaskState) string {
	if state.State == "" {
		return "unknown to Slurm by now"
	}
	return state.String()
}

// underWay takes note of a job that waits or runs in Slurm.
func (r *run) underWay(j *job, task Task, state TaskState) {
	switch {
	case state.State == j.inSlurm.State:
	case state.State == "RUNNING":
		r.note(j.name(), "%v as task %v", state, task)
	case j.inSlurm.State != "" && state.State == "PENDING":
		r.note(j.name(), "was requeued, %v", state)
		j.started = false
	}
	j.seen, j.inSlurm = true, state
	if state.State == "RUNNING" {
		r.follow(j)
	}
}

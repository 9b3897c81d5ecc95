package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// Plan is Run up to the moment when training would begin: it refuses what Run would refuse, draws
// the synthetic dataset, makes the jobs' folders, and tells what jobs there are and which of them are done already.
func Plan(ctx context.Context, c Config) (Summary, error) {
	r, err := newRunner(ctx, c, scope{})
	if err != nil {
		return r.summary, err
	}
	for i := range r.summary.Jobs {
		j := &r.summary.Jobs[i]
		if record, done := (store.Folder{Dir: j.Dir}).DoneRecord(); done {
			j.State, j.DoneBefore, j.Record = results.StateDone, true, record
		}
	}
	return r.summary, nil
}

// plan resolves the jobs of the scope and reserves their folders.
func (r *runner) plan(ctx context.Context, s scope) error {
	c := &r.config
	inferrer := r.newInferrer()
	for i := range uint64(c.Seeds) {
		for _, m := range c.Models {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			j := newJob(m, c.Seed+i, c, r.data)
			j.threads, j.alone, j.untimed = c.threadsOfJob(), c.Jobs == 1, c.Untimed
			j.report, j.now, j.keep, j.inferrer = c.Progress.Report, c.Now, c.Checkpoints, inferrer
			j.tensorBoard = c.TensorBoard
			r.jobs = append(r.jobs, j)
			r.summary.Jobs = append(r.summary.Jobs, JobResult{
				Model: m, Seed: j.id.Seed, Dir: j.folder.Dir, State: results.StateWaiting,
			})
		}
	}
	if err := r.findTeachers(); err != nil {
		return err
	}
	r.keepOnly(s.only)
	if err := r.beginAsPublished(); err != nil {
		return err
	}
	return r.reserve(ctx, s.dry)
}

// ErrNoJob is wrapped by the error for numbers that are not those of jobs.
var ErrNoJob = errors.New("no such job")

// check refuses numbers that none of count jobs has, and those that are named twice.
func (s scope) check(count int) error {
	for i, n := range s.only {
		if n < 0 || n >= count {
			return fmt.Errorf("%w: number %d, there are %d", ErrNoJob, n, count)
		}
		if slices.Contains(s.only[:i], n) {
			return fmt.Errorf("%w: number %d is named twice", ErrNoJob, n)
		}
	}
	return nil
}

// keepOnly leaves the jobs of these numbers, all if there are none.
func (r *runner) keepOnly(numbers []int) {
	if len(numbers) == 0 {
		return
	}
	jobs, summary := r.jobs, r.summary.Jobs
	r.jobs, r.summary.Jobs = nil, nil
	for _, n := range numbers {
		r.jobs, r.summary.Jobs = append(r.jobs, jobs[n]), append(r.summary.Jobs, summary[n])
	}
}

// reserve makes all jobs' folders, or in a dry run looks at them, so that what is in the way is known before hours
// have been spent, and status knows of jobs that wait.
func (r *runner) reserve(ctx context.Context, dry bool) error {
	claim := func(j *job) error { return j.folder.Claimable(j.id, j.data.Dataset) }
	if err := r.eachBuilt(ctx, claim); err != nil || dry {
		return err // no folder has been changed for what may go on in it
	}
	return r.eachBuilt(ctx, func(j *job) error {
		return j.folder.Reserve(j.id, j.data.Dataset, j.now(), j.warn)
	})
}

// eachBuilt calls f for every job that can be trained. The error is the first one, with the number of the others.
func (r *runner) eachBuilt(ctx context.Context, f func(*job) error) error {
	var conflicts []error
	for _, j := range r.jobs {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if j.unbuilt != nil {
			continue
		}
		if err := f(j); err != nil {
			conflicts = append(conflicts, store.ExplainWrite(err))
		}
	}
	switch len(conflicts) {
	case 0:
		return nil
	case 1:
		return conflicts[0]
	}
	return fmt.Errorf("%w (and %d more)", conflicts[0], len(conflicts)-1)
}

// findTeachers tells distilled jobs where the weights of their teacher with the same seed will be.
func (r *runner) findTeachers() error {
	for i, j := range r.jobs {
		if j.model.Distill == models.NoDistillation {
			continue
		}
		teacher, err := r.teacher()
		if err != nil {
			return err
		}
		if teacher.Distill != models.NoDistillation {
			return fmt.Errorf("%w: %s is distilled itself", ErrNoTeacher, teacher.Name)
		}
		j.id.Teacher = teacher.Name
		j.teacher = &teacherFolder{model: teacher, folder: r.config.folder(teacher, j.id.Seed)}
		if taught, err := j.teacher.taught(j); err == nil { // else it is yet to finish, and is met then
			j.id.TaughtBy = taught
		}
		r.summary.Jobs[i].Teacher = j.teacher.folder.Name()
	}
	return nil
}

// teacher is the model called so: one of this run, or a registered one.
func (r *runner) teacher() (models.Model, error) {
	for _, m := range r.config.Models {
		if m.Name == r.config.Teacher {
			return m, nil
		}
	}
	return models.Lookup(r.config.Teacher)
}

package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

var (
	// ErrFailed is wrapped by Run's error if a job failed; the others have gone on.
	ErrFailed = errors.New("failed")
	// ErrInterrupted is wrapped by Run's error if its context ended. The same call goes on.
	ErrInterrupted = errors.New("interrupted")
)

// Config says what to run.
type Config struct {
	Out     string         // the folder of results, one folder per job in it
	Data    string         // a Market-1501 folder; "": the recipe's synthetic dataset, drawn below Out
	Weights string         // a folder of published weights to begin with, a file per model; "": random ones
	Models  []models.Model // a job each, with each seed
	Recipe  recipe.Recipe
	Seed    uint64 // of all that is drawn at random
	Seeds   int    // runs of each model, with Seed, Seed+1, …; 0: one. The synthetic dataset is Seed's in all
	Only    []int  // the numbers of the jobs that this run is about, in the order of Summary.Jobs; nil: all

	Jobs    int    // at most so many side by side, as memory allows, with a thread each at least; 0: one
	Threads int    // of all jobs together; 0: one per CPU. Results do not depend on it
	Memory  int64  // bytes that all jobs together may take; 0: [machine.AvailableMemory]
	Teacher string // the model that distilled rows learn from; "": [models.DefaultTeacher]
	// AwaitTeacher has a distilled job whose teacher is not of this run wait for its record, as long as that takes:
	// another process trains it.
	AwaitTeacher bool

	Checkpoints Checkpoints

	drawn string // where the synthetic dataset is drawn; "": below Out

	Progress progress.Reporter // may be nil
	Now      func() time.Time  // the clock of progress and records; nil: the real one
}

// JobResult is what became of one job.
type JobResult struct {
	Model   models.Model
	Seed    uint64
	Dir     string
	Teacher string // the folder's name of the job that a distilled one learns from
	// State is waiting if the run ended before the job's turn came, interrupted if it goes on when the run is repeated,
	// failed, or done.
	State      results.State
	DoneBefore bool           // it was done before this run
	Record     results.Record // if it is done or has failed
	Err        error          // if it has failed
}

// Summary is what became of a run, job by job: seed by seed, each in the order of Config.Models.
type Summary struct {
	Dataset results.Dataset
	Jobs    []JobResult
}

// Count is the number of jobs in a state.
func (s Summary) Count(state results.State) int {
	n := 0
	for _, j := range s.Jobs {
		if j.State == state {
			n++
		}
	}
	return n
}

// Run trains and evaluates every model, with every seed, that is not finished yet.
//
// With a folder of published weights, a model without a file in it is an error that wraps
// [ErrNoWeights], and so is a file that does not fit, before anything is trained.
//
// Each job has a folder below Out. A folder that holds a run of another recipe or seed is an
// error that wraps [ErrConflict], one that began with other images [ErrDatasetChanged], one that
// cannot be written to [ErrReadOnly], all before anything is trained. A job that fails or panics
// is recorded with its reason, the others go on, and the error wraps [ErrFailed] at the end, and
// the reasons: [ErrLocked], [ErrMemory], [ErrDiskFull], [ErrDatasetChanged], [ErrNoTeacher] among
// them. If ctx ends, jobs write checkpoints and the error wraps [ErrInterrupted].
func Run(ctx context.Context, c Config) (Summary, error) {
	r, err := newRunner(ctx, c, (*job).reserve)
	if err != nil {
		return r.summary, err
	}
	return r.summary, r.start(ctx)
}

// newRunner opens the dataset and plans; reserve is told of every job. It returns a runner, with what is known, even if
// that fails.
func newRunner(ctx context.Context, c Config, reserve func(*job) error) (*runner, error) {
	r := &runner{}
	if err := c.complete(); err != nil {
		return r, err
	}
	data, err := openDataset(ctx, c.Data, cmp.Or(c.drawn, c.Out), c.Recipe.Synthetic, c.Seed, c.Progress.Report)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ErrInterrupted, err)
		}
		return r, err
	}
	r.config, r.data, r.summary.Dataset = c, data, data.record
	return r, r.plan(reserve)
}

// complete fills in defaults and refuses what cannot be run.
func (c *Config) complete() error {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Threads = machine.Threads(c.Threads)
	c.Seeds = max(c.Seeds, 1)
	c.Jobs = min(max(c.Jobs, 1), max(c.Seeds*len(c.Models), 1), c.Threads)
	if c.Memory < 1 {
		c.Memory = machine.AvailableMemory()
	}
	if c.Checkpoints.Newest < 1 {
		c.Checkpoints.Newest = 2
	}
	if c.Data != "" {
		c.Recipe.Synthetic = recipe.SyntheticSize{}
	}
	if c.Teacher == "" {
		c.Teacher = models.DefaultTeacher
	}
	if len(c.Models) == 0 {
		return errors.New("no models to run")
	}
	seen := map[string]bool{}
	for _, m := range c.Models {
		if seen[m.Name] {
			return fmt.Errorf("model %s is named twice", m.Name)
		}
		seen[m.Name] = true
	}
	if err := c.Recipe.Precision.Available(); err != nil {
		return err
	}
	return c.Recipe.Validate()
}

func (c *Config) threadsOfJob() int { return max(c.Threads/c.Jobs, 1) }

// dir is the folder of a job: OUT/<model> of the first seed, OUT/<model>@<seed> of the others.
func (c *Config) dir(model models.Model, seed uint64) string {
	name := model.Name
	if seed != c.Seed {
		name = fmt.Sprintf("%s@%d", name, seed)
	}
	return filepath.Join(c.Out, name)
}

// runner is one call of Run.
type runner struct {
	config  Config
	data    *dataset
	summary Summary
	jobs    []*job // by the index of Summary.Jobs
}

// plan resolves every job and has it reserved.
func (r *runner) plan(reserve func(*job) error) error {
	c := &r.config
	for i := range uint64(c.Seeds) {
		for _, m := range c.Models {
			j := newJob(m, c.Seed+i, c, r.data)
			j.threads, j.alone = c.threadsOfJob(), c.Jobs == 1
			j.report, j.now, j.keep = c.Progress.Report, c.Now, c.Checkpoints
			r.jobs = append(r.jobs, j)
			r.summary.Jobs = append(r.summary.Jobs, JobResult{
				Model: m, Seed: j.id.Seed, Dir: j.dir, State: results.StateWaiting,
			})
		}
	}
	if err := r.findTeachers(); err != nil {
		return err
	}
	if err := r.keepOnly(c.Only); err != nil {
		return err
	}
	if err := r.findPretrained(); err != nil {
		return err
	}
	return r.reserve(reserve)
}

// reserve has all jobs' folders looked at, or made, so that what is in the way is known before hours
// have been spent, and status knows of jobs that wait.
func (r *runner) reserve(reserve func(*job) error) error {
	var conflicts []error
	for _, j := range r.jobs {
		if j.unbuilt != nil {
			continue
		}
		if err := reserve(j); err != nil {
			conflicts = append(conflicts, storageError(err))
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
		j.teacher = &teacherFolder{model: teacher, dir: r.config.dir(teacher, j.id.Seed)}
		r.summary.Jobs[i].Teacher = filepath.Base(j.teacher.dir)
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

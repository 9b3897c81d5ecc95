package bench

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// An Estimate is what a run would do, and how long it would take on this machine.
type Estimate struct {
	Recipe  recipe.Recipe   `json:"recipe"`
	Dataset results.Dataset `json:"dataset"`
	Matched int             `json:"matched_queries"` // queries with a match in the gallery
	Machine results.Machine `json:"machine"`
	Jobs    int             `json:"jobs_side_by_side"`
	Threads int             `json:"threads"` // of each job
	Plan    []JobEstimate   `json:"plan"`
	Seconds float64         `json:"seconds"` // until the last job has ended
}

// JobEstimate is what one job would do.
type JobEstimate struct {
	Job    string        `json:"job"` // as its folder is called
	Model  string        `json:"model"`
	Seed   uint64        `json:"seed"`
	State  results.State `json:"state"`
	Reason string        `json:"reason,omitempty"` // of what is doomed

	Schedule    recipe.Schedule `json:"schedule"`
	EpochsDone  int             `json:"epochs_done"`
	Evaluations int             `json:"evaluations"`
	Bytes       int64           `json:"planned_bytes"` // the decoded training images included, which jobs share
	TrainRate   float64         `json:"train_img_per_s"`
	InferRate   float64         `json:"infer_img_per_s"`
	Seconds     float64         `json:"seconds"` // for what is left
}

// EstimateRun plans as [Run] does, and refuses what that would refuse, and measures a few steps of
// every model that is not done. Nothing is written: where the synthetic dataset is missing, it is
// drawn in a temporary folder.
//
// The time of a training step is that of the second of two, on a batch of noise; the time of an
// image in evaluation, and while only the classifier is trained, that of an image in the second of
// two forward passes. Models of the same layers are measured once. Reading images, writing
// checkpoints and the protocol itself are not counted, and jobs side by side are taken to not slow
// each other down.
//
// only, if there are any, are the numbers of the jobs that it is about, as Run's.
func EstimateRun(ctx context.Context, c Config, only ...int) (Estimate, error) {
	drawn, cleanUp, err := c.drawAside()
	if err != nil {
		return Estimate{}, err
	}
	defer cleanUp()
	r, err := newRunner(ctx, c, scope{only: only, dry: true, drawn: drawn})
	if err != nil {
		return Estimate{}, err
	}
	pacer := measure.NewPacer(r.config.threadsOfJob(), r.config.Recipe.Precision, r.config.Progress)
	defer pacer.Close()
	return r.estimate(ctx, pacer.Pace)
}

// drawAside makes a folder for a synthetic dataset that is missing, which cleanUp removes; "" if none is needed.
func (c *Config) drawAside() (drawn string, cleanUp func(), err error) {
	if c.Data != "" {
		return "", func() {}, nil
	}
	if _, err := os.Stat(filepath.Join(c.Out, c.Recipe.Synthetic.Folder(c.Seed))); !errors.Is(err, fs.ErrNotExist) {
		return "", func() {}, err
	}
	dir, err := os.MkdirTemp("", "reidbench-*")
	if err != nil {
		return "", nil, err
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// pace returns the images a second that a model is trained on, or used on, with batches of a number of images.
type pace func(ctx context.Context, m models.Model, mode measure.Mode, batch int) (float64, error)

func (r *runner) estimate(ctx context.Context, pace pace) (Estimate, error) {
	e := Estimate{
		Recipe: r.config.Recipe, Dataset: r.data.record, Matched: r.data.matched, Machine: machine.Describe(),
		Jobs: r.config.Jobs, Threads: r.config.threadsOfJob(),
	}
	r.makeRoom()
	for _, j := range r.jobs {
		if ctx.Err() != nil {
			return e, orInterrupted(ctx, ctx.Err())
		}
		planned, err := j.estimate(ctx, pace)
		if err != nil {
			return e, err
		}
		e.Plan = append(e.Plan, planned)
	}
	e.Seconds = r.makespan(e.Plan)
	return e, nil
}

// makespan is when the last job ends if they begin by turns, each as soon as one before it has ended.
func (r *runner) makespan(plan []JobEstimate) float64 {
	ends := make([]float64, r.config.Jobs)
	for _, i := range r.turns() {
		first := slices.Index(ends, slices.Min(ends))
		ends[first] += plan[i].Seconds
	}
	return slices.Max(ends)
}

func (j *job) estimate(ctx context.Context, pace pace) (JobEstimate, error) {
	e := JobEstimate{
		Job: j.folder.Name(), Model: j.model.Name, Seed: j.id.Seed, State: results.StateNew, Schedule: j.id.Schedule,
	}
	if j.unbuilt != nil {
		e.State, e.Reason = results.StateDoomed, j.unbuilt.Error()
		return e, nil
	}
	var err error
	if j.footprint, err = j.measure(j.id.Recipe.Batch); err != nil {
		return e, err
	}
	e.Bytes = j.footprint.total()
	epochs := e.Schedule.AllEpochs()
	for epoch := range epochs {
		if j.evaluated(epoch) {
			e.Evaluations++
		}
	}
	if j.initialDue() {
		e.Evaluations++
	}
	switch record, err := results.Read(j.folder.Dir); {
	case err == nil && record.State == results.StateDone && !j.folder.Lengthened(j.id):
		e.State, e.EpochsDone = results.StateDone, record.Epochs
		return e, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		e.State, e.Reason = results.StateDoomed, err.Error()
		return e, nil
	}
	if err := j.refuseIfTooLarge(); err != nil {
		e.State, e.Reason = results.StateDoomed, err.Error()
		return e, nil
	}
	steps, err := j.progress(&e)
	if err != nil {
		return e, err
	}
	if e.TrainRate, err = pace(ctx, j.model, measure.TrainMode, j.id.Recipe.Batch); err != nil {
		return e, err
	}
	if e.InferRate, err = pace(ctx, j.model, measure.InferMode, j.id.Recipe.Batch); err != nil {
		return e, err
	}
	teacherSeconds := 0.0 // an image
	if j.teacher != nil {
		teacherRate, err := pace(ctx, j.teacher.model, measure.InferMode, j.id.Recipe.Batch)
		if err != nil {
			return e, err
		}
		teacherSeconds = 1 / teacherRate
	}
	images := float64(min(e.Schedule.StepsPerEpoch*j.id.Recipe.Batch, len(j.data.Train.Entries)))
	judged := j.evaluationWork()
	if e.EpochsDone == 0 && steps == 0 && j.initialDue() {
		e.Seconds += judged / e.InferRate
	}
	for epoch := e.EpochsDone; epoch < epochs; epoch++ {
		seconds := teacherSeconds + 1/e.TrainRate
		if epoch < e.Schedule.HeadEpochs {
			seconds = teacherSeconds + 1/e.InferRate
		}
		left := images
		if epoch == e.EpochsDone {
			left *= 1 - float64(steps)/float64(e.Schedule.StepsPerEpoch)
		}
		e.Seconds += left * seconds
		if j.evaluated(epoch) {
			e.Seconds += judged / e.InferRate
		}
	}
	return e, nil
}

// progress notes where the job would go on, and returns the steps that are done of the open epoch.
func (j *job) progress(e *JobEstimate) (steps int, err error) {
	recorded, err := j.folder.Identity()
	if err != nil || recorded == nil {
		return 0, err
	}
	e.State = results.StateBegun
	found, err := j.folder.Checkpoints()
	if err != nil || len(found) == 0 {
		return 0, err
	}
	e.EpochsDone = found[0].Epochs
	return found[0].Steps, nil
}

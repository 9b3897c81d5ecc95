package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
)

var (
	// ErrFailed is wrapped by Run's error if a job failed; the others have gone on.
	ErrFailed = errors.New("failed")
	// ErrInterrupted is wrapped by Run's error if its context ended. The same call goes on.
	ErrInterrupted = errors.New("interrupted")
)

// Run trains and evaluates every model, with every seed, that is not finished yet.
//
// With weights to begin with, a model that none are found for is an error that wraps
// [ErrNoWeights], and so is a file that does not fit, before anything is done.
//
// Each job has a folder below Out. A folder that holds a run of another recipe or seed is an
// error that wraps [store.ErrConflict], one that began with other images [store.ErrDatasetChanged], one that
// cannot be written to [store.ErrReadOnly], a dataset without a query that has a match [market1501.ErrNoMatch],
// all before anything is trained. A job that fails or panics is recorded with its reason, the others
// go on, and the error wraps [ErrFailed] at the end, and the reasons: [store.ErrLocked], [ErrMemory],
// [store.ErrDiskFull], [store.ErrDatasetChanged], [ErrNoTeacher] among them. If ctx ends, jobs write
// checkpoints and the error wraps [ErrInterrupted].
//
// only, if there are any, are the numbers of the jobs that this run is about, in the order of the summary of a run of
// all.
func Run(ctx context.Context, c Config, only ...int) (Summary, error) {
	r, err := newRunner(ctx, c, scope{only: only})
	if err != nil {
		return r.summary, err
	}
	if err := c.makeBoard(); err != nil {
		return r.summary, err
	}
	return r.summary, r.start(ctx)
}

// scope says what a runner is to do of what its configuration says.
type scope struct {
	only  []int  // the numbers of the jobs; none: all
	dry   bool   // job folders are looked at, and not made
	drawn string // where the synthetic dataset is drawn; "": below Out
}

// newRunner opens the dataset and plans. It returns a runner, with what is known, even if that fails.
func newRunner(ctx context.Context, c Config, s scope) (*runner, error) {
	r := &runner{}
	if err := c.complete(); err != nil {
		return r, err
	}
	if err := s.check(c.Seeds * len(c.Models)); err != nil {
		return r, err
	}
	pretrained, err := c.findPretrained(s)
	if err != nil {
		return r, err
	}
	opener, out := market1501.Opener{Layout: c.Layout}, cmp.Or(s.drawn, c.Out)
	data, err := openDataset(ctx, opener, c.Data, out, c.Recipe.Synthetic, c.Seed, c.Progress.Report)
	if err != nil {
		return r, orInterrupted(ctx, err)
	}
	sampler := c.Recipe.Sampler
	if sampler == market1501.Identities && sampler.Batches(data.Train.Entries, c.Recipe.Batch) < 1 {
		return r, fmt.Errorf("%w %q: batches of %d images have room for more people than the %d to train on",
			recipe.ErrUnusable, c.Recipe.Name, c.Recipe.Batch, data.Classes)
	}
	if !s.dry {
		c.Progress.Report(progress.Event{Kind: progress.Noted, Text: data.matches()})
	}
	r.config, r.data, r.pretrained, r.summary.Dataset = c, data, pretrained, data.record
	return r, orInterrupted(ctx, r.plan(ctx, s))
}

// orInterrupted is err, which wraps ErrInterrupted if ctx has ended.
func orInterrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrInterrupted, err)
	}
	return err
}

// runner is one call of Run.
type runner struct {
	config     Config
	data       *dataset
	pretrained map[string]string // the file of weights to begin with, by model; none: random ones
	summary    Summary
	jobs       []*job // by the index of Summary.Jobs
}

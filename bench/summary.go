package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

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

// Verdict is the error of a run whose jobs have ended so: nil if all are done, else one that wraps [ErrFailed] or
// [ErrInterrupted].
func (s Summary) Verdict(ctx context.Context) error {
	var reasons []error
	for _, j := range s.Jobs {
		if j.State == results.StateFailed {
			reasons = append(reasons, fmt.Errorf("%s: %w", filepath.Base(j.Dir), j.Err))
		}
	}
	open := s.Count(results.StateWaiting) + s.Count(results.StateInterrupted)
	if open > 0 && ctx.Err() != nil {
		reasons = append(reasons, fmt.Errorf("%w with %d of %d jobs left; the same command goes on",
			ErrInterrupted, open, len(s.Jobs)))
	}
	if n := s.Count(results.StateFailed); n > 0 {
		reasons = append([]error{fmt.Errorf("%d of %d jobs %w", n, len(s.Jobs), ErrFailed)}, reasons...)
	}
	return errors.Join(reasons...)
}

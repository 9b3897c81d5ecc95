package bench

import (
	"context"
	"fmt"

	"github.com/reidbench/reidbench/results"
)

// Plan is Run up to the moment when training would begin: it refuses what Run would refuse, draws
// the synthetic dataset, makes the jobs' folders, and tells what jobs there are and which of them are done already.
func Plan(ctx context.Context, c Config) (Summary, error) {
	r, err := newRunner(ctx, c, (*job).reserve)
	if err != nil {
		return r.summary, err
	}
	for i := range r.summary.Jobs {
		j := &r.summary.Jobs[i]
		if record, err := results.Read(j.Dir); err == nil && record.State == results.StateDone {
			j.State, j.DoneBefore, j.Record = results.StateDone, true, record
		}
	}
	return r.summary, nil
}

// keepOnly leaves the jobs of these numbers, all if there are none.
func (r *runner) keepOnly(numbers []int) error {
	if numbers == nil {
		return nil
	}
	jobs, summary := r.jobs, r.summary.Jobs
	r.jobs, r.summary.Jobs = nil, nil
	for _, n := range numbers {
		if n < 0 || n >= len(jobs) {
			return fmt.Errorf("no job has the number %d, there are %d", n, len(jobs))
		}
		r.jobs, r.summary.Jobs = append(r.jobs, jobs[n]), append(r.summary.Jobs, summary[n])
	}
	return nil
}

package bench

import (
	"context"
	"fmt"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/measure"
	"github.com/reidbench/reidbench/results"
)

// newInferrer measures what using the run's models costs; nil if nothing is to be measured. Jobs side by side would
// measure each other.
func (r *runner) newInferrer() *measure.Inferrer {
	c := &r.config
	if !c.Inference || c.Jobs > 1 {
		return nil
	}
	return measure.NewInferrer(c.threadsOfJob(), c.Recipe.Precision, c.Now)
}

// measureInference adds to the record of a job that is done what using its model costs. Where that can't be measured,
// a warning says so: the job has done what it is for.
func (j *job) measureInference(ctx context.Context, record *results.Record) error {
	if j.inferrer == nil {
		return nil
	}
	of, err := j.inferenceInRoom(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		j.warn("what inference costs is not recorded: " + err.Error())
		return nil
	}
	record.Inference = &of
	if taken := of.WaitedShare.Disturbed(); taken != "" {
		j.warn("inference is faster than its record says: threads waited for other work " + taken)
	}
	return j.tenancy.Check() // it has taken a while
}

// inferenceInRoom measures if there is room for it: its batches may be larger than those of training.
func (j *job) inferenceInRoom(ctx context.Context) (results.Inference, error) {
	needs, err := j.inferrer.Needs(j.model)
	if err != nil {
		return results.Inference{}, err
	}
	if j.room > 0 && needs > j.room {
		return results.Inference{}, fmt.Errorf("%w: batches of %d take %s, and %s are available",
			ErrMemory, measure.ThroughputBatch, machine.Bytes(needs), machine.Bytes(j.room))
	}
	return j.inferrer.Measure(ctx, j.model)
}

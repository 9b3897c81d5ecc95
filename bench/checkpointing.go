package bench

import (
	"context"
	"errors"

	"github.com/reidbench/reidbench/results"
)

// checkpointDue reports whether one is due between the epoch that was closed and the next.
func (t *training) checkpointDue() bool {
	due := func(every int) bool { return every > 0 && t.position.Epochs%every == 0 }
	return due(t.id.Recipe.CheckpointEvery) || due(t.keep.Every)
}

// lastKept is how many of the newest checkpoints stay when the job is done: the one of its last step, before anything
// that is done because no epoch follows, so that more epochs can go on from there. Under a budget none stays: to train
// longer would lift it.
func (j *job) lastKept() int {
	if j.id.Recipe.ForwardMACs > 0 {
		return 0
	}
	return 1
}

// saveEnd saves the checkpoint that stays, after the last step.
func (t *training) saveEnd() error {
	if t.lastKept() == 0 || t.position.Epochs != t.lastEpoch() || t.saved == t.position.Steps {
		return nil
	}
	return t.save()
}

// keepSteps leaves a checkpoint of what has been trained since the last.
func (t *training) keepSteps() error {
	if t.position.Steps == 0 || t.position.Steps == t.saved {
		return nil
	}
	return t.save()
}

// saveWeights leaves what the training has come to.
func (t *training) saveWeights() error {
	if err := t.tenancy.Check(); err != nil {
		return err
	}
	return t.folder.SaveWeights(t.id, t.weights)
}

// interrupt leaves a checkpoint and returns why.
func (t *training) interrupt(ctx context.Context) error {
	if err := t.keepSteps(); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	t.emitState(results.StateInterrupted)
	return ctx.Err()
}

func (t *training) save() error {
	if err := t.tenancy.Check(); err != nil {
		return err
	}
	size, err := t.log.Sync()
	if err != nil {
		return err
	}
	t.position.LogBytes, t.position.AdamSteps = size, t.optimizer.Steps()
	if err := t.folder.SaveCheckpoint(t.position, t.stepsOfEpoch(), t.weights, t.optimizer, t.trained()); err != nil {
		return err
	}
	t.saved, t.savedAt = t.position.Steps, t.now()
	return t.folder.Prune(t.keep.Newest, t.keep.Every)
}

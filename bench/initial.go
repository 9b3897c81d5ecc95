package bench

import (
	"context"
	"errors"

	"github.com/reidbench/reidbench/market1501"
)

// initialShare is the share of a budget that judging the network before its first step may take.
const initialShare = 0.1

// initialDue reports whether the network is judged as it is before the first step. Under a budget, which is there
// because time is short, that is left out where it would cost much.
func (j *job) initialDue() bool {
	budget := j.id.Recipe.ForwardMACs
	return budget == 0 || j.evaluationWork()*float64(j.cost.Total.MACs()) <= initialShare*float64(budget)
}

// judgeInitial judges the network before its first step if that is due. The log has nothing of it. Random weights may
// make features that nobody can judge, which is no reason not to train them.
func (t *training) judgeInitial(ctx context.Context) error {
	if t.position.Steps > 0 || !t.initialDue() {
		return nil
	}
	plain := *t.judge
	plain.protocol.Rerank = market1501.Rerank{}
	e, err := t.evaluate(ctx, &plain)
	if errors.Is(err, market1501.ErrFeatures) {
		return nil
	}
	if err != nil {
		return err
	}
	t.position.Initial = e.metrics()
	t.meter.worked(t.evaluationWork())
	return nil
}

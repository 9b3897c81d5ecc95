package bench

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// TestWhereTrainingBegan: a record has the losses of the first and of the last step as the log has them, and the
// metrics of the network as it was before.
func TestWhereTrainingBegan(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	record := mustRun(t, c).Jobs[0].Record
	history, err := store.Folder{Dir: filepath.Join(c.Out, "one")}.History()
	if err != nil {
		t.Fatal(err)
	}
	var losses []float64
	for _, e := range history.Entries {
		if e.Event == store.StepEntry {
			losses = append(losses, e.Loss)
		}
	}
	want := &results.LossRange{First: losses[0], Last: losses[len(losses)-1]}
	if diff := cmp.Diff(want, record.Loss); diff != "" {
		t.Errorf("losses (-log +record):\n%s", diff)
	}
	if record.Initial == nil || record.Initial.MAP != untrainedMAP(t, c) {
		t.Errorf("before the first step %+v, want an mAP of %v", record.Initial, untrainedMAP(t, c))
	}
}

// TestInitialWithinABudget: the network is judged before its first step where that takes no more than a tenth of it.
func TestInitialWithinABudget(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	j, err := newRunner(t.Context(), c, scope{dry: true})
	if err != nil {
		t.Fatal(err)
	}
	cost := int64(j.jobs[0].evaluationWork()) * j.jobs[0].cost.Total.MACs()
	for budget, want := range map[int64]bool{10 * cost: true, 10*cost - 1: false} {
		c := testConfig(t, tinymodel.New("one"))
		c.Recipe.ForwardMACs = budget
		if got := mustRun(t, c).Jobs[0].Record.Initial != nil; got != want {
			t.Errorf("a budget of %d, an evaluation of %d: judged before %v, want %v", budget, cost, got, want)
		}
	}
}

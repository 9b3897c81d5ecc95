package bench

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// TestRankRepeatsTheRun: a run's lists are those of its weights.
func TestRankRepeatsTheRun(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	dir := filepath.Join(c.Out, "one")
	recorded, err := results.ReadRankings(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Rank(t.Context(), RankConfig{
		EvaluateConfig: EvaluateConfig{
			Model: tinymodel.New("one"), Weights: filepath.Join(dir, store.WeightsFile), Data: c.Data,
			Batch: c.Recipe.Batch,
		},
		Choice: ChooseSpread, Queries: recordedQueries, Top: recordedTop,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(recorded, again); diff != "" {
		t.Errorf("the lists of the weights differ (-run +weights):\n%s", diff)
	}
	if len(recorded.Lists) != recordedQueries || recorded.Lists[0].Place != 1 ||
		recorded.Lists[2].Place != recorded.Queries {
		t.Errorf("the recorded lists are not the best, the median and the worst: %+v", recorded)
	}
	for _, l := range recorded.Lists {
		for _, n := range l.Nearest {
			if n.Match != (n.PID == l.Query.PID) || n.PID == l.Query.PID && n.CamID == l.Query.CamID {
				t.Errorf("%+v in the list of %+v", n, l.Query)
			}
		}
	}
}

func TestChoices(t *testing.T) {
	all := []market1501.Ranking{
		{AveragePrecision: 0.5}, {AveragePrecision: 1}, {AveragePrecision: 0.25}, {AveragePrecision: 0.5},
		{AveragePrecision: 0.75},
	}
	for _, test := range []struct {
		choice  Choice
		queries int
		want    []int
	}{
		{ChooseSpread, 3, []int{1, 0, 2}},
		{ChooseSpread, 1, []int{1}},
		{ChooseSpread, 2, []int{1, 2}},
		{ChooseSpread, 9, []int{1, 4, 0, 3, 2}},
		{ChooseBest, 2, []int{1, 4}},
		{ChooseWorst, 2, []int{2, 3}},
		{ChooseFirst, 2, []int{0, 1}},
		{ChooseFirst, 0, []int{0, 1, 2, 3, 4}},
	} {
		got, err := test.choice.choose(all, test.queries)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s of %d: %v (-want +got):\n%s", test.choice, test.queries, err, diff)
		}
	}
	if _, err := Choice("random").choose(all, 1); err == nil {
		t.Error("an unknown choice was followed")
	}
}

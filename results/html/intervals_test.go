package html

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/results"
)

// judged is a run of which each of twelve people's queries has found its first match at a rank.
func judged(t *testing.T, model, row string, rank int) results.Record {
	t.Helper()
	recipe, err := results.NewRecipe("quick", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	r := results.Record{
		Format: results.Format, Model: model, Row: row, State: results.StateDone, Recipe: recipe,
		Final: &results.Metrics{Rank5: 1, Rank10: 1, MAP: 1 / float64(rank)},
	}
	for pid := range int32(12) {
		r.Queries = append(r.Queries, results.Query{
			Image:   results.Image{File: fmt.Sprintf("query/%d.jpg", pid), PID: pid},
			Outcome: results.Outcome{AP: 1 / float64(rank), FirstRank: rank},
		})
	}
	r.Final.Intervals = r.Queries.Intervals()
	return r
}

// TestPageShowsIntervals: in tables and for the chart, with the mark of what can't be told apart, and what it means.
func TestPageShowsIntervals(t *testing.T) {
	report, err := results.NewReport([]results.Record{
		judged(t, "osnet", "OSNet", 2), judged(t, "resnet50", "ResNet50", 2), judged(t, "vgg16", "VGG16", 4),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	report.Agreement = &results.Agreement{Rows: 3, KendallTauB: 0.5, SpearmanRho: 0.6, MeanAbsoluteDifference: 7}
	var page bytes.Buffer
	if err := Write(&page, Page{Report: report}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Agreement of our order by mAP", "τ-b 0.500", "Best: ResNet50 by mAP, 50.00. 1 of the 2 others can",
		`<abbr title="can't be told apart from the best mAP">≈</abbr>`, "50.00 <small>36.8–63.2</small>",
		`"map":[36.77,63.23]`, `"curves":[]`,
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(page.String(), "<abbr"); n != 2 { // once in each of the two tables about our runs
		t.Errorf("%d marks, not 2", n)
	}
}

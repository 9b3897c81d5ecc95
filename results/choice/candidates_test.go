package choice

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/results"
)

// TestCandidates: our accuracy stands for a row where its run was made as the published one was.
func TestCandidates(t *testing.T) {
	record := func(model, row string, train int) results.Record {
		return results.Record{
			Model: model, Row: row, State: results.StateDone,
			Recipe: results.Recipe{Name: "paper", Values: map[string]any{
				"head_epochs": 10, "epochs": 150, "batch": 64, "lr": 5e-4, "lr_step": 50, "lr_gamma": 0.1,
				"weight_decay": 5e-4, "warmup_epochs": 0, "forward_macs": 0,
			}},
			Dataset: results.Dataset{Name: "Market-1501", Train: train, Query: 3368, Gallery: 15913},
			Final:   &results.Metrics{Rank1: 0.9, MAP: 0.75},
			Cost:    results.Cost{PaperParams: 7, PaperMACs: 9},
			Inference: &results.Inference{
				Latency: results.Latency{P50: 5, P90: 6, P99: 7}, PlannedBytes: 1 << 20,
			},
		}
	}
	report, err := results.NewReport([]results.Record{
		record("osnet", "OSNet", 12936), record("vgg16", "VGG16", 1000), record("mine", "", 1000),
	}, map[string]results.Cost{"AlexNet": {PaperParams: 5, PaperMACs: 6}, "TNT-S(256,128)": {}})
	if err != nil {
		t.Fatal(err)
	}
	list := Candidates(report)
	if want := len(results.Published()); len(list) != want {
		t.Errorf("%d candidates, want %d", len(list), want)
	}
	got := map[string]Candidate{}
	for _, c := range list {
		got[c.Model] = c
	}
	measured := map[Cost]float64{Params: 7, MACs: 9, Latency: 5, Memory: 1 << 20}
	for _, want := range []Candidate{
		{"OSNet", Ours, 75, 90, measured},
		{"VGG16", Published, 48.40, 70.90, measured},
		{"AlexNet", Published, 44.52, 67.69, map[Cost]float64{Params: 5, MACs: 6}},
		{"TNT-S", Published, 58.21, 79.72, map[Cost]float64{}},
	} {
		if diff := cmp.Diff(want, got[want.Model]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Model, diff)
		}
	}
}

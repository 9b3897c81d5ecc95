package bench

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// mapsOf takes the heatmaps out of ranked lists, by the images' names. Two of one image must be the same.
func mapsOf(t *testing.T, r *results.Rankings) map[string]results.Heatmap {
	t.Helper()
	maps := map[string]results.Heatmap{}
	take := func(file string, m **results.Heatmap) {
		if *m == nil {
			t.Fatalf("%s has no heatmap", file)
		}
		if known, ok := maps[file]; ok && !cmp.Equal(known, **m) {
			t.Errorf("%s has two heatmaps", file)
		}
		maps[file], *m = **m, nil
	}
	for i := range r.Lists {
		take(r.Lists[i].Query.File, &r.Lists[i].Heatmap)
		for k := range r.Lists[i].Nearest {
			take(r.Lists[i].Nearest[k].File, &r.Lists[i].Nearest[k].Heatmap)
		}
	}
	return maps
}

// TestRankHeatmaps: the lists are those without heatmaps, and an image's map depends on nothing but the image.
func TestRankHeatmaps(t *testing.T) {
	run := testConfig(t, tinymodel.New("one"))
	mustRun(t, run)
	c := RankConfig{
		EvaluateConfig: EvaluateConfig{
			Model: tinymodel.New("one"), Weights: filepath.Join(run.Out, "one", store.WeightsFile), Data: run.Data,
		},
		Choice: ChooseFirst, Top: 20,
	}
	plain, err := Rank(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Heatmap = true
	all, err := Rank(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	maps := mapsOf(t, &all)
	if all.Heatmaps != "activation" {
		t.Errorf("heatmaps are called %q", all.Heatmaps)
	}
	all.Heatmaps = ""
	if diff := cmp.Diff(plain, all); diff != "" {
		t.Errorf("the lists are others (-without +with heatmaps):\n%s", diff)
	}
	if len(maps) <= lookBatch {
		t.Fatalf("%d images are no more than a batch", len(maps))
	}
	different := map[float64]bool{}
	for file, m := range maps {
		length := 0.0
		for _, v := range m.Values {
			length += v * v
		}
		if m.Height != 8 || m.Width != 4 || math.Abs(length-1) > 1e-12 {
			t.Errorf("%s: %d × %d, of length² %v", file, m.Height, m.Width, length)
		}
		different[m.Values[0]] = true
	}
	if len(different) < len(maps)/2 {
		t.Errorf("%d maps begin with %d values", len(maps), len(different))
	}
	c.Queries, c.Top, c.Threads = 1, 1, 1
	few, err := Rank(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for file, m := range mapsOf(t, &few) {
		if diff := cmp.Diff(maps[file], m); diff != "" {
			t.Errorf("%s among few images (-among all +among few):\n%s", file, diff)
		}
	}
}

// TestLookElsewhere: an image that the dataset does not have is an error that names it.
func TestLookElsewhere(t *testing.T) {
	run := testConfig(t, tinymodel.New("one"))
	mustRun(t, run)
	d, err := (market1501.Opener{}).Open(t.Context(), run.Data)
	if err != nil {
		t.Fatal(err)
	}
	c := LookConfig{Model: tinymodel.New("one"), Weights: filepath.Join(run.Out, "one", store.WeightsFile)}
	lists := results.Rankings{Lists: []results.RankedList{
		{Query: results.Image{File: d.Query.Entries[0].Path}}, {Query: results.Image{File: "query/gone.jpg"}},
	}}
	if err := Look(t.Context(), c, d, &lists); !errors.Is(err, errNoPicture) {
		t.Errorf("error %v, want one of the image", err)
	}
}

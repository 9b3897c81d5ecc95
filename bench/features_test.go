package bench

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// TestRefereeAgreesWithTorchreid: features, lists and figures in testdata/torchreid are as make.py there has written
// them, by torchreid's own evaluation, and by fast-reid's for mINP.
func TestRefereeAgreesWithTorchreid(t *testing.T) {
	dir := filepath.Join("testdata", "torchreid")
	file := func(name string) string { return filepath.Join(dir, name) }
	content, err := os.ReadFile(file("expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	type figures struct {
		MAP, MINP float64
		CMC       []float64
	}
	var expected map[string]figures
	if err := json.Unmarshal(content, &expected); err != nil {
		t.Fatal(err)
	}
	for _, metric := range []market1501.Metric{market1501.Euclidean, market1501.Cosine} {
		for _, names := range [][]string{{file("query.txt"), file("gallery.txt")}, {file("names.csv")}} {
			from := market1501.ForeignFeatures{Query: file("query.npy"), Gallery: file("gallery.npy"), Names: names}
			e, err := Referee(t.Context(), from, EvaluateConfig{
				Protocol: recipe.Protocol{Metric: metric, Rerank: market1501.PublishedRerank()},
			})
			if err != nil {
				t.Fatal(err)
			}
			if e.Queries != 54 || e.Skipped != 6 || e.Foreign.Values != 24 {
				t.Errorf("%d queries, %d skipped, of %+v", e.Queries, e.Skipped, e.Foreign)
			}
			for _, got := range []struct {
				what string
				*results.Metrics
			}{{metric.String(), &e.Metrics}, {metric.String() + " reranked", e.Metrics.Reranked}} {
				// torchreid's CMC is float32; no two distances there are as close as roundings.
				const rounding = 1.0 / (1 << 24)
				want := expected[got.what]
				if math.Abs(got.MINP-want.MINP) > 1e-12 {
					t.Errorf("%s: mINP %v, fast-reid's %v", got.what, got.MINP, want.MINP)
				}
				if math.Abs(got.MAP-want.MAP) > 1e-12 || len(got.CMC) != len(want.CMC) {
					t.Errorf("%s: mAP %v and %d ranks, torchreid's %v and %d", got.what, got.MAP, len(got.CMC),
						want.MAP, len(want.CMC))
					continue
				}
				for k := range want.CMC {
					if math.Abs(got.CMC[k]-want.CMC[k]) > rounding {
						t.Errorf("%s: Rank-%d is %v, torchreid's %v", got.what, k+1, got.CMC[k], want.CMC[k])
					}
				}
			}
		}
	}
}

// TestRefereeAgreesWithEvaluate: features that Evaluate writes are judged as they were, and so are those of torchreid's
// files once they have been written again.
func TestRefereeAgreesWithEvaluate(t *testing.T) {
	dir, again := filepath.Join("testdata", "torchreid"), filepath.Join(t.TempDir(), "again.csv")
	first, err := Referee(t.Context(), market1501.ForeignFeatures{
		Query: filepath.Join(dir, "query.npy"), Gallery: filepath.Join(dir, "gallery.npy"),
		Names: []string{filepath.Join(dir, "names.csv")},
	}, EvaluateConfig{Features: again, Verify: true, FPR: []float64{0.1}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Referee(t.Context(), market1501.ForeignFeatures{Query: again},
		EvaluateConfig{Verify: true, FPR: []float64{0.1}})
	if err != nil {
		t.Fatal(err)
	}
	first.Foreign, second.Foreign = nil, nil
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
}

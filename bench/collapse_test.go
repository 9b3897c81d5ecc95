package bench

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/train"
)

// Weights of which all features are one say so: their figures are the order of file names.
func TestCollapsedFeaturesAreTold(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	g, err := c.Models[0].Graph(1)
	if err != nil {
		t.Fatal(err)
	}
	w := train.NewWeights(g, 1)
	for _, dead := range []bool{false, true} {
		if dead {
			for _, name := range w.Names() {
				if err := w.Set(name, make([]float32, len(w.Get(name)))); err != nil {
					t.Fatal(err)
				}
			}
		}
		folder := store.Folder{Dir: t.TempDir()}
		if err := folder.SaveWeights(store.Identity{Model: "one", Recipe: c.Recipe, Dataset: "any"}, w); err != nil {
			t.Fatal(err)
		}
		var warnings []string
		e, err := Evaluate(t.Context(), EvaluateConfig{
			Model: c.Models[0], Weights: filepath.Join(folder.Dir, store.WeightsFile), Data: c.Data, Threads: 1,
			Progress: watcher(func(e progress.Event) {
				if e.Kind == progress.Warned {
					warnings = append(warnings, e.Text)
				}
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		told := strings.Contains(strings.Join(warnings, "\n"), "100.0 % of the gallery's other images")
		if told != dead {
			t.Errorf("dead %v: warnings %q", dead, warnings)
		}
		if tied := e.Metrics.Tied; (tied == 1) != dead {
			t.Errorf("dead %v: a share of %v tied distances in the record", dead, tied)
		}
	}
}

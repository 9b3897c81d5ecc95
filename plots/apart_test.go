package plots

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/results"
)

// TestUnlikeSidesStandApart: the published figures are drawn as if there were no runs, and ours alone beside them,
// unless both are asked for in one chart.
func TestUnlikeSidesStandApart(t *testing.T) {
	report, err := results.NewReport([]results.Record{{
		Model: "osnet", Row: "OSNet", State: results.StateDone, Recipe: results.Recipe{Name: "quick"},
		Dataset: results.Dataset{Name: "drawn", Synthetic: true},
		Final:   &results.Metrics{Rank1: 0.5, MAP: 0.25}, Cost: results.Cost{PaperParams: 2e6, PaperMACs: 1e9},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	alone, apart := rendered(t, published(t)), rendered(t, FromReport(report))
	if len(apart) != 2*len(alone) {
		t.Errorf("%d files of unlike sides, want %d", len(apart), 2*len(alone))
	}
	for name, want := range alone {
		if apart[name] != want {
			t.Errorf("%s differs from the one without runs", name)
		}
		ours := apart["ours-"+name]
		if strings.HasSuffix(name, ".svg") && (!strings.Contains(ours, "OSNet") || strings.Contains(ours, "VGG16")) {
			t.Errorf("ours-%s is not of OSNet alone", name)
		}
	}
	report.CompareAll()
	if together := rendered(t, FromReport(report)); len(together) != len(alone) {
		t.Errorf("%d files of both compared, want %d", len(together), len(alone))
	}
}

// rendered are the files that Render writes, by name.
func rendered(t *testing.T, c Comparison) map[string]string {
	t.Helper()
	paths, err := Render(t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(data)
	}
	return files
}

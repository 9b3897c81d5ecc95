package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models"
)

// TestOtherModelsWeights: the files of two models whose tensors are the same are told apart.
func TestOtherModelsWeights(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	mustRun(t, c)
	file := filepath.Join(c.Out, "one", store.WeightsFile)
	_, err := Evaluate(t.Context(), EvaluateConfig{Model: tinymodel.New("other"), Weights: file, Data: c.Data})
	want := file + ": weights of another model: they were trained as one, not as other"
	if !errors.Is(err, ErrOtherModel) || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
	again := testConfig(t, tinymodel.New("other"))
	again.Data, again.Weights = c.Data, WeightsFiles{file}
	if _, err := Run(t.Context(), again); !errors.Is(err, ErrOtherModel) {
		t.Errorf("a run: %v", err)
	}
}

func TestCheckTrainedAs(t *testing.T) {
	ours := map[string]string{"recipe": "tiny", "dataset": "d"}
	for _, c := range []struct {
		trained, model string
		fits           bool
	}{
		{"senet154-standard", "senet154", false},
		{"senet154", "senet154-standard", false},
		{"senet154", "senet154", true},
		{"xception", "xception-standard", false},
		{"deit-t16", "deit-t16-distiled-soft", true},
		{"deit-t16-distiled-soft", "deit-t16", true},
		{"deit-t16-distiled-soft", "deit-s16", false},
		{"a model that is no more", "osnet", false},
		{"", "osnet", true},
	} {
		m, err := models.Lookup(c.model)
		if err != nil {
			t.Fatal(err)
		}
		ours["model"] = c.trained
		a := emptyArchive(t, ours)
		if err := checkTrainedAs(a, m); (err == nil) != c.fits {
			t.Errorf("%s as %s: %v", c.trained, c.model, err)
		}
	}
}

// TestStandardNote: only a file from elsewhere may be of the published network.
func TestStandardNote(t *testing.T) {
	ours := map[string]string{"model": "xception", "recipe": "tiny", "dataset": "d"}
	for _, c := range []struct {
		model    string
		metadata map[string]string
		note     string
	}{
		{"xception", nil, "published files are of xception-standard"},
		{"senet154", map[string]string{"format": "pt"}, "whether its network is senet154 or senet154-standard"},
		{"xception", ours, ""},
		{"xception-standard", nil, ""},
		{"osnet", nil, ""},
	} {
		m, err := models.Lookup(c.model)
		if err != nil {
			t.Fatal(err)
		}
		got := standardNote(emptyArchive(t, c.metadata), m)
		if !strings.Contains(got, c.note) || (got == "") != (c.note == "") {
			t.Errorf("%s, %v: %q, want %q", c.model, c.metadata, got, c.note)
		}
	}
}

// emptyArchive is a file of no tensors with these metadata.
func emptyArchive(t *testing.T, metadata map[string]string) *weights.Archive {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty.safetensors")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(weights.WriteSafetensors(f, nil, metadata), f.Close()); err != nil {
		t.Fatal(err)
	}
	a, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

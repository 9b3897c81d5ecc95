package bench

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/weights/sources"
	"github.com/reidbench/reidbench/models"
)

// TestDefaultsAreFound: a folder with the file to begin with of every model that has one serves them all.
func TestDefaultsAreFound(t *testing.T) {
	dir := t.TempDir()
	var list []models.Model
	want := map[string]string{}
	for _, m := range models.All() {
		f, ok := sources.Default(m.Name)
		if !ok {
			continue
		}
		path := filepath.Join(dir, f.FileName())
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
		want[m.Name] = path
	}
	got, err := WeightsFiles{dir}.For(list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestUnpublishedBeginAtRandom: a model that nobody publishes weights for does not keep the others from beginning with
// theirs. Alone, it is one without a file.
func TestUnpublishedBeginAtRandom(t *testing.T) {
	unpublished := lookup(t, "lenet")[0]
	c := testConfig(t, foreign("one"), unpublished)
	folder := t.TempDir()
	path := filepath.Join(folder, "one.safetensors")
	writeForeign(t, path, 1000)
	c.Weights = WeightsFiles{folder}
	var notes []string
	c.Progress = watcher(func(e progress.Event) { notes = append(notes, e.Job+" "+e.Text) })
	got, err := c.findPretrained(scope{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"one": path}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if want := []string{"lenet begins with random weights: " + sources.WhyAbsent("lenet")}; !cmp.Equal(want, notes) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	c.Models = c.Models[1:]
	if _, err := c.findPretrained(scope{}); !errors.Is(err, ErrNoWeights) {
		t.Errorf("alone: %v, want %v", err, ErrNoWeights)
	}
}

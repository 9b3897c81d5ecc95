package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// smallDataset is a synthetic dataset and the identity of a job on it.
func smallDataset(t *testing.T) (*market1501.Dataset, Identity) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	config := market1501.SynthConfig{Dir: dir, IDs: 4, TestIDs: 2, ImagesPerID: 4, Seed: 1}
	err := market1501.Synthesize(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	data, err := market1501.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, err := data.Fingerprint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return data, Identity{
		Format: IdentityFormat, Model: "one", Seed: 7, Dataset: fingerprint, Classes: data.Classes,
	}
}

func mustReserve(t *testing.T, f Folder, id Identity, data *market1501.Dataset) {
	t.Helper()
	if err := f.Reserve(id, data, time.Now(), func(text string) { t.Error(text) }); err != nil {
		t.Fatal(err)
	}
}

// names are those of a folder's files, in order.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	for name := range contents(t, dir) {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func TestReserve(t *testing.T) {
	data, id := smallDataset(t)
	f := Folder{filepath.Join(t.TempDir(), "runs", "one")}
	if err := f.Claimable(id, data); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := os.Stat(f.Dir); err == nil {
		t.Error("asked whether it can be claimed, the folder is made")
	}
	mustReserve(t, f, id, data)
	if got := names(t, f.Dir); !slices.Equal(got, []string{lockFile, manifestFile, identityFile}) {
		t.Errorf("files %v", got)
	}
	before := contents(t, f.Dir)[identityFile]
	mustReserve(t, f, id, data)
	other := id
	other.Seed = 8
	if err := f.Claimable(other, data); err != nil {
		t.Errorf("what has not begun does not give way: %v", err)
	}
	mustReserve(t, f, other, data)
	if after := contents(t, f.Dir)[identityFile]; after == before {
		t.Error("the folder is still that of the job that has given way")
	}
	recorded, err := f.Identity()
	if err != nil || *recorded != other {
		t.Errorf("identity %+v, %v, want %+v", recorded, err, other)
	}
}

// TestReserveWhatHasBegun: a job with a log is not given up for another.
func TestReserveWhatHasBegun(t *testing.T) {
	data, id := smallDataset(t)
	f := Folder{t.TempDir()}
	mustReserve(t, f, id, data)
	if err := os.WriteFile(f.path(MetricsFile), []byte("{}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	mustReserve(t, f, id, data)
	for _, test := range []struct {
		name   string
		change func(*Identity)
		want   error
		text   string
	}{
		{"seed", func(id *Identity) { id.Seed = 8 }, ErrConflict, "seed is 8, there 7"},
		{"learning rate", func(id *Identity) { id.Recipe.LR = 0.5 }, ErrConflict, "recipe.lr is 0.5, there 0"},
		{"teacher", func(id *Identity) { id.Teacher = "two" }, ErrConflict, `teacher is "two", there absent`},
		{"weights", func(id *Identity) { id.Pretrained = &results.Pretrained{File: "f"} }, ErrConflict,
			"pretrained.file"},
		{"images", func(id *Identity) { id.Dataset, id.Classes = "other", 9 }, ErrDatasetChanged,
			"images decode to other pixels"},
	} {
		changed := id
		test.change(&changed)
		for what, err := range map[string]error{
			"Reserve":   f.Reserve(changed, data, time.Now(), nil),
			"Claimable": f.Claimable(changed, data),
			"Claim":     f.Claim(changed, data),
		} {
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("another %s, %s: error %v, want %v with %q", test.name, what, err, test.want, test.text)
			}
		}
	}
}

// TestTidy: a kill came between a job's record and the removal of what it no longer needs.
func TestTidy(t *testing.T) {
	f := Folder{t.TempDir()}
	kept := []string{"checkpoint-epoch0002-step000000.safetensors", results.File, WeightsFile}
	gone := []string{
		"checkpoint-epoch0003-step000001.safetensors", "checkpoint-epoch0003-step000001.safetensors" + digestSuffix,
		".result.json.partial-1", lockFile, holderFile,
	}
	for _, name := range slices.Concat(kept, gone) {
		if err := os.WriteFile(f.path(name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to do
		if err := f.Tidy(0, 2, time.Now(), func(text string) { t.Error(text) }); err != nil {
			t.Fatal(err)
		}
		if got := names(t, f.Dir); !slices.Equal(got, kept) {
			t.Errorf("files %v, want %v", got, kept)
		}
	}
}

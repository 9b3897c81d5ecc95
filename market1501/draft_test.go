package market1501

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHiddenFoldersAreNoDatasets(t *testing.T) {
	var hidden, both []string
	for _, p := range tinyDataset {
		hidden = append(hidden, ".data.123/"+p)
		both = append(both, ".data.123/"+p, "data/"+p)
	}
	if _, err := Open(t.Context(), writeDataset(t, hidden...)); !errors.Is(err, ErrNotDataset) {
		t.Errorf("a hidden one alone: error %v, want ErrNotDataset", err)
	}
	root := writeDataset(t, both...)
	if d, err := Open(t.Context(), root); err != nil || d.Root != filepath.Join(root, "data") {
		t.Errorf("beside a hidden one: %+v, %v", d, err)
	}
	if _, err := Open(t.Context(), filepath.Join(root, ".data.123")); err != nil {
		t.Errorf("a hidden one that is named: %v", err)
	}
}

func TestSynthesizeRemovesAbandonedDrafts(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "data")
	const abandoned = ".data.1234"
	stays := []string{
		".data.1234x/" + trainFolder,    // not called like a draft
		".data.5/mine",                  // not only what a draft holds
		".database.1234/" + trainFolder, // another dataset's
	}
	for _, folder := range append([]string{abandoned + "/" + trainFolder}, stays...) {
		if err := os.MkdirAll(filepath.Join(parent, folder), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	alive, err := newDraft(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.discard()
	if err := Synthesize(context.Background(), SynthConfig{Dir: dir, IDs: 2, ImagesPerID: 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(parent, abandoned)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an abandoned draft is still there: %v", err)
	}
	got := map[string]bool{}
	for _, folder := range append(stays, filepath.Base(alive.dir), "data") {
		got[folder] = isDir(filepath.Join(parent, folder))
	}
	want := map[string]bool{}
	for folder := range got {
		want[folder] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folders that are there (-want +got):\n%s", diff)
	}
}

package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contents are a folder's files.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

// TestCheckpointsThatStay writes those that a training of nine steps an epoch would.
func TestCheckpointsThatStay(t *testing.T) {
	name := func(epochs, steps int) string { return fmt.Sprintf(checkpointFormat, epochs, steps) }
	written := []string{
		name(0, 5), name(2, 0), name(3, 1), name(4, 0), name(4, 8), name(9, 9), name(10, 0), name(10, 4), name(100, 2),
	}
	for _, test := range []struct {
		newest, every int
		want          []string
	}{
		{2, 0, []string{name(10, 4), name(100, 2)}},
		{1, 2, []string{name(2, 0), name(4, 0), name(10, 0), name(100, 2)}},
		{3, 10, []string{name(10, 0), name(10, 4), name(100, 2)}},
		{0, 10, []string{name(10, 0)}},
		{20, 1, written},
	} {
		dir := t.TempDir()
		touch := func(name string) {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range written {
			touch(name)
			touch(name + digestSuffix)
		}
		others := []string{
			"checkpoint-epoch0001-step1.safetensors", name(7, 0) + brokenSuffix,
			name(7, 0) + brokenSuffix + digestSuffix,
		}
		for _, name := range others {
			touch(name)
		}
		touch(name(8, 0) + digestSuffix) // its checkpoint was never finished
		if err := (Folder{dir}).Prune(test.newest, test.every); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for _, name := range test.want {
			want[name], want[name+digestSuffix] = "", ""
		}
		for _, name := range others {
			want[name] = ""
		}
		if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
			t.Errorf("newest %d, every %d (-want +got):\n%s", test.newest, test.every, diff)
		}
	}
}

// TestCheckpointsAreFound whatever their numbers are, the newest first.
func TestCheckpointsAreFound(t *testing.T) {
	f := Folder{t.TempDir()}
	want := []CheckpointFile{
		{Epochs: 1_000_000, Steps: 0}, {Epochs: 12_345, Steps: 1_234_567}, {Epochs: 10_000, Steps: 1},
		{Epochs: 10_000, Steps: 0}, {Epochs: 9999, Steps: 999_999}, {Epochs: 0, Steps: 1_000_000},
	}
	for i, c := range want {
		want[i].Path = f.path(fmt.Sprintf(checkpointFormat, c.Epochs, c.Steps))
		if err := os.WriteFile(want[i].Path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.Checkpoints()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

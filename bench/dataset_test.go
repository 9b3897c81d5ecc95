package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// ownData is a copy of the dataset that a test may change.
func ownData(t *testing.T, c *Config) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(c.Data)); err != nil {
		t.Fatal(err)
	}
	c.Data = data
}

// runUntil ends the run, of all jobs or only some, after a number of steps.
func runUntil(t *testing.T, c Config, steps int, only ...int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Stepped && e.Step == steps {
			cancel()
		}
	})
	if _, err := Run(ctx, c, only...); !errors.Is(err, ErrInterrupted) {
		t.Fatalf("error %v, want ErrInterrupted", err)
	}
}

// changes to a dataset, and how they are named.
var changes = []struct {
	name, split string
	change      func(path string, others []string) error
	want        string
}{
	{"gone", "query", func(path string, _ []string) error { return os.Remove(path) }, "1 image gone (query/"},
	{"new", "bounding_box_train", func(path string, _ []string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path[:len(path)-len("00.jpg")]+"99.jpg", data, 0o666)
	}, "1 image new (bounding_box_train/"},
	{
		"of another size", "bounding_box_test", func(path string, _ []string) error { return os.Truncate(path, 100) },
		"1 image of another size (bounding_box_test/",
	},
	{"training image written anew", "bounding_box_train", swap, "1 image written anew (bounding_box_train/"},
	{"query written anew", "query", swap, "1 image written anew (query/"},
}

// swap replaces an image by another one, filled up to its size.
func swap(path string, others []string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	for _, other := range others {
		data, err := os.ReadFile(other)
		if err != nil {
			return err
		}
		if other != path && int64(len(data)) <= info.Size() {
			return os.WriteFile(path, append(data, make([]byte, int(info.Size())-len(data))...), 0o666)
		}
	}
	return errors.New("no smaller image")
}

// changeData makes one of the changes to the images of c's dataset.
func changeData(t *testing.T, c Config, split string, change func(string, []string) error) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(c.Data, split, "*.jpg"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d images: %v", len(paths), err)
	}
	largest := paths[0]
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	for _, path := range paths {
		if size(path) > size(largest) {
			largest = path
		}
	}
	if err := change(largest, paths); err != nil {
		t.Fatal(err)
	}
}

func wantChanged(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, store.ErrDatasetChanged) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want ErrDatasetChanged with %q", err, want)
	}
}

func TestDatasetChangedBetweenRuns(t *testing.T) {
	for _, test := range changes {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			ownData(t, &c)
			runUntil(t, c, 10) // after an evaluation, so that judged images are known, too
			kept, err := (store.Folder{Dir: filepath.Join(c.Out, "one")}).Checkpoints()
			if err != nil {
				t.Fatal(err)
			}
			undisturbed := c.Data + "-before"
			if err := os.CopyFS(undisturbed, os.DirFS(c.Data)); err != nil {
				t.Fatal(err)
			}
			changeData(t, c, test.split, test.change)
			_, err = Run(t.Context(), c)
			wantChanged(t, err, test.want)

			// Nothing is lost: with the images as they were it goes on from there.
			c.Data = undisturbed
			c.Progress = watcher(func(e progress.Event) {
				if e.State == results.StateRunning && e.Step < kept[0].Epochs*3+kept[0].Steps {
					t.Errorf("goes on after step %d", e.Step)
				}
			})
			mustRun(t, c)
		})
	}
}

func TestDatasetChangedInARun(t *testing.T) {
	for _, test := range changes {
		if test.name == "new" || test.split == "bounding_box_train" {
			continue // not seen by a run that has listed and decoded them, and not used by it
		}
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			ownData(t, &c)
			c.Progress = watcher(func(e progress.Event) {
				if e.Kind == progress.Stepped && e.Step == 10 {
					changeData(t, c, test.split, test.change)
				}
			})
			_, err := Run(t.Context(), c)
			wantChanged(t, err, test.want)
		})
	}
}

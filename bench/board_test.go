package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
)

// boardFiles are the contents of the event files of a folder, by their names.
func boardFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		all[e.Name()] = string(mustRead(t, filepath.Join(dir, e.Name())))
	}
	return all
}

// TestBoard: every process that takes a job up writes a file, one that finds it done and shown writes none, and
// nothing of the job itself is other than without. What is in the files, package tensorboard tests.
func TestBoard(t *testing.T) {
	plain := testConfig(t, tinymodel.New("one"))
	mustRun(t, plain)

	c := testConfig(t, tinymodel.New("one"))
	c.Seeds, c.TensorBoard = 2, filepath.Join(t.TempDir(), "made", "curves")
	runUntil(t, c, 5)
	mustRun(t, c)
	sameTrace(t, "shown in TensorBoard", filepath.Join(plain.Out, "one"), filepath.Join(c.Out, "one"))
	dir := filepath.Join(c.TensorBoard, "one")
	shown := boardFiles(t, dir)
	if len(shown) != 2 || len(boardFiles(t, dir+"@8")) != 1 {
		t.Errorf("event files: %q", files(t, dir))
	}
	mustRun(t, c)
	if diff := cmp.Diff(shown, boardFiles(t, dir)); diff != "" {
		t.Errorf("the same again changes what is shown:\n%s", diff)
	}

	c.Recipe = c.Recipe.WithEpochs(5)
	mustRun(t, c)
	longer := boardFiles(t, dir)
	if len(longer) != 3 {
		t.Errorf("event files after more epochs: %q", files(t, dir))
	}
	maps.DeleteFunc(longer, func(name, _ string) bool { return shown[name] == "" })
	if diff := cmp.Diff(shown, longer); diff != "" {
		t.Errorf("more epochs change what earlier ones wrote:\n%s", diff)
	}

	plain.TensorBoard = filepath.Join(t.TempDir(), "later")
	mustRun(t, plain)
	if n := len(boardFiles(t, filepath.Join(plain.TensorBoard, "one"))); n != 1 {
		t.Errorf("a job that was done before is shown in %d files", n)
	}
}

// TestBrokenBoard: no training ends because its curves can't be written. The reason is told once, and what is missing
// is written when that can be done again.
func TestBrokenBoard(t *testing.T) {
	for _, test := range []struct {
		name            string
		dir             func(*testing.T) string // TensorBoard's
		broken          int                     // after that many steps; 0: before
		breaks, repairs func(dir string) error
	}{
		{
			"a file in place of the folder", (*testing.T).TempDir, 0,
			func(dir string) error { return os.WriteFile(filepath.Join(dir, "one"), nil, 0o666) },
			func(dir string) error { return os.Remove(filepath.Join(dir, "one")) },
		},
		{"a disk that is full", smallDisk, 0, fill, empty},
		{"a disk that becomes full", smallDisk, 5, fill, empty},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			c.Recipe = c.Recipe.WithEpochs(30) // events beyond the page that the file has already
			plain := c
			mustRun(t, plain)
			c.Out, c.TensorBoard = filepath.Join(t.TempDir(), "runs"), test.dir(t)
			var warned []string
			c.Progress = watcher(func(e progress.Event) {
				if e.Kind == progress.Warned && strings.Contains(e.Text, "TensorBoard") {
					warned = append(warned, e.Text)
				}
				if e.Kind == progress.Stepped && e.Step == test.broken {
					if err := test.breaks(c.TensorBoard); err != nil {
						t.Error(err)
					}
				}
			})
			if test.broken == 0 {
				if err := test.breaks(c.TensorBoard); err != nil {
					t.Fatal(err)
				}
			}
			mustRun(t, c)
			sameTrace(t, "without curves", filepath.Join(plain.Out, "one"), filepath.Join(c.Out, "one"))
			if len(warned) != 1 || !strings.Contains(warned[0], filepath.Join(c.TensorBoard, "one")) {
				t.Errorf("warnings: %q", warned)
			}
			if err := test.repairs(c.TensorBoard); err != nil {
				t.Fatal(err)
			}
			before := len(boardFiles(t, filepath.Join(c.TensorBoard, "one")))
			mustRun(t, c)
			if n := len(boardFiles(t, filepath.Join(c.TensorBoard, "one"))); n != before+1 {
				t.Errorf("%d event files after %d: what is missing is not written", n, before)
			}
		})
	}
}

func smallDisk(t *testing.T) string { return tmpfs(t, 64<<10) }

func fill(dir string) error {
	err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20), 0o666)
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("filling the disk: %v", err)
	}
	return nil
}

func empty(dir string) error { return os.Remove(filepath.Join(dir, "ballast")) }

// TestNoBoard: where the folder of all can't be made, nothing is trained.
func TestNoBoard(t *testing.T) {
	c := testConfig(t, tinymodel.New("one"))
	c.TensorBoard = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(c.TensorBoard, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	summary, err := Run(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), c.TensorBoard) || trained(summary) != 0 {
		t.Errorf("error %v, %d trained", err, trained(summary))
	}
}

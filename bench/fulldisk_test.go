package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// tmpfs makes a file system of a number of bytes for the results; without the right to mount, or on another
// system than Linux, the test is skipped: what it is about, TestStorageErrors shows without.
func tmpfs(t *testing.T, bytes int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := mount(dir, fmt.Sprintf("size=%d", bytes), false); err != nil {
		t.Skipf("no file system to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk: with room for some checkpoints, but not for two and a third, a run ends with its own
// error, keeps what it has, and goes on when there is room.
func TestFullDisk(t *testing.T) {
	undisturbed := testConfig(t, tinymodel.New("one"))
	mustRun(t, undisturbed)

	c := testConfig(t, tinymodel.New("one"))
	c.Out = filepath.Join(tmpfs(t, 256<<10), "runs")
	c.Checkpoints.Interval = 1 // nanosecond: after each step
	if err := os.Mkdir(c.Out, 0o777); err != nil {
		t.Fatal(err)
	}
	ballast, dir := filepath.Join(c.Out, "ballast"), filepath.Join(c.Out, "one")
	var before map[string]string
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Stepped && e.Step == 7 {
			before = checkpointContents(t, dir)
			if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o666); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("filling the disk: %v", err)
			}
		}
	})
	_, err := Run(t.Context(), c)
	if !errors.Is(err, store.ErrDiskFull) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want ErrDiskFull with the file", err)
	}
	if diff := cmp.Diff(before, checkpointContents(t, dir)); diff != "" || len(before) != 4 {
		t.Errorf("of %d files of checkpoints some have changed:\n%s", len(before), diff)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	c.Progress = watcher(func(e progress.Event) {
		if e.State == results.StateRunning && e.Step != 6 {
			t.Errorf("goes on after step %d, want 6", e.Step)
		}
	})
	mustRun(t, c)
	sameTrace(t, "continued when there was room", filepath.Join(undisturbed.Out, "one"), dir)
}

func checkpointContents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := contents(t, dir)
	for name := range all {
		if !strings.HasPrefix(name, "checkpoint-") {
			delete(all, name)
		}
	}
	return all
}

func TestReadOnlyFolder(t *testing.T) {
	dir := tmpfs(t, 1<<20)
	c := testConfig(t, tinymodel.New("one"))
	c.Out = filepath.Join(dir, "runs")
	mustRun(t, c)
	if err := mount(dir, "", true); err != nil {
		t.Fatal(err)
	}
	mustRun(t, c) // finished: nothing is to be written
	c.Models = append(c.Models, tinymodel.New("two"))
	_, err := Run(t.Context(), c)
	if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), filepath.Join(c.Out, "two")) {
		t.Errorf("error %v, want ErrReadOnly with the folder", err)
	}
}

package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// lockFor takes a lock as another process does.
func lockFor(t *testing.T, dir string) *lock {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	l, err := lockJob(dir, time.Unix(1e9, 0), func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	l := lockFor(t, dir)
	if !isLocked(dir) {
		t.Error("nobody has the lock that was taken")
	}
	_, err := lockJob(dir, time.Now(), nil)
	host, hostErr := os.Hostname()
	if hostErr != nil {
		t.Fatal(hostErr)
	}
	want := fmt.Sprintf("%s: in use by another process: process %d on %s since 2001-09-09 01:46:40", dir, os.Getpid(), host)
	if !errors.Is(err, ErrLocked) || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := l.release(); err != nil || isLocked(dir) {
		t.Errorf("released, the lock is still held: %v", err)
	}
	if err := lockFor(t, dir).retire(); err != nil {
		t.Error(err)
	}
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("retired, it leaves %v", left)
	}
}

// TestLockedJob: another process works on one of two jobs.
func TestLockedJob(t *testing.T) {
	c := testConfig(t, tinymodel.New("theirs"), tinymodel.New("ours"))
	mustRun(t, Config{Out: c.Out, Data: c.Data, Models: []models.Model{tinymodel.New("theirs")}, Recipe: c.Recipe, Seed: c.Seed, Threads: 1})
	theirs := filepath.Join(c.Out, "theirs")
	if err := os.Remove(filepath.Join(theirs, results.File)); err != nil { // as if it were under way
		t.Fatal(err)
	}
	l := lockFor(t, theirs)
	before := contents(t, theirs)
	summary, err := Run(t.Context(), c)
	if !errors.Is(err, ErrLocked) || !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("error %v, want ErrLocked with the holder", err)
	}
	want := []results.State{results.StateFailed, results.StateDone}
	if got := []results.State{summary.Jobs[0].State, summary.Jobs[1].State}; !cmp.Equal(got, want) {
		t.Errorf("states %v", got)
	}
	if diff := cmp.Diff(before, contents(t, theirs)); diff != "" {
		t.Errorf("another process's folder has changed:\n%s", diff)
	}
	if err := l.release(); err != nil {
		t.Fatal(err)
	}
	mustRun(t, c)
}

// contents are a folder's files.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range files(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

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
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// lockFor takes a lock as another process does.
func lockFor(t *testing.T, dir string) *store.Lock {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	l, err := (store.Folder{Dir: dir}).Lock(time.Unix(1e9, 0), func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLockedJob: another process works on one of two jobs.
func TestLockedJob(t *testing.T) {
	c := testConfig(t, tinymodel.New("theirs"), tinymodel.New("ours"))
	mustRun(t, Config{
		Out: c.Out, Data: c.Data, Models: []models.Model{tinymodel.New("theirs")}, Recipe: c.Recipe, Seed: c.Seed,
		Threads: 1,
	})
	theirs := filepath.Join(c.Out, "theirs")
	if err := os.Remove(filepath.Join(theirs, results.File)); err != nil { // as if it were under way
		t.Fatal(err)
	}
	l := lockFor(t, theirs)
	before := contents(t, theirs)
	summary, err := Run(t.Context(), c)
	if !errors.Is(err, store.ErrLocked) || !errors.Is(err, ErrFailed) ||
		!strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("error %v, want ErrLocked with the holder", err)
	}
	want := []results.State{results.StateFailed, results.StateDone}
	if got := []results.State{summary.Jobs[0].State, summary.Jobs[1].State}; !cmp.Equal(got, want) {
		t.Errorf("states %v", got)
	}
	if diff := cmp.Diff(before, contents(t, theirs)); diff != "" {
		t.Errorf("another process's folder has changed:\n%s", diff)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	mustRun(t, c)
}

// TestFolderIsReplaced: what is trained in a folder that is another's by now, or nobody's, is not its result.
func TestFolderIsReplaced(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps int // after which it happens
		left  []string
		do    func(dir string) error
	}{
		{"made anew, before a checkpoint", 2, nil, func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o777))
		}},
		{"made anew, before the end", 12, nil, func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o777))
		}},
		{"another job's", 12, []string{identityFile}, func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o777),
				os.WriteFile(filepath.Join(dir, identityFile), []byte("{}"), 0o666))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("job"))
			dir := filepath.Join(c.Out, "job")
			c.Progress = watcher(func(e progress.Event) {
				if e.Kind == progress.Stepped && e.Step == test.steps {
					if err := test.do(dir); err != nil {
						t.Error(err)
					}
				}
			})
			summary, err := Run(t.Context(), c)
			if !errors.Is(err, store.ErrReplaced) || summary.Jobs[0].State != results.StateFailed {
				t.Errorf("%v, and the job is %s", err, summary.Jobs[0].State)
			}
			if diff := cmp.Diff(test.left, files(t, dir)); diff != "" {
				t.Errorf("files in the new folder (-want +got):\n%s", diff)
			}
		})
	}
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

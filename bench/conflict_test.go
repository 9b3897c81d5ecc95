package bench

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// A record that cannot be read is never removed, nor anything else in its folder; other jobs go on.
func TestUnreadableRecordStays(t *testing.T) {
	for _, test := range []struct {
		name, want string
		spoil      func(path string, record []byte) error
	}{
		{"of a newer version", `unknown field "from_the_future"`, func(path string, record []byte) error {
			return os.WriteFile(path, []byte(strings.Replace(string(record), "{", `{"from_the_future": 1,`, 1)), 0o666)
		}},
		{"torn", "unexpected EOF", func(path string, record []byte) error {
			return os.WriteFile(path, record[:len(record)/2], 0o666)
		}},
		{"no file", "is a directory", func(path string, _ []byte) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o777))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			mustRun(t, c)
			dir := filepath.Join(c.Out, "one")
			path := filepath.Join(dir, results.File)
			record, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := test.spoil(path, record); err != nil {
				t.Fatal(err)
			}
			before := keptFiles(t, dir)
			if j := mustEstimate(t, c).Plan[0]; j.State != results.StateDoomed || !strings.Contains(j.Reason, path) {
				t.Errorf("a dry run says %s: %q", j.State, j.Reason)
			}
			c.Models = append(c.Models, tinymodel.New("two"))
			summary, err := Run(t.Context(), c)
			if !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), path) ||
				!strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want ErrFailed that names %s, with %q", err, path, test.want)
			}
			if len(summary.Jobs) != 2 || summary.Jobs[1].State != results.StateDone {
				t.Errorf("the other job: %+v", summary.Jobs)
			}
			if diff := cmp.Diff(before, keptFiles(t, dir)); diff != "" {
				t.Errorf("the folder has changed:\n%s", diff)
			}
		})
	}
}

// keptFiles are a folder's files, but for those that say who works in it.
func keptFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range files(t, dir) {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err == nil && !strings.HasPrefix(name, ".lock") {
			all[name] = string(data)
		}
	}
	return all
}

// The jobs of taughtConfig, by their numbers.
const teacherJob, studentJob = 0, 1

// taughtConfig is a run of a teacher and its student.
func taughtConfig(t *testing.T) Config {
	c := testConfig(t, tinymodel.New("teacher"), tinymodel.Distilled("student", models.SoftDistillation))
	c.Teacher = "teacher"
	return c
}

// retrain has the teacher trained anew by a recipe whose bits are others.
func retrain(t *testing.T, c Config) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(c.Out, "teacher")); err != nil {
		t.Fatal(err)
	}
	c.Recipe.LR = 0.02
	mustRun(t, c, teacherJob)
}

func TestTeacherIsRecorded(t *testing.T) {
	c := taughtConfig(t)
	mustRun(t, c)
	teacher, student := readRecord(t, c, "teacher"), readRecord(t, c, "student")
	want := &results.Teacher{Model: "teacher", Recipe: teacher.Recipe, SHA256: teacher.Weights}
	if diff := cmp.Diff(want, student.Teacher); diff != "" || teacher.Weights == "" {
		t.Errorf("the student's record (-want +got):\n%s", diff)
	}
	id, err := (store.Folder{Dir: filepath.Join(c.Out, "student")}).Identity()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, id.TaughtBy); diff != "" {
		t.Errorf("the student's identity (-want +got):\n%s", diff)
	}
}

func TestTeacherOfAnotherRecipe(t *testing.T) {
	c := taughtConfig(t)
	retrain(t, c)
	var warning string
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Warned {
			warning = e.Text
		}
	})
	mustRun(t, c, studentJob)
	if !strings.Contains(warning, "learns from teacher, which was trained under another recipe") {
		t.Errorf("warning %q", warning)
	}
	if recipe := readRecord(t, c, "student").Teacher.Recipe.String(); !strings.Contains(recipe, "learning rate 0.02") {
		t.Errorf("the record's teacher has the recipe %s", recipe)
	}
}

// A student goes on with the teacher that it began with, or not at all.
func TestTeacherChanges(t *testing.T) {
	const wanted = "taught_by.sha256 is"
	for _, test := range []struct {
		name   string
		before func(t *testing.T, c Config)
	}{
		{"when the student is done", func(t *testing.T, c Config) { mustRun(t, c) }},
		{"while the student waits to go on", func(t *testing.T, c Config) {
			mustRun(t, c, teacherJob)
			runUntil(t, c, 5, studentJob)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := taughtConfig(t)
			test.before(t, c)
			kept := keptFiles(t, filepath.Join(c.Out, "student"))
			old := filepath.Join(c.Out, "teacher")
			aside := filepath.Join(t.TempDir(), "teacher")
			if err := os.CopyFS(aside, os.DirFS(old)); err != nil {
				t.Fatal(err)
			}
			retrain(t, c)
			if _, err := Run(t.Context(), c, studentJob); !errors.Is(err, store.ErrConflict) ||
				!strings.Contains(err.Error(), wanted) {
				t.Errorf("error %v, want ErrConflict with %q", err, wanted)
			}
			if diff := cmp.Diff(kept, keptFiles(t, filepath.Join(c.Out, "student"))); diff != "" {
				t.Errorf("the student's folder has changed:\n%s", diff)
			}
			if err := errors.Join(os.RemoveAll(old), os.CopyFS(old, os.DirFS(aside))); err != nil {
				t.Fatal(err)
			}
			mustRun(t, c, studentJob)
			undisturbed := taughtConfig(t)
			mustRun(t, undisturbed)
			sameTrace(t, "with its teacher back",
				filepath.Join(undisturbed.Out, "student"), filepath.Join(c.Out, "student"))
		})
	}
}

// A student's folder from before teachers were recorded is gone on with.
func TestStudentOfBefore(t *testing.T) {
	c := taughtConfig(t)
	mustRun(t, c, teacherJob)
	runUntil(t, c, 5, studentJob)
	folder := store.Folder{Dir: filepath.Join(c.Out, "student")}
	id, err := folder.Identity()
	if err != nil || id.TaughtBy == nil {
		t.Fatal(id, err)
	}
	id.TaughtBy = nil
	writeJSON(t, filepath.Join(folder.Dir, identityFile), id)
	mustRun(t, c, studentJob)
	if id, err = folder.Identity(); err != nil || id.TaughtBy == nil {
		t.Errorf("the teacher is not noted: %+v, %v", id, err)
	}
}

// A student that waits for its teacher has a folder that does not know it yet: what it turns out to be is a conflict
// only where the student has begun with another.
func TestTeacherComesToOtherWeightsInARun(t *testing.T) {
	c := taughtConfig(t)
	mustRun(t, c, teacherJob)
	runUntil(t, c, 5, studentJob)
	if err := os.RemoveAll(filepath.Join(c.Out, "teacher")); err != nil {
		t.Fatal(err)
	}
	id, err := (store.Folder{Dir: filepath.Join(c.Out, "student")}).Identity()
	if err != nil {
		t.Fatal(err)
	}
	id.TaughtBy.SHA256 = strings.Repeat("0", 64) // what the old one came to
	writeJSON(t, filepath.Join(c.Out, "student", identityFile), id)
	summary, err := Run(t.Context(), c)
	if !errors.Is(err, ErrFailed) || !errors.Is(err, store.ErrConflict) {
		t.Errorf("error %v, want ErrFailed because of ErrConflict", err)
	}
	if summary.Jobs[0].State != results.StateDone || summary.Jobs[1].State != results.StateFailed {
		t.Errorf("jobs: %+v", summary.Jobs)
	}
}

func writeJSON(t *testing.T, path string, value any) {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

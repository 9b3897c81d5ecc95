package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// ErrNoTeacher is wrapped by the error of a distilled row whose teacher has no weights.
var ErrNoTeacher = errors.New("no teacher")

// teacherFolder is where the teacher's weights are once it has finished.
type teacherFolder struct {
	model  models.Model
	folder store.Folder
	ended  <-chan struct{} // closed when its job has ended; nil if it is not part of this run and not waited for
}

// taught is what the teacher has come to. It is an error unless it has finished on the student's dataset.
func (f *teacherFolder) taught(student *job) (*results.Teacher, error) {
	fail := func(why string) (*results.Teacher, error) {
		return nil, fmt.Errorf("%w: %s learns from %s, %s", ErrNoTeacher, student.model.Name, f.model.Name, why)
	}
	record, err := results.Read(f.folder.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.ended == nil:
		return fail("which is neither among the models of this run nor finished in " + filepath.Dir(f.folder.Dir))
	case errors.Is(err, fs.ErrNotExist):
		return fail("which did not finish")
	case err != nil:
		return fail("whose record cannot be read: " + err.Error())
	case record.State != results.StateDone:
		return fail("which has failed: " + record.Reason)
	case record.Dataset.Fingerprint != student.id.Dataset:
		return fail("which was trained on another dataset, " + record.Dataset.Name)
	}
	digest, err := f.folder.WeightsDigest()
	if err != nil {
		return nil, err
	}
	return &results.Teacher{Model: f.model.Name, Recipe: record.Recipe, SHA256: digest}, nil
}

// meetTeacher notes in the job, and in its record, what its teacher has come to, and warns if that was by another
// recipe.
func (j *job) meetTeacher(record *results.Record) error {
	if j.teacher == nil {
		return nil
	}
	taught, err := j.teacher.taught(j)
	if err != nil {
		return err
	}
	j.id.TaughtBy, record.Teacher = taught, taught
	if its := taught.Recipe.String(); its != record.Recipe.String() {
		j.warn(fmt.Sprintf("learns from %s, which was trained under another recipe: %s", taught.Model, its))
	}
	return nil
}

// recordInterval is how often it is looked for a record that another process is to write.
const recordInterval = 10 * time.Second

// recorded is closed when the teacher has a record, of whatever end, or when ctx ends.
func (f *teacherFolder) recorded(ctx context.Context) <-chan struct{} {
	written := make(chan struct{})
	go func() {
		defer close(written)
		ticker := time.NewTicker(recordInterval)
		defer ticker.Stop()
		for ctx.Err() == nil {
			if _, err := results.Read(f.folder.Dir); !errors.Is(err, fs.ErrNotExist) {
				return
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	}()
	return written
}

// load compiles the teacher, whom the student has met, for inference.
func (f *teacherFolder) load(t *training) (*train.Program, error) {
	id, err := f.folder.Identity()
	if err != nil || id == nil {
		return nil, fmt.Errorf("%w: %s does not say how it was trained: %w", ErrNoTeacher, f.folder.Dir, err)
	}
	g, err := f.model.As(id.Recipe.Variant()).Graph(t.id.Classes)
	if err != nil {
		return nil, err
	}
	if g.Input.Shape != t.graph.Input.Shape {
		return nil, fmt.Errorf("%w: %s sees images of %v, its teacher %s of %v",
			ErrNoTeacher, t.model.Name, t.graph.Input.Shape, f.model.Name, g.Input.Shape)
	}
	w := train.NewWeights(g, 0)
	if err := f.folder.LoadWeights(w); err != nil {
		return nil, err
	}
	if digest, err := f.folder.WeightsDigest(); err != nil || digest != t.id.TaughtBy.SHA256 {
		return nil, fmt.Errorf("%s has been trained anew meanwhile: %w", f.folder.Dir, cmp.Or(err, store.ErrConflict))
	}
	return t.compile(g, w, train.Inference)
}

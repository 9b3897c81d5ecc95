package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/kernels/parallel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

func TestAwaitTeacher(t *testing.T) {
	teacher := tinymodel.New("teacher")
	c := testConfig(t, teacher)
	mustRun(t, c)
	record := filepath.Join(c.Out, "teacher", results.File)
	if err := os.Rename(record, record+".kept"); err != nil { // as if another process still trained it
		t.Fatal(err)
	}
	c.Models = []models.Model{tinymodel.Distilled("student", models.HardDistillation), teacher}
	c.Teacher, c.AwaitTeacher = "teacher", true
	interrupted, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if summary, err := Run(interrupted, c, 0); !errors.Is(err, ErrInterrupted) ||
		summary.Count(results.StateFailed) != 0 {
		t.Errorf("a student that waits, interrupted: %v, %+v", err, summary.Jobs)
	}
	synctest.Test(t, func(t *testing.T) {
		folder := &teacherFolder{model: teacher, folder: store.Folder{Dir: filepath.Join(c.Out, "teacher")}}
		ctx, cancel := context.WithCancel(t.Context())
		interrupted, recorded := folder.recorded(ctx), folder.recorded(t.Context())
		time.Sleep(time.Hour)
		synctest.Wait()
		select {
		case <-recorded:
			t.Error("there is no record, and yet it is seen")
		default:
		}
		cancel()
		<-interrupted
		if err := os.Rename(record+".kept", record); err != nil {
			t.Fatal(err)
		}
		<-recorded
	})
	if summary := mustRun(t, c, 0); trained(summary) != 1 {
		t.Errorf("the student has not been trained: %+v", summary.Jobs)
	}
}

// A teacher that is trained anew between the student's meeting it and reading its weights is another.
func TestTeacherTrainedAnewMeanwhile(t *testing.T) {
	c := taughtConfig(t)
	mustRun(t, c, teacherJob)
	r, err := newRunner(t.Context(), c, scope{only: []int{studentJob}})
	if err != nil {
		t.Fatal(err)
	}
	student, pool := r.jobs[0], parallel.NewPool(1)
	defer pool.Close()
	if err := student.meetTeacher(&results.Record{}); err != nil {
		t.Fatal(err)
	}
	met := *student.id.TaughtBy
	met.SHA256 = strings.Repeat("0", 64) // what it had come to then
	student.id.TaughtBy = &met
	if _, err := student.prepare(t.Context(), pool); !errors.Is(err, store.ErrConflict) {
		t.Errorf("error %v, want ErrConflict", err)
	}
}

package slurm

import (
	"errors"
	"io/fs"
	"reflect"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

// follow tells how far a job that runs in Slurm has come since the last look, as its folder says.
func (r *run) follow(j *job) {
	s, err := store.Folder{Dir: j.Dir}.Status()
	if errors.Is(err, fs.ErrNotExist) || err == nil && s.Step <= j.status.Step {
		return
	}
	if err != nil {
		r.complain(err)
		return
	}
	e := progress.Event{
		Job: j.name(), Stage: s.Stage, Epoch: s.Epoch, Epochs: s.Epochs, Step: s.Step, Steps: s.Steps,
		Loss: s.Loss, LearningRate: s.LR, ImagesPerSecond: s.ImagesPerSecond, Left: s.Left(), Metrics: s.Metrics,
	}
	if !j.started {
		r.report(progress.Event{
			Kind: progress.StateChanged, State: results.StateRunning, Job: e.Job, Stage: e.Stage, Epochs: e.Epochs,
			Steps: e.Steps,
		})
	}
	e.Kind = progress.Stepped
	r.report(e)
	if s.Metrics != nil && !reflect.DeepEqual(s.Metrics, j.status.Metrics) {
		e.Kind = progress.Evaluated
		r.report(e)
	}
	j.started, j.status = true, s
	j.tries = min(j.tries, 1) // what has come further may die again
}

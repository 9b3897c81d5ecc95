package slurm

import (
	"context"
	"errors"
	"io/fs"
)

// A Place is a job's task in Slurm, with what Slurm says of it.
type Place struct {
	Task string `json:"task"` // array and index: 12_3
	TaskState
}

// String is the place as people read it: "12_3 pending (Resources)".
func (p Place) String() string { return p.Task + " " + p.TaskState.String() }

// View asks Slurm for the jobs of a folder of results, by their folders' names: those that it still knows.
// There are none where the folder holds no submission. The error wraps [ErrMissing] on a machine
// without Slurm's commands.
func View(ctx context.Context, out string) (map[string]Place, error) {
	s, err := Read(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	states, err := queue(ctx, s.ids())
	if err != nil {
		return nil, err
	}
	view := map[string]Place{}
	for _, a := range s.Arrays { // the oldest first: a job's last place stays
		for _, t := range a.Tasks {
			task := Task{a.ID, t.Index}
			delete(view, t.Job)
			if state := states[task]; state.State != "" {
				view[t.Job] = Place{task.String(), state}
			}
		}
	}
	return view, nil
}

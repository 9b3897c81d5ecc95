package slurm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

const (
	// Folder is the place below a folder of results for what concerns Slurm: the submission,
	// the program's copies and what the tasks print.
	Folder = "slurm"

	submissionFile   = "submission.json"
	submissionFormat = "reidbench-slurm/1"
)

// A Submission is what has been submitted for the jobs of a folder of results.
type Submission struct {
	Format string  `json:"format"`
	Arrays []Array `json:"arrays"` // the oldest first
}

// An Array is one call of sbatch.
type Array struct {
	ID        int         `json:"id,omitempty"` // 0: sbatch had not answered when this was written
	Name      string      `json:"name"`         // Slurm's name of it; no other array has it
	Submitted time.Time   `json:"submitted"`
	Program   string      `json:"program"`
	Flags     []string    `json:"flags"`           // of the program's run command
	After     string      `json:"after,omitempty"` // the task that has to be done first
	Tasks     []ArrayTask `json:"tasks"`
}

// An ArrayTask says which job, by its folder's name, a task does.
type ArrayTask struct {
	Index int    `json:"index"`
	Job   string `json:"job"`
}

// Read returns the submission of a folder of results. The error is fs.ErrNotExist where there is none.
func Read(out string) (Submission, error) {
	path := filepath.Join(out, Folder, submissionFile)
	data, err := regular.ReadFile(path)
	if err != nil {
		return Submission{}, err
	}
	s, err := parseSubmission(data)
	if err != nil {
		return Submission{}, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

func parseSubmission(data []byte) (Submission, error) {
	var s Submission
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return Submission{}, err
	}
	if s.Format != submissionFormat {
		return Submission{}, fmt.Errorf("format %q, want %q", s.Format, submissionFormat)
	}
	return s, nil
}

// write stores the submission, whole or not at all, without arrays that no job is in any more.
func (s *Submission) write(out string) error {
	s.Format = submissionFormat
	newest := map[string]int{}
	for i, a := range s.Arrays {
		for _, t := range a.Tasks {
			newest[t.Job] = i
		}
	}
	var kept []Array
	for i, a := range s.Arrays {
		if slices.ContainsFunc(a.Tasks, func(t ArrayTask) bool { return newest[t.Job] == i }) {
			kept = append(kept, a)
		}
	}
	s.Arrays = kept
	return atomicfile.Write(filepath.Join(out, Folder, submissionFile), func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	})
}

// ids are those of all arrays.
func (s Submission) ids() []int {
	var ids []int
	for _, a := range s.Arrays {
		if a.ID > 0 {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// place is where a job was last submitted; nil if it never was.
func (s Submission) place(job string) (*Array, Task) {
	for i := len(s.Arrays) - 1; i >= 0; i-- {
		for _, t := range s.Arrays[i].Tasks {
			if t.Job == job && s.Arrays[i].ID > 0 {
				return &s.Arrays[i], Task{s.Arrays[i].ID, t.Index}
			}
		}
	}
	return nil, Task{}
}

// Task is where a job was last submitted; false if it never was.
func (s Submission) Task(job string) (Task, bool) {
	array, task := s.place(job)
	return task, array != nil
}

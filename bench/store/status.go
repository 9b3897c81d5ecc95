package store

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/regular"
)

// JobStatus is what a job's folder tells about it.
type JobStatus struct {
	Job   string        `json:"job"` // the folder's name
	Model string        `json:"model"`
	Seed  uint64        `json:"seed"`
	State results.State `json:"state"`

	// Holder is the process that works on the job; of one that is interrupted, the process that was killed.
	Holder *Holder `json:"holder,omitempty"`
	Reason string  `json:"reason,omitempty"` // why it failed or is unknown

	Stage           string           `json:"stage,omitempty"` // "classifier" or "everything"
	Epoch           int              `json:"epoch"`           // under way, or the last; from 1, both stages together
	Epochs          int              `json:"epochs"`
	Step            int              `json:"step"` // steps done
	Steps           int              `json:"steps"`
	Loss            float64          `json:"loss"` // the newest
	LR              float64          `json:"lr"`
	ImagesPerSecond float64          `json:"img_per_s"`
	SecondsLeft     float64          `json:"seconds_left"`      // when the log was last written to
	Metrics         *results.Metrics `json:"metrics,omitempty"` // the last evaluation
	Updated         *time.Time       `json:"updated,omitempty"` // when the log was last written to
	// Checkpoint is the newest: the file that training would go on from.
	Checkpoint string `json:"checkpoint,omitempty"`
}

// Left is the estimated time until the job's end.
func (s JobStatus) Left() time.Duration { return time.Duration(s.SecondsLeft * float64(time.Second)) }

// Statuses reads how far every job is from the folders of out alone, sorted by model and seed. Any machine that sees
// the folders may ask at any time; the lock that tells running jobs from interrupted ones is then only looked at.
func Statuses(out string) ([]JobStatus, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, err
	}
	all := []JobStatus{}
	for _, e := range entries {
		f := Folder{filepath.Join(out, e.Name())}
		if e.Type().IsRegular() {
			continue // of which there may be very many
		}
		if info, err := os.Stat(f.Dir); err != nil || !info.IsDir() {
			continue
		}
		id, err := f.Identity()
		if id == nil && err == nil {
			continue // the dataset, for example
		}
		s := JobStatus{Job: e.Name(), Model: e.Name()}
		if err == nil {
			s, err = f.statusOf(*id)
		}
		if err != nil {
			s.State, s.Reason = results.StateUnknown, err.Error()
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b JobStatus) int {
		return cmp.Or(strings.Compare(a.Model, b.Model), cmp.Compare(a.Seed, b.Seed))
	})
	return all, nil
}

// PartCopies takes the copies of a job's folder from its original: that which is called as the run would call it, or
// else the first.
func PartCopies(all []JobStatus) (jobs []JobStatus, copies []Copy) {
	type run struct {
		model string
		seed  uint64
	}
	original := map[run]string{}
	for _, s := range all {
		its := run{s.Model, s.Seed}
		named := s.Job == s.Model || s.Job == fmt.Sprintf("%s@%d", s.Model, s.Seed)
		if _, ok := original[its]; s.State != results.StateUnknown && (!ok || named) {
			original[its] = s.Job
		}
	}
	jobs = []JobStatus{}
	for _, s := range all {
		if of, ok := original[run{s.Model, s.Seed}]; ok && of != s.Job && s.State != results.StateUnknown {
			copies = append(copies, Copy{s, of})
			continue
		}
		jobs = append(jobs, s)
	}
	return jobs, copies
}

// Copy is a folder that holds what another one holds as well.
type Copy struct {
	JobStatus
	Of string // the other folder's name
}

func (c Copy) String() string {
	return fmt.Sprintf("%s holds %s with the seed %d, which %s holds as well", c.Job, c.Model, c.Seed, c.Of)
}

// Status reads how far the job is. The error is fs.ErrNotExist where there is none.
func (f Folder) Status() (JobStatus, error) {
	id, err := f.Identity()
	if err != nil {
		return JobStatus{}, err
	}
	if id == nil {
		return JobStatus{}, fmt.Errorf("%s: no job: %w", f.Dir, fs.ErrNotExist)
	}
	return f.statusOf(*id)
}

// statusOf looks at one job. What changes meanwhile is looked at first: a job that ends between two looks is done.
func (f Folder) statusOf(id Identity) (JobStatus, error) {
	s := JobStatus{
		Job: f.Name(), Model: id.Model, Seed: id.Seed, State: results.StateWaiting,
		Epochs: id.Schedule.AllEpochs(), Steps: id.Schedule.Steps(),
	}
	locked := f.locked()
	if holder, err := f.holder(); err == nil {
		s.Holder = &holder
	}
	if err := s.readLog(f.path(MetricsFile)); err != nil {
		return s, err
	}
	found, err := f.Checkpoints()
	if err != nil {
		return s, err
	}
	if len(found) > 0 {
		s.Checkpoint = filepath.Base(found[0].Path)
	}
	if s.Step > 0 || len(found) > 0 {
		s.State = results.StateInterrupted
	}
	if locked {
		s.State = results.StateRunning
	}
	record, err := results.Read(f.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return s, err
	case record.State == results.StateDone:
		s.State, s.Holder, s.Checkpoint, s.SecondsLeft = results.StateDone, nil, "", 0
		s.ImagesPerSecond, s.Metrics = record.Timing.ImagesPerSecond, record.Final
	case !locked: // else it is tried again
		s.State, s.Holder, s.Reason = results.StateFailed, nil, record.Reason
	}
	return s, nil
}

// readLog takes over where the log ends.
func (s *JobStatus) readLog(path string) error {
	f, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	trained, evaluated, err := lastEntries(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if trained == nil {
		return nil
	}
	changed := info.ModTime().UTC().Truncate(time.Second)
	s.Updated = &changed
	s.Stage, s.Epoch, s.Step, s.Loss, s.LR = trained.Stage, trained.Epoch, trained.Step, trained.Loss, trained.LR
	if t := trained.Timing; t != nil {
		s.ImagesPerSecond, s.SecondsLeft = t.ImagesPerSecond, t.SecondsLeft
	}
	if evaluated != nil {
		s.Metrics = evaluated.Metrics
	}
	return nil
}

// lastEntries returns the last entry of a step or an epoch and the last of an evaluation, nil if there is none.
func lastEntries(r io.Reader) (trained, evaluated *Entry, err error) {
	lines := bufio.NewReaderSize(r, 1<<16)
	var step, evaluation []byte
	evaluationStart := EvaluationEntry.start()
	for {
		line, err := readLine(lines)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if bytes.HasPrefix(line, evaluationStart) {
			evaluation = line
		} else {
			step = line
		}
	}
	for _, last := range []struct {
		line  []byte
		entry **Entry
	}{{step, &trained}, {evaluation, &evaluated}} {
		if last.line == nil {
			continue
		}
		*last.entry = &Entry{}
		if err := json.Unmarshal(last.line, *last.entry); err != nil {
			return nil, nil, err
		}
	}
	return trained, evaluated, nil
}

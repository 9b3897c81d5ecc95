// Package store says where a job keeps what, and what its folder tells: what it is about, who works on it, the log,
// checkpoints, weights and their digests.
//
// A job's folder is the truth about it: run.json says what is being done, metrics.jsonl what has happened, checkpoints
// where to go on; weights.safetensors and result.json come last. One process at a time works on a folder, which its
// lock sees to; any process may read at any time.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// A Folder is that of one job, which may not be there yet.
type Folder struct{ Dir string }

// Name is what the job is called: like its folder.
func (f Folder) Name() string { return filepath.Base(f.Dir) }

// path is that of a file in the folder.
func (f Folder) path(name string) string { return filepath.Join(f.Dir, name) }

// Reserve makes the folder the job's before anything is trained. The error wraps [ErrConflict] or [ErrDatasetChanged]
// where something has been trained in it that this job cannot go on with; what has not begun gives way, and what is the
// same with fewer epochs becomes this job, to go on. If another process works in it, what comes of that is seen when it
// is this job's turn, or is ErrLocked where it has fewer epochs to do. warn is told where there are no locks.
func (f Folder) Reserve(id Identity, data *market1501.Dataset, now time.Time, warn func(string)) error {
	found, err := f.claimed(id, data)
	if found == ours || err != nil {
		return err
	}
	if err := os.MkdirAll(f.Dir, 0o777); err != nil {
		return err
	}
	l, err := f.Lock(now, warn)
	if errors.Is(err, ErrLocked) && found != shorter {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Claim(id, data), l.Release())
}

// Claimable returns the error that Reserve would return, and makes nothing.
func (f Folder) Claimable(id Identity, data *market1501.Dataset) error {
	_, err := f.claimed(id, data)
	return err
}

// Claim makes the folder the job's, or confirms that it is, with the errors of Reserve. What the folder does not know
// of the job's teacher yet is noted in it. The caller has the lock.
func (f Folder) Claim(id Identity, data *market1501.Dataset) error {
	found, err := f.claimed(id, data)
	switch {
	case err != nil:
		return err
	case found == ours:
		return f.noteTeacher(id)
	case found == shorter:
		return f.reopenLonger(id)
	}
	if err := f.writeManifest(data); err != nil {
		return err
	}
	return f.writeIdentity(id)
}

// noteTeacher completes the identity of a job whose teacher had not finished when the folder was made.
func (f Folder) noteTeacher(id Identity) error {
	recorded, err := f.Identity()
	if err != nil || recorded == nil || recorded.TaughtBy != nil || id.TaughtBy == nil {
		return err
	}
	return f.writeIdentity(id)
}

// A claim is what a folder is to a job that may have it.
type claim int

const (
	free    claim = iota // nothing has begun in it
	ours                 // the job's
	shorter              // the job's with fewer epochs, and this one can go on from there
)

// claimed tells what the folder is to the job. It is an error if the job may not have it.
func (f Folder) claimed(id Identity, data *market1501.Dataset) (claim, error) {
	recorded, err := f.Identity()
	if err != nil || recorded == nil {
		return free, err
	}
	conflict := id.conflict(f.Dir, *recorded)
	if conflict == nil {
		return ours, nil
	}
	if recorded.Dataset != id.Dataset && id.onDatasetOf(*recorded).conflict(f.Dir, *recorded) == nil {
		conflict = f.DatasetChanged(data)
	}
	begun, err := f.hasBegun()
	switch {
	case err != nil || !begun:
		return free, err
	case id.lengthens(*recorded):
		return shorter, f.checkKept(*recorded, id)
	case id.addsEpochs(*recorded):
		return free, f.otherRates(*recorded, id)
	}
	return free, conflict
}

// Record returns the record of a job that has ended. The error is for one that can't be read: it stays as it is, and to
// try the job again helps nobody.
func (f Folder) Record() (record results.Record, ended bool, err error) {
	record, err = results.Read(f.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return results.Record{}, false, nil
	case err != nil:
		return results.Record{}, false, fmt.Errorf("its record, which stays as it is, can't be read: %w", err)
	}
	return record, true, nil
}

// DoneRecord returns the job's record if it is done.
func (f Folder) DoneRecord() (results.Record, bool) {
	record, ended, err := f.Record()
	return record, err == nil && ended && record.State == results.StateDone
}

// Reopen removes the record of a job that has failed, so that it can be tried again. One that is done, or that cannot
// be read, stays: the first is returned, the second is an error. The caller has the lock.
func (f Folder) Reopen() (record results.Record, done bool, err error) {
	record, ended, err := f.Record()
	switch {
	case err != nil || !ended:
		return results.Record{}, false, err
	case record.State == results.StateDone:
		return record, true, nil
	}
	return results.Record{}, false, os.Remove(f.path(results.File))
}

// Tidy removes from a job that is done what a kill right after its record has left. Checkpoints stay as by
// [Folder.Clear].
func (f Folder) Tidy(newest, every int, now time.Time, warn func(string)) error {
	if _, err := os.Stat(f.path(lockFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	l, err := f.Lock(now, warn)
	if errors.Is(err, ErrLocked) {
		return nil // whoever has it is about to do the same
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Clear(newest, every), l.Retire())
}

// Clear leaves what a job that is done is to keep; of checkpoints, those that [Folder.Prune] leaves. The caller has the
// lock.
func (f Folder) Clear(newest, every int) error {
	return errors.Join(atomicfile.RemovePartial(f.Dir), f.Prune(newest, every))
}

// hasBegun reports whether there is anything in the folder that was trained.
func (f Folder) hasBegun() (bool, error) {
	for _, name := range []string{results.File, MetricsFile, WeightsFile} {
		info, err := os.Stat(f.path(name))
		if err == nil && info.Size() > 0 {
			return true, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	found, err := f.Checkpoints()
	return len(found) > 0, err
}

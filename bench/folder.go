package bench

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// reserve makes the job's folder before anything is trained.
func (j *job) reserve() error {
	if ours, err := j.claimed(); ours || err != nil {
		return err
	}
	if err := os.MkdirAll(j.dir, 0o777); err != nil {
		return err
	}
	l, err := lockJob(j.dir, j.now(), j.warn)
	if errors.Is(err, ErrLocked) {
		return nil // another process has just begun; what comes of it is seen when it is this job's turn
	}
	if err != nil {
		return err
	}
	return errors.Join(j.claim(), l.release())
}

// unclaimed is an error if reserve would find something in the way.
func (j *job) unclaimed() error {
	_, err := j.claimed()
	return err
}

// claim makes the folder this job's, or confirms that it is. The caller has the lock.
func (j *job) claim() error {
	if ours, err := j.claimed(); ours || err != nil {
		return err
	}
	if err := j.data.writeManifest(filepath.Join(j.dir, manifestFile)); err != nil {
		return err
	}
	return j.id.write(j.dir)
}

// claimed tells whether the folder is this job's. It is an error if something has been trained in
// it that this job can't go on with; what has not begun may give way.
func (j *job) claimed() (bool, error) {
	recorded, err := readIdentity(j.dir)
	if err != nil || recorded == nil {
		return false, err
	}
	conflict := j.id.conflict(j.dir, *recorded)
	if conflict == nil {
		return true, nil
	}
	if recorded.Dataset != j.id.Dataset && j.id.onDatasetOf(*recorded).conflict(j.dir, *recorded) == nil {
		conflict = j.data.changed(j.dir)
	}
	begun, err := hasBegun(j.dir)
	if begun {
		return false, conflict
	}
	return false, err
}

// record returns what the job has come to if it is done.
func (j *job) record() (results.Record, bool) {
	record, err := results.Read(j.dir)
	return record, err == nil && record.State == results.StateDone
}

// tidy removes from a job that is done what a kill right after its record has left.
func (j *job) tidy() error {
	if _, err := os.Stat(filepath.Join(j.dir, lockFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	l, err := lockJob(j.dir, j.now(), j.warn)
	if errors.Is(err, ErrLocked) {
		return nil // whoever has it is about to do the same
	}
	if err != nil {
		return err
	}
	return errors.Join(j.clear(), l.retire())
}

// clear leaves what a job that is done is to keep. The caller has the lock.
func (j *job) clear() error {
	return errors.Join(atomicfile.RemovePartial(j.dir), prune(j.dir, 0, j.keep.Every))
}

// hasBegun tells whether there is anything in a job's folder that was trained.
func hasBegun(dir string) (bool, error) {
	for _, name := range []string{results.File, MetricsFile, WeightsFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err == nil && info.Size() > 0 {
			return true, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	found, err := checkpoints(dir)
	return len(found) > 0, err
}

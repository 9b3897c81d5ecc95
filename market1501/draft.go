package market1501

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
)

// A draft is the hidden folder in which a dataset is drawn, beside the one that it
// becomes. A lock on it ends with its process, which tells a draft that is being
// drawn from what a killed process has left.
type draft struct {
	dir  string
	lock *flock.Flock
}

// newDraft makes a draft of the dataset dir.
func newDraft(dir string) (draft, error) {
	for {
		path, err := os.MkdirTemp(filepath.Dir(dir), draftPrefix(dir)+"*")
		if err != nil {
			return draft{}, err
		}
		d := draft{path, flock.New(path, flock.SetFlag(os.O_RDONLY))}
		taken, err := d.lock.TryLock()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return d, nil // there are no locks here: nobody can take it for abandoned
		}
		if taken && isDir(path) {
			return d, nil
		}
		_ = d.lock.Close() // another process was about to remove it, before it was locked
	}
}

// discard removes the draft, unless it has been given its name.
func (d draft) discard() {
	_ = os.RemoveAll(d.dir)
	_ = d.lock.Close()
}

// draftPrefix is how the names of dir's drafts begin; digits follow.
func draftPrefix(dir string) string { return "." + filepath.Base(dir) + "." }

// removeAbandoned removes the drafts of dir that nobody draws any more.
func removeAbandoned(dir string) error {
	parent := filepath.Dir(dir)
	files, err := os.ReadDir(parent)
	if err != nil {
		return err
	}
	var failed []error
	for _, file := range files {
		digits, ok := strings.CutPrefix(file.Name(), draftPrefix(dir))
		if !ok || !file.IsDir() || digits == "" || strings.Trim(digits, "0123456789") != "" {
			continue
		}
		path := filepath.Join(parent, file.Name())
		lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
		if taken, err := lock.TryLock(); err == nil && taken && holdsSplitsAlone(path) {
			failed = append(failed, os.RemoveAll(path))
		}
		_ = lock.Close()
	}
	return errors.Join(failed...)
}

// holdsSplitsAlone reports whether there is nothing in dir but splits.
func holdsSplitsAlone(dir string) bool {
	files, err := os.ReadDir(dir)
	return err == nil && !slices.ContainsFunc(files, func(file fs.DirEntry) bool {
		return !file.IsDir() || !slices.Contains(splitFolders[:], file.Name())
	})
}

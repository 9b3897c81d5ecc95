package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/reidbench/reidbench/results/regular"
)

// ErrReplaced is wrapped by the error of a job whose folder was removed, or is another one, since the job claimed it.
var ErrReplaced = errors.New("the folder was removed or made anew while the job was at it")

// A Tenancy is a job's in the folder that it has claimed.
type Tenancy struct {
	folder   Folder
	identity *os.File // says whose the folder is. It stays open: while it does, no other file is taken for it
}

// Occupy begins the tenancy of a job that has claimed the folder.
func (f Folder) Occupy() (Tenancy, error) {
	identity, err := regular.Open(f.path(identityFile))
	return Tenancy{f, identity}, err
}

// Check is an error that wraps ErrReplaced unless the folder is still the one that was claimed.
func (t Tenancy) Check() error {
	claimed, err := t.identity.Stat()
	if err != nil {
		return err
	}
	found, err := os.Stat(t.folder.path(identityFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(found, claimed) {
		return fmt.Errorf("%s: %w", t.folder.Dir, ErrReplaced)
	}
	return err
}

// End ends it, if it has begun.
func (t Tenancy) End() error {
	if t.identity == nil {
		return nil
	}
	return t.identity.Close()
}

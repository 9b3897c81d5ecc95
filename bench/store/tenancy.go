package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrReplaced is wrapped by the error of a job whose folder was removed, or is another one, since the job claimed it.
var ErrReplaced = errors.New("the folder was removed or made anew while the job was at it")

// A Tenancy is a job's in the folder that it has claimed.
type Tenancy struct {
	folder   Folder
	identity os.FileInfo // of the file that says whose the folder is
}

// Occupy begins the tenancy of a job that has claimed the folder.
func (f Folder) Occupy() (Tenancy, error) {
	info, err := os.Stat(f.path(identityFile))
	return Tenancy{f, info}, err
}

// Check is an error that wraps ErrReplaced unless the folder is still the one that was claimed.
func (t Tenancy) Check() error {
	info, err := os.Stat(t.folder.path(identityFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, t.identity) {
		return fmt.Errorf("%s: %w", t.folder.Dir, ErrReplaced)
	}
	return err
}

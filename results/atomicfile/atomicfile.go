// Package atomicfile writes files that are either complete or not there: the bytes go to a temporary file in the
// same folder, reach the disk, and only then take the final name. A crash at any moment leaves the previous file, or
// none, under that name.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/reidbench/reidbench/results/regular"
)

// infix marks the temporary files of Write: ".<name>.partial-<random>".
const infix = ".partial-"

// Write replaces the file at path by what write writes. The writer it passes is buffered. When write fails, or the
// disk does, path is left as it was and the temporary file is removed. A symbolic link stays, and the file that it
// leads to is replaced. A device, a pipe or a folder at path is an error, and stays as it is.
func Write(path string, write func(io.Writer) error) (err error) {
	path, err = target(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
			f.Close() // closed already where the rename failed; the first error is the one that matters
			os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// RemovePartial deletes from dir what interrupted calls of Write left there. No other process may be writing to dir.
func RemovePartial(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), infix) {
			failed = append(failed, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(failed...)
}

// target is path, or what it leads to if it is a symbolic link. An error of what is there returns path itself.
func target(path string) (string, error) {
	switch err := regular.Check(path); {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return path, err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path, err
	}
	return resolved, nil
}

// create opens a new file beside path, with the permissions that the umask leaves to an ordinary file.
func create(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	for {
		name := filepath.Join(dir, fmt.Sprintf(".%s%s%08x", base, infix, rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// SyncFolder makes a rename in dir durable, as far as the file system can: FUSE and CIFS among others have no fsync of
// a folder, and say so with EINVAL or ENOTSUP.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be opened for syncing there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unlessImpossible(d.Sync())
}

// unlessImpossible is the error of syncing a folder, nil if it is that this cannot be done there.
func unlessImpossible(err error) error {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

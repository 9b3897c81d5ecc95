package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/reidbench/reidbench/results/regular"
)

// lockFile in the submission's folder is locked by whoever looks at Slurm in order to submit, so that two
// clients that are attached do not submit the same job.
const lockFile = ".lock"

// lock waits for the lock of the submission's folder, which it makes.
func lock(ctx context.Context, folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, lockFile)
	if err := regular.Check(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("lock %s: %w", folder, err)
	}
	l := flock.New(path)
	switch _, err := l.TryLockContext(ctx, 50*time.Millisecond); {
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		// A file system without locks. At worst a job is submitted twice, and the second task finds it done, or its
		// folder in use.
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", folder, err)
	}
	return func() { _ = l.Close() }, nil
}

// logFile is where a task prints.
func logFile(out string, task Task) string { return filepath.Join(out, Folder, task.String()+".log") }

// lastLine returns the last line of a file that is not empty, as far as it can be read.
func lastLine(path string) string {
	f, err := regular.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	const enough = 4 << 10
	if info, err := f.Stat(); err == nil && info.Size() > enough {
		_, _ = f.Seek(-enough, io.SeekEnd)
	}
	tail, _ := io.ReadAll(io.LimitReader(f, enough))
	lines := bytes.Split(bytes.TrimSpace(tail), []byte("\n"))
	return string(bytes.TrimSpace(lines[len(lines)-1]))
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// ErrLocked is wrapped by the error for a job that another process works on.
var ErrLocked = errors.New("in use by another process")

const (
	// lockFile in a job's folder is locked while a process works on the job. The lock ends with the
	// process, however that ends. On a shared folder it holds between machines as well, as far as
	// the file system carries flock over: NFS does on Linux.
	lockFile = ".lock"
	// holderFile says which process that is, or which it was if it did not end by itself.
	holderFile = ".lock.json"
)

// A Holder is the process that works on a job.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func (h Holder) String() string {
	return fmt.Sprintf("process %d on %s since %s", h.PID, h.Host, h.Since.Format(time.DateTime))
}

// A Lock is the right to write to a job's folder.
type Lock struct {
	folder Folder
	file   *flock.Flock // nil where the file system has no locks
}

// A look at a lock takes it for a moment: whoever wants it tries again for as long.
const (
	lockPatience = 200 * time.Millisecond
	lockRetry    = 20 * time.Millisecond
)

// Lock takes the lock of the folder, which must exist. The error wraps ErrLocked and names the
// holder where another process, or another run in this one, has it. Where the file system has no
// locks there is none to take, which warn is told.
func (f Folder) Lock(now time.Time, warn func(string)) (*Lock, error) {
	if err := regular.Check(f.path(lockFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lock %s: %w", f.Dir, err)
	}
	l := &Lock{folder: f, file: flock.New(f.path(lockFile),
		flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))}
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	taken, err := l.file.TryLockContext(ctx, lockRetry)
	switch {
	case taken:
	case errors.Is(err, context.DeadlineExceeded):
		if holder, err := f.holder(); err == nil {
			return nil, fmt.Errorf("%s: %w: %v", f.Dir, ErrLocked, holder)
		}
		return nil, fmt.Errorf("%s: %w", f.Dir, ErrLocked)
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		l.file = nil
		warn(fmt.Sprintf("%s is on a file system without locks (%v): nothing keeps a second process from it",
			f.Dir, err))
	default:
		return nil, fmt.Errorf("lock %s: %w", f.Dir, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text, err := json.Marshal(Holder{os.Getpid(), host, now.UTC().Truncate(time.Second)})
	if err == nil {
		err = atomicfile.Write(f.path(holderFile), func(w io.Writer) error {
			_, err := fmt.Fprintln(w, string(text))
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, l.Release())
	}
	return l, nil
}

// Release gives the lock back and forgets the holder.
func (l *Lock) Release() error {
	if err := os.Remove(l.folder.path(holderFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, l.close())
	}
	return l.close()
}

// Retire is Release for a job that is done. The lock's file goes, too: whoever has opened it before
// finds the record.
func (l *Lock) Retire() error {
	err := l.Release()
	if removeErr := os.Remove(l.folder.path(lockFile)); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

func (l *Lock) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// holder returns who works on the job, or who did last if it was killed.
func (f Folder) holder() (Holder, error) {
	var h Holder
	text, err := regular.ReadFile(f.path(holderFile))
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	return h, err
}

// locked reports whether a process works on the job.
func (f Folder) locked() bool {
	if regular.Check(f.path(lockFile)) != nil {
		return false
	}
	probe := flock.New(f.path(lockFile), flock.SetFlag(os.O_RDONLY))
	free, err := probe.TryRLock()
	probe.Close()
	return !free && err == nil
}

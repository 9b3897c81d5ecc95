package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
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

// lock is the right to write to a job's folder.
type lock struct {
	dir  string
	file *flock.Flock // nil where the file system has no locks
}

// A look at a lock takes it for a moment: whoever wants it tries again for as long.
const (
	lockPatience = 200 * time.Millisecond
	lockRetry    = 20 * time.Millisecond
)

// lockJob takes the lock of the job in dir, which must exist. The error wraps ErrLocked and names the
// holder where another process, or another run in this one, has it. Where the file system has no
// locks there is none to take, which warn is told.
func lockJob(dir string, now time.Time, warn func(string)) (*lock, error) {
	l := &lock{dir: dir, file: flock.New(filepath.Join(dir, lockFile),
		flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))}
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	taken, err := l.file.TryLockContext(ctx, lockRetry)
	switch {
	case taken:
	case errors.Is(err, context.DeadlineExceeded):
		if holder, err := readHolder(dir); err == nil {
			return nil, fmt.Errorf("%s: %w: %v", dir, ErrLocked, holder)
		}
		return nil, fmt.Errorf("%s: %w", dir, ErrLocked)
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		l.file = nil
		warn(fmt.Sprintf("%s is on a file system without locks (%v): nothing keeps a second process from it", dir, err))
	default:
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text, err := json.Marshal(Holder{os.Getpid(), host, now.UTC().Truncate(time.Second)})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, holderFile), append(text, '\n'), 0o666)
	}
	if err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// release gives the lock back and forgets the holder.
func (l *lock) release() error {
	if err := os.Remove(filepath.Join(l.dir, holderFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, l.close())
	}
	return l.close()
}

// retire is release for a job that is done. The lock's file goes, too: whoever has opened it before
// finds the record.
func (l *lock) retire() error {
	err := l.release()
	if removeErr := os.Remove(filepath.Join(l.dir, lockFile)); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}

func (l *lock) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// readHolder returns who works on the job in dir, or who did last if it was killed.
func readHolder(dir string) (Holder, error) {
	var h Holder
	text, err := os.ReadFile(filepath.Join(dir, holderFile))
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	return h, err
}

// isLocked tells whether a process works on the job in dir.
func isLocked(dir string) bool {
	probe := flock.New(filepath.Join(dir, lockFile), flock.SetFlag(os.O_RDONLY))
	free, err := probe.TryRLock()
	probe.Close()
	return !free && err == nil
}

package store

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// lockFor takes a lock as another process does.
func lockFor(t *testing.T, f Folder) *Lock {
	t.Helper()
	l, err := f.Lock(time.Unix(1e9, 0), func(text string) { t.Error(text) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLock(t *testing.T) {
	f := Folder{t.TempDir()}
	l := lockFor(t, f)
	if !f.locked() {
		t.Error("nobody has the lock that was taken")
	}
	_, err := f.Lock(time.Now(), nil)
	host, hostErr := os.Hostname()
	if hostErr != nil {
		t.Fatal(hostErr)
	}
	want := fmt.Sprintf("%s: in use by another process: process %d on %s since 2001-09-09 01:46:40",
		f.Dir, os.Getpid(), host)
	if !errors.Is(err, ErrLocked) || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := l.Release(); err != nil || f.locked() {
		t.Errorf("released, the lock is still held: %v", err)
	}
	if err := lockFor(t, f).Retire(); err != nil {
		t.Error(err)
	}
	if left := contents(t, f.Dir); len(left) > 0 {
		t.Errorf("retired, it leaves %v", left)
	}
}

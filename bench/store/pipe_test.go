//go:build unix

package store

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reidbench/reidbench/results/regular"
)

// TestLocksThatArePipes: whoever takes or looks at a lock waits for nothing, and replaces nothing.
func TestLocksThatArePipes(t *testing.T) {
	for _, name := range []string{lockFile, holderFile} {
		f := Folder{t.TempDir()}
		if err := syscall.Mkfifo(f.path(name), 0o666); err != nil {
			t.Fatal(err)
		}
		if f.locked() {
			t.Errorf("a pipe as %s is taken for a process at work", name)
		}
		_, err := f.Lock(time.Now(), nil)
		if !errors.Is(err, regular.ErrNot) || !strings.Contains(err.Error(), name) {
			t.Errorf("a pipe as %s: error %v", name, err)
		}
	}
}

//go:build unix

package slurm

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/reidbench/reidbench/results/regular"
)

func TestLockThatIsAPipe(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(folder, lockFile), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := lock(t.Context(), folder); !errors.Is(err, regular.ErrNot) {
		t.Errorf("error %v", err)
	}
}

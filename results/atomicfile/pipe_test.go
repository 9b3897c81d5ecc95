//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/reidbench/reidbench/results/regular"
)

// What stands for a device is a pipe, which needs no root.
func TestADeviceStaysWhatItIs(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "stdout")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pipe", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link} {
		if err := Write(path, text("x")); !errors.Is(err, regular.ErrNot) {
			t.Errorf("%s: got %v, want an error that is regular.ErrNot", path, err)
		}
	}
	info, err := os.Lstat(pipe)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the pipe has become %v", info.Mode())
	}
	if to, err := os.Readlink(link); to != "pipe" {
		t.Errorf("the link leads to %q now: %v", to, err)
	}
	wantOnly(t, dir, "pipe", "stdout")
}

func TestAPartialIsNoPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := syscall.Mkfifo(PartialPath(path), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPartial(path); !errors.Is(err, regular.ErrNot) {
		t.Errorf("got %v, want an error that is regular.ErrNot", err)
	}
}

//go:build unix

package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestNothingWaits: opened by [os.Open], the pipe would wait for a writer.
func TestNothingWaits(t *testing.T) {
	dir := t.TempDir()
	file, pipe, link := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(
		os.WriteFile(file, []byte("content"), 0o666), syscall.Mkfifo(pipe, 0o666), os.Symlink(file, link),
	); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		file: nil, link: nil, pipe: ErrNot, dir: syscall.EISDIR, "/dev/zero": ErrNot,
		filepath.Join(dir, "none"): fs.ErrNotExist,
	} {
		content, err := ReadFile(path)
		if !errors.Is(err, want) || want == nil && string(content) != "content" {
			t.Errorf("ReadFile(%s): %q, %v, want %v", path, content, err, want)
		}
		f, err := Open(path)
		if !errors.Is(err, want) {
			t.Errorf("Open(%s): %v, want %v", path, err, want)
		}
		if err == nil {
			f.Close()
		}
		if pathError := (*fs.PathError)(nil); want != nil && (!errors.As(err, &pathError) || pathError.Path != path) {
			t.Errorf("the error does not name %s: %v", path, err)
		}
	}
}

package fetch

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk: the error names the file, and where there is room again it is gone on with.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("no file system to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := serve(t, whole(content, `"a"`))
	file := wanted(t, s)
	file.Path = filepath.Join(dir, "net.pth")
	_, err := hasty.Fetch(t.Context(), file)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), file.Path) {
		t.Errorf("got %v, want %v with the file", err, syscall.ENOSPC)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	arrives(t, hasty, file)
	if len(s.ranges) != 2 || s.ranges[1] == "" {
		t.Errorf("ranges %q, want a second one", s.ranges)
	}
}

package market1501

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Too many open files are no broken images. The limit is set when the images have been listed.
func TestTooManyOpenFiles(t *testing.T) {
	d, err := Open(t.Context(), writeDataset(t, tinyDataset...))
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	tight := limit
	tight.Cur = 1
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &tight); err != nil {
		t.Fatal(err)
	}
	_, loadErr := d.Train.Load(t.Context(), LoadConfig{Height: 8, Width: 8})
	_, infoErr := d.Info(t.Context(), 1, nil)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"load": loadErr, "info": infoErr} {
		if !errors.Is(err, syscall.EMFILE) || !errors.Is(err, ErrNotGiven) {
			t.Errorf("%s: error %v, want EMFILE of an image that is not given", what, err)
		}
	}
}

// A pipe in the place of a split's folder is waited for by nobody.
func TestOpenPipe(t *testing.T) {
	root := writeDataset(t, tinyDataset...)
	train := filepath.Join(root, trainFolder)
	if err := os.RemoveAll(train); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(train, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Opener{TestOnly: true}).Open(t.Context(), root); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("error %v, want ENOTDIR", err)
	}
}

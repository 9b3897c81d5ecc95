package market1501

import (
	"errors"
	"syscall"
	"testing"
)

// Too many open files are no broken images. The limit is set when the images have been listed.
func TestTooManyOpenFiles(t *testing.T) {
	d, err := Open(writeDataset(t, tinyDataset...))
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
	_, err = d.Train.Load(t.Context(), LoadConfig{Height: 8, Width: 8})
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Errorf("error %v, want EMFILE", err)
	}
}

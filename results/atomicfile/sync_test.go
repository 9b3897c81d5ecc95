package atomicfile

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// What a file system answers that cannot sync folders is no error, what a broken disk answers is one.
func TestFoldersThatCannotBeSynced(t *testing.T) {
	for _, test := range []struct {
		err   error
		fatal bool
	}{
		{nil, false}, {syscall.EINVAL, false}, {syscall.ENOTSUP, false}, {syscall.EIO, true}, {syscall.ENOSPC, true},
	} {
		err := test.err
		if err != nil {
			err = &os.PathError{Op: "sync", Path: "runs", Err: test.err}
		}
		want := err
		if !test.fatal {
			want = nil
		}
		if got := unlessImpossible(err); !errors.Is(got, want) {
			t.Errorf("%v becomes %v, want %v", err, got, want)
		}
	}
}

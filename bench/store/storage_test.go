package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/reidbench/reidbench/market1501"
)

func TestImageThatMayNotBeReadIsNoReadOnlyFolder(t *testing.T) {
	unread := fmt.Errorf("%w: %w", market1501.ErrNotGiven, fs.ErrPermission)
	if err := ExplainWrite(unread); errors.Is(err, ErrReadOnly) || !errors.Is(err, unread) {
		t.Errorf("%v becomes %v", unread, err)
	}
}

func TestStorageErrors(t *testing.T) {
	other := errors.New("other")
	for _, test := range []struct{ err, want error }{
		{syscall.ENOSPC, ErrDiskFull}, {syscall.EDQUOT, ErrDiskFull}, {syscall.EROFS, ErrReadOnly},
		{fs.ErrPermission, ErrReadOnly}, {other, other},
	} {
		err := ExplainWrite(fmt.Errorf("write f: %w", test.err))
		if !errors.Is(err, test.want) || !errors.Is(err, test.err) || !strings.Contains(err.Error(), "write f: ") {
			t.Errorf("%v becomes %v", test.err, err)
		}
	}
}

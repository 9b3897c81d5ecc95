package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/reidbench/reidbench/market1501"
)

var (
	// ErrDiskFull is wrapped by the error of a job whose folder has no room left, or whose owner has used up a quota.
	// What was written before is whole, and the same command goes on from there.
	ErrDiskFull = errors.New("no room left for the results")
	// ErrReadOnly is wrapped by the error for a folder of results that cannot be written to.
	ErrReadOnly = errors.New("the folder of results cannot be written to")
)

// ExplainWrite says what it means for the run that something could not be written: the error wraps [ErrDiskFull] or
// [ErrReadOnly] where it is about that.
func ExplainWrite(err error) error {
	switch {
	case errors.Is(err, market1501.ErrNotGiven): // it was to be read
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w; make room, and the same command goes on", ErrDiskFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

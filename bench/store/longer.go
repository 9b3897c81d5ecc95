package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/reidbench/reidbench/results"
)

// lengthens reports whether the job is the recorded one with more epochs of the second stage, and the same up to where
// that ends.
func (id Identity) lengthens(recorded Identity) bool {
	return id.addsEpochs(recorded) && id.sameRates(recorded)
}

// addsEpochs reports whether the job is the recorded one with more epochs of the second stage, whatever that does to
// the rates. A budget that has not cut the steps of an epoch makes no other difference than their number.
func (id Identity) addsEpochs(recorded Identity) bool {
	if id.Schedule.Epochs <= recorded.Schedule.Epochs {
		return false
	}
	longer := recorded
	longer.Schedule.Epochs = id.Schedule.Epochs
	longer.Recipe.Epochs, longer.Recipe.ForwardMACs = id.Recipe.Epochs, id.Recipe.ForwardMACs
	return id.conflict("", longer) == nil
}

// sameRates reports whether the job has the recorded one's learning rates in all of that one's epochs.
func (id Identity) sameRates(recorded Identity) bool {
	same := func(epochs, recordedEpochs int) bool {
		for epoch := range recordedEpochs {
			if id.Recipe.Rate(epoch, epochs) != recorded.Recipe.Rate(epoch, recordedEpochs) {
				return false
			}
		}
		return true
	}
	is, was := id.Schedule, recorded.Schedule
	return same(is.HeadEpochs, was.HeadEpochs) && same(is.Epochs, was.Epochs)
}

// Lengthened reports whether the job is that of the folder, with more epochs.
func (f Folder) Lengthened(id Identity) bool {
	recorded, err := f.Identity()
	return err == nil && recorded != nil && id.lengthens(*recorded)
}

// otherRates is the error for a job with more epochs than the folder's, in which the rates would have been others from
// the beginning: those of a cosine are.
func (f Folder) otherRates(recorded, longer Identity) error {
	return fmt.Errorf("%s: %w: one of %d epochs, whose learning rates have fallen as a %v over these; over %d they "+
		"fall otherwise from the first on; choose another folder for the results or remove this one",
		f.Dir, ErrConflict, recorded.Schedule.AllEpochs(), recorded.Recipe.Annealing, longer.Schedule.AllEpochs())
}

// checkKept is an error if the job is done and has kept no checkpoint that a longer one could go on from.
func (f Folder) checkKept(recorded, longer Identity) error {
	record, ended, err := f.Record()
	if err != nil || !ended || record.State != results.StateDone {
		return err
	}
	if found, err := f.Checkpoints(); err != nil || len(found) > 0 {
		return err
	}
	return fmt.Errorf("%s: %w: one of %d epochs, which is done and has kept no checkpoint to go on from to %d; choose "+
		"another folder for the results, with --weights %s=%s to begin with what it has come to, or remove this one",
		f.Dir, ErrConflict, recorded.Schedule.AllEpochs(), longer.Schedule.AllEpochs(), recorded.Model,
		f.path(WeightsFile))
}

// reopenLonger makes a job that may be done one that is to go on. The record goes first: without it, the job is one
// that goes on, whether its identity is still the shorter one or not.
func (f Folder) reopenLonger(id Identity) error {
	if err := os.Remove(f.path(results.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.writeIdentity(id)
}

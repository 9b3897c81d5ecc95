package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models/graph"
)

// A Checkpoint is one that a training goes on from. It must be closed.
type Checkpoint struct {
	Position Position
	archive  *weights.Archive
}

// OpenCheckpoint opens the newest sound checkpoint; nil if there is none. Damaged ones are renamed, so that they are
// not met again, and reported to warn.
func (f Folder) OpenCheckpoint(warn func(error)) (*Checkpoint, error) {
	if err := f.removeOrphans(); err != nil {
		return nil, err
	}
	found, err := f.Checkpoints()
	if err != nil {
		return nil, err
	}
	for _, file := range found {
		c, err := openSound(file.Path)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, ErrDamaged) {
			return nil, err // it may be sound, but cannot be read now
		}
		for _, suffix := range []string{digestSuffix, ""} {
			renameErr := os.Rename(file.Path+suffix, file.Path+brokenSuffix+suffix)
			if renameErr != nil && !errors.Is(renameErr, fs.ErrNotExist) {
				return nil, errors.Join(err, renameErr)
			}
		}
		warn(fmt.Errorf("%w; it is set aside as %s", err, filepath.Base(file.Path)+brokenSuffix))
	}
	return nil, nil
}

func openSound(path string) (*Checkpoint, error) {
	if err := checkDigest(path); err != nil {
		return nil, err
	}
	archive, err := weights.Open(path)
	if err != nil {
		return nil, damagedUnlessUnreadable(err)
	}
	c := &Checkpoint{archive: archive}
	if err := json.Unmarshal([]byte(archive.Metadata()[stateKey]), &c.Position); err != nil {
		archive.Close()
		return nil, fmt.Errorf("%s: %w: the training's state: %w", path, ErrDamaged, err)
	}
	return c, nil
}

// Close closes the checkpoint's file.
func (c *Checkpoint) Close() error { return c.archive.Close() }

// RestoreNetwork sets every parameter and running statistic.
func (c *Checkpoint) RestoreNetwork(w *train.Weights) error { return restoreNetwork(w, c.archive) }

// RestoreOptimizer sets the moments of the trained parameters, and how many steps it has done.
func (c *Checkpoint) RestoreOptimizer(optimizer *train.Optimizer, trained []*graph.Param) error {
	for _, p := range trained {
		m, err := c.archive.Float32(firstMoment + p.Name)
		if err != nil {
			return err
		}
		v, err := c.archive.Float32(secondMoment + p.Name)
		if err != nil {
			return err
		}
		if err := optimizer.SetMoments(p.Name, m, v); err != nil {
			return err
		}
	}
	optimizer.SetSteps(c.Position.AdamSteps)
	return nil
}

// damagedUnlessUnreadable tells content that makes no sense from a file that the system doesn't give.
func damagedUnlessUnreadable(err error) error {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models/graph"
)

// ErrDamaged is wrapped by the error about a file of tensors that is not what was written: its
// digest is another one or missing, or its content makes no sense.
var ErrDamaged = errors.New("the file is damaged")

// checkDigest holds a file against the digest beside it.
func checkDigest(path string) error {
	line, err := os.ReadFile(path + digestSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: there is no %s beside it", path, ErrDamaged, filepath.Base(path)+digestSuffix)
	}
	if err != nil {
		return err
	}
	want, _, _ := strings.Cut(string(line), " ")
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		return fmt.Errorf("%s: %w: its SHA-256 is %s, not %s", path, ErrDamaged, got, want)
	}
	return nil
}

// openCheckpoint opens the newest sound checkpoint and reads its state; nil if there is
// none. Damaged ones are renamed, so that they are not met again, and reported to warn.
func openCheckpoint(dir string, warn func(error)) (*weights.Archive, state, error) {
	found, err := checkpoints(dir)
	if err != nil {
		return nil, state{}, err
	}
	for _, c := range found {
		archive, s, err := openSound(c.path)
		if err == nil {
			return archive, s, nil
		}
		if !errors.Is(err, ErrDamaged) {
			return nil, state{}, err // it may be sound, but cannot be read now
		}
		for _, suffix := range []string{digestSuffix, ""} {
			renameErr := os.Rename(c.path+suffix, c.path+brokenSuffix+suffix)
			if renameErr != nil && !errors.Is(renameErr, fs.ErrNotExist) {
				return nil, state{}, errors.Join(err, renameErr)
			}
		}
		warn(fmt.Errorf("%w; it is set aside as %s", err, filepath.Base(c.path)+brokenSuffix))
	}
	return nil, state{}, nil
}

func openSound(path string) (*weights.Archive, state, error) {
	if err := checkDigest(path); err != nil {
		return nil, state{}, err
	}
	archive, err := weights.Open(path)
	if err != nil {
		return nil, state{}, damagedUnlessUnreadable(err)
	}
	var s state
	if err := json.Unmarshal([]byte(archive.Metadata()[stateKey]), &s); err != nil {
		archive.Close()
		return nil, state{}, fmt.Errorf("%s: %w: the training's state: %w", path, ErrDamaged, err)
	}
	return archive, s, nil
}

// damagedUnlessUnreadable tells content that makes no sense from a file that the system doesn't give.
func damagedUnlessUnreadable(err error) error {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// restoreNetwork sets every parameter and running statistic.
func restoreNetwork(w *train.Weights, archive *weights.Archive) error {
	for _, name := range w.Names() {
		values, err := archive.Float32(name)
		if err != nil {
			return err
		}
		if err := w.Set(name, values); err != nil {
			return err
		}
	}
	return nil
}

// restoreAdam sets the moments of the trained parameters.
func restoreAdam(adam *train.Adam, archive *weights.Archive, trained []*graph.Param, steps int) error {
	for _, p := range trained {
		m, err := archive.Float32(firstMoment + p.Name)
		if err != nil {
			return err
		}
		v, err := archive.Float32(secondMoment + p.Name)
		if err != nil {
			return err
		}
		if err := adam.SetMoments(p.Name, m, v); err != nil {
			return err
		}
	}
	adam.SetSteps(steps)
	return nil
}

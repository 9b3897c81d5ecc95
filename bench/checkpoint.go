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
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/atomicfile"
)

// WeightsFile holds a finished job's parameters and running statistics under their
// published names, as safetensors.
const WeightsFile = "weights.safetensors"

const (
	checkpointPattern = "checkpoint-*.safetensors"
	digestSuffix      = ".sha256" // beside each file of tensors, in sha256sum's format
	brokenSuffix      = ".broken" // a checkpoint whose digest does not fit

	// Tensors in a checkpoint beside the network's own: Adam's mean and squared mean of a gradient.
	firstMoment, secondMoment = "adam.m/", "adam.v/"

	stateKey = "reidbench.state"
)

// keptCheckpoints stay, so that there is one before the newest.
const keptCheckpoints = 2

// state is where a training stands, besides its tensors. The order of the data and
// the dropout masks follow from the seed and the number of steps.
type state struct {
	Steps  int `json:"steps"`  // done, both stages together
	Epochs int `json:"epochs"` // closed: logged, and evaluated if that was due

	// Of the open epoch.
	Loss    float64 `json:"loss"` // the sum over its images
	Images  int     `json:"images"`
	Correct int     `json:"correct"`

	AdamSteps int              `json:"adam_steps"`
	Final     *results.Metrics `json:"final,omitempty"` // the last evaluation
	Best      *results.Best    `json:"best,omitempty"`
	LogBytes  int64            `json:"log_bytes"`
}

// writeTensors writes a safetensors file and, before it, its digest: a file that is
// there has a digest to be held against.
func writeTensors(path string, tensors []weights.Tensor, metadata map[string]string) error {
	digest := sha256.New()
	if err := weights.WriteSafetensors(digest, tensors, metadata); err != nil {
		return fmt.Errorf("digest of %s: %w", path, err)
	}
	err := atomicfile.Write(path+digestSuffix, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%x  %s\n", digest.Sum(nil), filepath.Base(path))
		return err
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { return weights.WriteSafetensors(w, tensors, metadata) })
}

// errDigest is wrapped by the error for a file that is not what was written.
var errDigest = errors.New("the file is damaged")

// checkDigest holds a file against the digest beside it.
func checkDigest(path string) error {
	line, err := os.ReadFile(path + digestSuffix)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", path, errDigest, err)
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
		return fmt.Errorf("%s: %w: its SHA-256 is %s, not %s", path, errDigest, got, want)
	}
	return nil
}

// networkTensors are a network's parameters and running statistics, copied.
func networkTensors(w *train.Weights) []weights.Tensor {
	var tensors []weights.Tensor
	for _, name := range w.Names() {
		tensors = append(tensors, weights.Tensor{Name: name, Shape: w.Shape(name), Data: w.Get(name)})
	}
	return tensors
}

// saveCheckpoint writes the checkpoint of s.Steps and removes those that are too many.
// trained are the parameters that adam steps.
func saveCheckpoint(dir string, s state, w *train.Weights, adam *train.Adam, trained []*graph.Param) error {
	tensors := networkTensors(w)
	for _, p := range trained {
		m, v := adam.Moments(p.Name)
		tensors = append(tensors,
			weights.Tensor{Name: firstMoment + p.Name, Shape: p.Shape, Data: m},
			weights.Tensor{Name: secondMoment + p.Name, Shape: p.Shape, Data: v})
	}
	position, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the state of %s: %w", dir, err)
	}
	path := filepath.Join(dir, fmt.Sprintf("checkpoint-%08d.safetensors", s.Steps))
	if err := writeTensors(path, tensors, map[string]string{stateKey: string(position)}); err != nil {
		return err
	}
	return removeCheckpoints(dir, keptCheckpoints)
}

// removeCheckpoints leaves the newest keep of them.
func removeCheckpoints(dir string, keep int) error {
	paths, err := checkpoints(dir)
	if err != nil {
		return err
	}
	for _, path := range paths[min(keep, len(paths)):] {
		if err := errors.Join(os.Remove(path), os.Remove(path+digestSuffix)); err != nil {
			return err
		}
	}
	return nil
}

// checkpoints lists the checkpoints in dir, the newest first.
func checkpoints(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(dir), checkpointPattern))
	slices.Sort(paths) // their numbers have a fixed width
	slices.Reverse(paths)
	return paths, err
}

// escapeGlob makes a path a pattern of itself.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// openCheckpoint opens the newest sound checkpoint and reads its state; nil if there is
// none. Damaged ones are renamed, so that they are not met again, and named to warn.
func openCheckpoint(dir string, warn func(string)) (*weights.Archive, state, error) {
	paths, err := checkpoints(dir)
	if err != nil {
		return nil, state{}, err
	}
	for _, path := range paths {
		archive, s, err := openSound(path)
		if err == nil {
			return archive, s, nil
		}
		var pathError *fs.PathError
		if !errors.Is(err, errDigest) && errors.As(err, &pathError) {
			return nil, state{}, err // it may be sound, but cannot be read now
		}
		if renameErr := os.Rename(path, path+brokenSuffix); renameErr != nil {
			return nil, state{}, errors.Join(err, renameErr)
		}
		warn(fmt.Sprintf("%v; it is set aside as %s", err, filepath.Base(path)+brokenSuffix))
	}
	return nil, state{}, nil
}

func openSound(path string) (*weights.Archive, state, error) {
	if err := checkDigest(path); err != nil {
		return nil, state{}, err
	}
	archive, err := weights.Open(path)
	if err != nil {
		return nil, state{}, err
	}
	var s state
	if err := json.Unmarshal([]byte(archive.Metadata()[stateKey]), &s); err != nil {
		archive.Close()
		return nil, state{}, fmt.Errorf("%s: the training's state: %w", path, err)
	}
	return archive, s, nil
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

package bench

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	checkpointFormat = "checkpoint-epoch%04d-step%06d.safetensors" // epochs that are closed, steps of the open one
	digestSuffix     = ".sha256"                                   // beside each file of tensors, in sha256sum's format
	brokenSuffix     = ".broken"                                   // a checkpoint whose digest does not fit

	// Tensors in a checkpoint beside the network's own: Adam's mean and squared mean of a gradient.
	firstMoment, secondMoment = "adam.m/", "adam.v/"

	stateKey = "reidbench.state"
)

// Checkpoints says when a training's state is written, beside what the recipe says, and what stays
// of it. No result depends on it.
type Checkpoints struct {
	Interval time.Duration // the longest that a training goes on without one; 0: the epochs of the recipe alone
	Newest   int           // that many stay, until the job is done; below 1: two, so that there is one before the newest
	Every    int           // one is written after so many epochs each, and stays when the job is done; 0: none
}

// state is where a training stands, besides its tensors.
type state struct {
	Steps  int `json:"steps"`  // done, both stages together
	Epochs int `json:"epochs"` // closed: logged, and evaluated if that was due

	// Seed is the random state: the order of the images, their flips and the dropout masks are
	// functions of it, of the epoch and of the step.
	Seed uint64 `json:"seed"`

	// Of the open epoch.
	Loss    float64 `json:"loss"` // the sum over its images
	Images  int     `json:"images"`
	Correct int     `json:"correct"`

	AdamSteps int              `json:"adam_steps"`
	Final     *results.Metrics `json:"final,omitempty"` // the last evaluation
	Best      *results.Best    `json:"best,omitempty"`
	LogBytes  int64            `json:"log_bytes"`

	// What was seen: digests of the decoded images.
	Trained string `json:"trained_images"`
	Judged  string `json:"judged_images,omitempty"` // "" before the first evaluation
}

// writeTensors writes a safetensors file and its digest. The digest takes its place first: a file
// that is there has a digest to be held against.
func writeTensors(path string, tensors []weights.Tensor, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		digest := sha256.New()
		if err := weights.WriteSafetensors(io.MultiWriter(w, digest), tensors, metadata); err != nil {
			return err
		}
		return atomicfile.Write(path+digestSuffix, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%x  %s\n", digest.Sum(nil), filepath.Base(path))
			return err
		})
	})
}

// networkTensors are a network's parameters and running statistics.
func networkTensors(w *train.Weights) []weights.Tensor {
	var tensors []weights.Tensor
	for _, name := range w.Names() {
		tensors = append(tensors, weights.Tensor{
			Name: name, Shape: w.Shape(name), Fetch: func() []float32 { return w.Get(name) },
		})
	}
	return tensors
}

// momentTensors are Adam's moments of the parameters that it steps.
func momentTensors(adam *train.Adam, trained []*graph.Param) []weights.Tensor {
	var tensors []weights.Tensor
	for _, p := range trained {
		tensors = append(tensors,
			weights.Tensor{Name: firstMoment + p.Name, Shape: p.Shape, Fetch: func() []float32 {
				mean, _ := adam.Moments(p.Name)
				return mean
			}},
			weights.Tensor{Name: secondMoment + p.Name, Shape: p.Shape, Fetch: func() []float32 {
				_, square := adam.Moments(p.Name)
				return square
			}})
	}
	return tensors
}

// saveCheckpoint writes the checkpoint of s, which is so many steps into the open epoch. trained are
// the parameters that adam steps.
func saveCheckpoint(dir string, s state, steps int, w *train.Weights, adam *train.Adam, trained []*graph.Param) error {
	position, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the state of %s: %w", dir, err)
	}
	path := filepath.Join(dir, fmt.Sprintf(checkpointFormat, s.Epochs, steps))
	tensors := append(networkTensors(w), momentTensors(adam, trained)...)
	return writeTensors(path, tensors, map[string]string{stateKey: string(position)})
}

// checkpoint is a file of that name.
type checkpoint struct {
	path          string
	epochs, steps int // epochs that are closed, steps of the open one
}

// checkpoints lists the checkpoints in dir, the newest first.
func checkpoints(dir string) ([]checkpoint, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []checkpoint
	for _, e := range entries {
		c := checkpoint{path: filepath.Join(dir, e.Name())}
		if _, err := fmt.Sscanf(e.Name(), checkpointFormat, &c.epochs, &c.steps); err != nil ||
			e.Name() != fmt.Sprintf(checkpointFormat, c.epochs, c.steps) {
			continue
		}
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b checkpoint) int {
		return cmp.Or(cmp.Compare(b.epochs, a.epochs), cmp.Compare(b.steps, a.steps))
	})
	return found, nil
}

// prune leaves the newest checkpoints, and those at the end of every so many epochs; 0: of none.
// What a kill between two removals has left of others goes, too.
func prune(dir string, newest, every int) error {
	found, err := checkpoints(dir)
	if err != nil {
		return err
	}
	for i, c := range found {
		if i < newest || every > 0 && c.epochs > 0 && c.epochs%every == 0 && c.steps == 0 {
			continue
		}
		if err := os.Remove(c.path); err != nil {
			return err
		}
	}
	return removeOrphans(dir)
}

// removeOrphans removes the digests of files that are not there.
func removeOrphans(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Name()] = true
	}
	var failed []error
	for name := range there {
		if file, ok := strings.CutSuffix(name, digestSuffix); ok && !there[file] {
			failed = append(failed, os.Remove(filepath.Join(dir, name)))
		}
	}
	return errors.Join(failed...)
}

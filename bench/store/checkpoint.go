package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/bench/weights"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

const (
	checkpointFormat = "checkpoint-epoch%04d-step%06d.safetensors" // epochs that are closed, steps of the open one
	checkpointScan   = "checkpoint-epoch%d-step%d.safetensors"     // to read a name: a width would bound its digits
	brokenSuffix     = ".broken"                                   // a checkpoint whose digest does not fit

	// Tensors in a checkpoint beside the network's own: Adam's mean and squared mean of a gradient.
	firstMoment, secondMoment = "adam.m/", "adam.v/"

	stateKey = "reidbench.state"
)

// A Position is where a training stands, besides its tensors.
type Position struct {
	Steps  int `json:"steps"`  // done, both stages together
	Epochs int `json:"epochs"` // closed: logged, and evaluated if that was due

	// Seed is the random state: the order of the images, their flips and the dropout masks are
	// functions of it, of the epoch and of the step.
	Seed uint64 `json:"seed"`

	// Of the open epoch.
	Loss    float64 `json:"loss"` // the sum over its images
	Images  int     `json:"images"`
	Correct int     `json:"correct"`

	AdamSteps int `json:"adam_steps"`
	// FirstLoss and LastLoss are those of the first and of the last step's batch.
	FirstLoss float64          `json:"first_loss,omitempty"`
	LastLoss  float64          `json:"last_loss,omitempty"`
	Initial   *results.Metrics `json:"initial,omitempty"` // before the first step
	Final     *results.Metrics `json:"final,omitempty"`   // the last evaluation
	Best      *results.Best    `json:"best,omitempty"`
	LogBytes  int64            `json:"log_bytes"`

	// What was seen: digests of the decoded images.
	Trained string `json:"trained_images"`
	Judged  string `json:"judged_images,omitempty"` // "" before the first evaluation
}

// momentTensors are the moments of the parameters that an optimiser steps.
func momentTensors(optimizer *train.Optimizer, trained []*graph.Param) []weights.Tensor {
	var tensors []weights.Tensor
	for _, p := range trained {
		tensors = append(tensors,
			weights.Tensor{Name: firstMoment + p.Name, Shape: p.Shape, Fetch: func() []float32 {
				mean, _ := optimizer.Moments(p.Name)
				return mean
			}},
			weights.Tensor{Name: secondMoment + p.Name, Shape: p.Shape, Fetch: func() []float32 {
				_, square := optimizer.Moments(p.Name)
				return square
			}})
	}
	return tensors
}

// SaveCheckpoint writes the checkpoint of a position that is steps into the open epoch. trained are
// the parameters that it steps.
func (f Folder) SaveCheckpoint(
	p Position, steps int, w *train.Weights, optimizer *train.Optimizer, trained []*graph.Param,
) error {
	position, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode the state of %s: %w", f.Dir, err)
	}
	path := f.path(fmt.Sprintf(checkpointFormat, p.Epochs, steps))
	tensors := append(networkTensors(w), momentTensors(optimizer, trained)...)
	return writeTensors(path, tensors, map[string]string{stateKey: string(position)})
}

// A CheckpointFile is a checkpoint as its name tells.
type CheckpointFile struct {
	Path          string
	Epochs, Steps int // epochs that are closed, steps of the open one
}

// Checkpoints lists the folder's checkpoints, the newest first.
func (f Folder) Checkpoints() ([]CheckpointFile, error) {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, err
	}
	var found []CheckpointFile
	for _, e := range entries {
		c := CheckpointFile{Path: f.path(e.Name())}
		if _, err := fmt.Sscanf(e.Name(), checkpointScan, &c.Epochs, &c.Steps); err != nil ||
			e.Name() != fmt.Sprintf(checkpointFormat, c.Epochs, c.Steps) {
			continue
		}
		found = append(found, c)
	}
	slices.SortFunc(found, func(a, b CheckpointFile) int {
		return cmp.Or(cmp.Compare(b.Epochs, a.Epochs), cmp.Compare(b.Steps, a.Steps))
	})
	return found, nil
}

// Prune leaves the newest checkpoints, as many as newest says, and those at the end of each every-th epoch; 0: none of
// these. What a kill between two removals has left of others goes, too.
func (f Folder) Prune(newest, every int) error {
	found, err := f.Checkpoints()
	if err != nil {
		return err
	}
	for i, c := range found {
		if i < newest || every > 0 && c.Epochs > 0 && c.Epochs%every == 0 && c.Steps == 0 {
			continue
		}
		if err := os.Remove(c.Path); err != nil {
			return err
		}
	}
	return f.removeOrphans()
}

// removeOrphans removes the digests of files that are not there.
func (f Folder) removeOrphans() error {
	entries, err := os.ReadDir(f.Dir)
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
			failed = append(failed, os.Remove(f.path(name)))
		}
	}
	return errors.Join(failed...)
}

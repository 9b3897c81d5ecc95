package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// dataset is what all jobs of a run train on and are judged by.
type dataset struct {
	*market1501.Dataset
	matched int // queries with a match in the gallery
	record  results.Dataset
	report  func(progress.Event)

	mu     sync.Mutex
	train  map[graph.Shape]trainSplit // decoded, by size
	shared *market1501.Overlap        // of the splits; nil: not known yet
	warned map[string]bool
}

// trainSplit is the decoded train split.
type trainSplit struct {
	*market1501.Images
	seen *market1501.Decoded
}

// openDataset opens the dataset in dir; where dir is empty, the synthetic one of that
// size and seed below out, which is drawn first if it is not there. A dataset by which
// nothing can be judged is an error that wraps [market1501.ErrNoMatch].
func openDataset(
	ctx context.Context, opener market1501.Opener, dir, out string, size recipe.SyntheticSize, seed uint64,
	report func(progress.Event),
) (*dataset, error) {
	synthetic := dir == ""
	if synthetic {
		dir = filepath.Join(out, size.Folder(seed))
		if err := synthesizeOnce(ctx, dir, size, seed, report); err != nil {
			return nil, err
		}
	}
	opened, err := opener.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	matched := opened.Matched()
	if matched == 0 {
		return nil, fmt.Errorf("open dataset %s: %w: of none of %d queries another camera has an image there", dir,
			market1501.ErrNoMatch, len(opened.Query.Entries))
	}
	fingerprint, err := opened.Fingerprint(ctx)
	if err != nil {
		return nil, err
	}
	d := &dataset{
		Dataset: opened, matched: matched,
		record: results.Dataset{
			Name:        opened.Name,
			Layout:      opened.Layout,
			Fingerprint: fingerprint,
			Synthetic:   synthetic,
			Identities:  opened.Classes,
			Train:       len(opened.Train.Entries),
			Query:       len(opened.Query.Entries),
			Gallery:     len(opened.Gallery.Entries),
		},
		report: report,
		train:  map[graph.Shape]trainSplit{},
		warned: map[string]bool{},
	}
	d.warn(opened.Warnings())
	if clutter := opened.Clutter(); clutter != "" {
		report(progress.Event{Kind: progress.Noted, Text: clutter})
	}
	return d, nil
}

// synthesizeOnce draws the dataset unless it is there.
func synthesizeOnce(
	ctx context.Context, dir string, size recipe.SyntheticSize, seed uint64, report func(progress.Event),
) (err error) {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	report(progress.Event{Kind: progress.Noted, Text: fmt.Sprintf("no dataset given: drawing %d images each of %d "+
		"synthetic pedestrians into %s",
		size.Images, size.IDs, dir)})
	err = market1501.Synthesize(ctx, market1501.SynthConfig{
		Dir: dir, IDs: size.IDs, TestIDs: size.TestIDs, ImagesPerID: size.Images, Seed: seed,
	})
	if errors.Is(err, market1501.ErrExists) {
		return nil // another process was faster; same seed, same bytes
	}
	return err
}

// warn reports each sentence once.
func (d *dataset) warn(sentences []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range sentences {
		if !d.warned[s] {
			d.warned[s] = true
			d.report(progress.Event{Kind: progress.Warned, Text: s})
		}
	}
}

// trainImages decodes the train split once per size.
func (d *dataset) trainImages(ctx context.Context, size graph.Shape, workers int) (trainSplit, error) {
	d.mu.Lock()
	images, decoded := d.train[size]
	var err error
	if !decoded {
		images.Images, err = d.Train.Load(ctx, market1501.LoadConfig{Height: size.H, Width: size.W, Workers: workers})
		if err == nil {
			images.seen = market1501.NewDecoded()
			images.seen.Add(images.Images)
			d.train[size] = images
		}
	}
	d.mu.Unlock()
	if err != nil {
		return trainSplit{}, err
	}
	d.warn(images.Warnings())
	return images, nil
}

// overlap looks once for training images in query and gallery, and warns of them.
func (d *dataset) overlap(ctx context.Context, workers int) (market1501.Overlap, error) {
	d.mu.Lock()
	var err error
	if d.shared == nil {
		var found market1501.Overlap
		if found, err = d.Overlap(ctx, workers); err == nil {
			d.shared = &found
		}
	}
	shared := d.shared
	d.mu.Unlock()
	if err != nil {
		return market1501.Overlap{}, err
	}
	d.warn(shared.Warnings())
	return *shared, nil
}

// verify is an error that wraps [store.ErrDatasetChanged] if files are gone or have another size than when the
// dataset was opened. f is the folder of the job that asks.
func (d *dataset) verify(ctx context.Context, f store.Folder) error {
	switch fingerprint, err := d.Fingerprint(ctx); {
	case errors.Is(err, fs.ErrNotExist), err == nil && fingerprint != d.record.Fingerprint:
		return f.DatasetChanged(d.Dataset)
	default:
		return err
	}
}

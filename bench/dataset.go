package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// dataset is what all jobs of a run train on and are judged by.
type dataset struct {
	*market1501.Dataset
	record results.Dataset
	report func(Event)

	mu     sync.Mutex
	train  map[graph.Shape]*market1501.Images // decoded, by size
	warned map[string]bool
}

// openDataset opens the dataset in dir; where dir is empty, the synthetic one of that
// size and seed below out, which is drawn first if it is not there.
func openDataset(ctx context.Context, dir, out string, size SyntheticSize, seed uint64, report func(Event)) (*dataset, error) {
	synthetic := dir == ""
	if synthetic {
		dir = filepath.Join(out, fmt.Sprintf("synthetic-%d+%dx%d-seed%d", size.IDs-size.TestIDs, size.TestIDs, size.Images, seed))
		if err := synthesizeOnce(ctx, dir, size, seed, report); err != nil {
			return nil, err
		}
	}
	opened, err := market1501.Open(dir)
	if err != nil {
		return nil, err
	}
	fingerprint, err := opened.Fingerprint()
	if err != nil {
		return nil, err
	}
	d := &dataset{
		Dataset: opened,
		record: results.Dataset{
			Name:        filepath.Base(opened.Root),
			Fingerprint: fingerprint,
			Synthetic:   synthetic,
			Identities:  opened.Classes,
			Train:       len(opened.Train.Entries),
			Query:       len(opened.Query.Entries),
			Gallery:     len(opened.Gallery.Entries),
		},
		report: report,
		train:  map[graph.Shape]*market1501.Images{},
		warned: map[string]bool{},
	}
	d.warn(opened.Warnings())
	return d, nil
}

// synthesizeOnce draws the dataset unless it is there.
func synthesizeOnce(ctx context.Context, dir string, size SyntheticSize, seed uint64, report func(Event)) (err error) {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	report(Event{Kind: Noted, Text: fmt.Sprintf("no dataset given: drawing %d images each of %d synthetic pedestrians into %s",
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
			d.report(Event{Kind: Warned, Text: s})
		}
	}
}

// trainImages decodes the train split once per size.
func (d *dataset) trainImages(ctx context.Context, size graph.Shape, workers int) (*market1501.Images, error) {
	d.mu.Lock()
	images := d.train[size]
	var err error
	if images == nil {
		images, err = d.Train.Load(ctx, market1501.LoadConfig{Height: size.H, Width: size.W, Workers: workers})
		if err == nil {
			d.train[size] = images
		}
	}
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	d.warn(images.Warnings())
	return images, nil
}

// chunk is how many images of a split are decoded at a time for evaluation, at most: 50 MB
// at 256×128, where Market-1501's whole gallery would be 1.5 GB.
const chunk = 512

// chunkOf divides n images into equal chunks: one that is only a few images, all of them
// broken, would be taken for a broken split.
func chunkOf(n int) int {
	chunks := (n + chunk - 1) / chunk
	return (n + chunks - 1) / chunks
}

// embed runs every image of a split through an inference program.
func (d *dataset) embed(ctx context.Context, s *market1501.Split, g *graph.Graph, p *train.Program, threads int) (*market1501.Features, error) {
	var all *market1501.Features
	n, size := len(s.Entries), g.Input.Shape
	for from := 0; from < n; from += chunkOf(n) {
		part := s.Range(from, min(from+chunkOf(n), n))
		images, err := part.Load(ctx, market1501.LoadConfig{Height: size.H, Width: size.W, Workers: threads})
		if err != nil {
			return nil, err
		}
		d.warn(images.Warnings())
		features, err := embedImages(ctx, images, g, p)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = features
		} else if err := all.Append(features); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func embedImages(ctx context.Context, images *market1501.Images, g *graph.Graph, p *train.Program) (*market1501.Features, error) {
	features := market1501.NewFeatures(images, g.Features.Shape.C)
	batcher, err := market1501.NewEvalBatcher(images, p.Batch())
	if err != nil {
		return nil, err
	}
	at := 0
	for batch := range batcher.Batches() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := batcher.Fill(p.Images(), nil, 0, batch)
		p.Forward(n)
		at += copy(features.Values[at:], p.Features(n))
	}
	return features, nil
}

// evaluation is the protocol's outcome and the features that it was judged by.
type evaluation struct {
	result         market1501.Result
	query, gallery *market1501.Features
}

// evaluate embeds query and gallery and judges them.
func (d *dataset) evaluate(ctx context.Context, g *graph.Graph, p *train.Program, threads int) (evaluation, error) {
	query, err := d.embed(ctx, &d.Query, g, p, threads)
	if err != nil {
		return evaluation{}, err
	}
	gallery, err := d.embed(ctx, &d.Gallery, g, p, threads)
	if err != nil {
		return evaluation{}, err
	}
	result, err := market1501.Evaluate(ctx, query, gallery, market1501.EvalConfig{Threads: threads})
	return evaluation{result, query, gallery}, err
}

// metrics is the outcome as it stands in records.
func (e evaluation) metrics() *results.Metrics {
	r := e.result
	return &results.Metrics{Rank1: r.Rank(1), Rank5: r.Rank(5), Rank10: r.Rank(10), MAP: r.MAP, MINP: r.MINP, CMC: r.CMC[:]}
}

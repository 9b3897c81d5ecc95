package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/reidbench/reidbench/bench/focus"
	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// LookConfig says which network is to be looked at.
type LookConfig struct {
	Model   models.Model
	Weights string // a file of weights: safetensors or PyTorch's .pth
	Source  WeightsSource
	Threads int // 0: one per CPU
}

// lookBatch bounds the memory that the attention of large transformers takes: all blocks' is kept.
const lookBatch = 8

// Look fills in where the network looks in every image of ranked lists. The images are those of the dataset.
func Look(ctx context.Context, c LookConfig, d *market1501.Dataset, r *results.Rankings) error {
	c.Threads = machine.Threads(c.Threads)
	network, err := c.Source.network(c.Model, c.Weights, 0, progress.Silent{})
	if err != nil {
		return err
	}
	sight, err := focus.New(network.graph)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, list := range r.Lists {
		named[list.Query.File] = true
		for _, n := range list.Nearest {
			named[n.File] = true
		}
	}
	size := network.graph.Input.Shape
	images, err := selected(d, named).Load(ctx,
		market1501.LoadConfig{Height: size.H, Width: size.W, Workers: c.Threads})
	if err != nil {
		return err
	}
	maps, err := network.look(ctx, sight, images, c.Threads)
	if err != nil {
		return err
	}
	for file := range named {
		if maps[file] == nil {
			return fmt.Errorf("where %s looks in %s: %w", c.Model.Name, file, errNoPicture)
		}
	}
	for i := range r.Lists {
		list := &r.Lists[i]
		list.Heatmap = maps[list.Query.File]
		for k := range list.Nearest {
			list.Nearest[k].Heatmap = maps[list.Nearest[k].File]
		}
	}
	r.Heatmaps = string(sight.Method)
	return nil
}

var errNoPicture = errors.New("the dataset has no such image that decodes")

// selected is a split of the images of a dataset that are named.
func selected(d *market1501.Dataset, named map[string]bool) *market1501.Split {
	all := d.Query
	all.Entries = nil
	for _, split := range d.Splits() {
		for _, entry := range split.Entries {
			if named[entry.Path] {
				all.Entries = append(all.Entries, entry)
			}
		}
	}
	return all.Range(0, len(all.Entries))
}

// look makes the maps of images, by their names.
func (a *adoption) look(
	ctx context.Context, sight *focus.Focus, images *market1501.Images, threads int,
) (map[string]*results.Heatmap, error) {
	options := train.Options{Batch: min(images.Len(), lookBatch), Outputs: sight.Needs}
	program, release, err := a.compile(ctx, options, threads)
	if err != nil {
		return nil, err
	}
	defer release()
	batches, err := market1501.NewEvalBatcher(images, program.Batch())
	if err != nil {
		return nil, err
	}
	if a.view != (market1501.View{}) {
		batches.See(a.view)
	}
	maps := map[string]*results.Heatmap{}
	for batch := range batches.Batches() {
		n := batches.Fill(program.Images(), nil, 0, batch)
		if program.Forward(n); program.CutShort() {
			return nil, ctx.Err()
		}
		made := make([]*results.Heatmap, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				values := sight.Map(func(node *graph.Node) []float32 {
					return program.Output(node, n)[i*node.Shape.Size():][:node.Shape.Size()]
				})
				made[i] = &results.Heatmap{Height: sight.Height, Width: sight.Width, Values: values}
			})
		}
		group.Wait()
		for _, m := range made {
			maps[images.Name(len(maps))] = m // batches keep the order
		}
	}
	return maps, nil
}

package bench

import (
	"context"
	"fmt"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
)

// EmbedConfig says by what images are embedded.
type EmbedConfig struct {
	Model   models.Model
	Weights string // a file of weights: safetensors or PyTorch's .pth
	Source  WeightsSource
	Flip    bool // take the mean of the features of an image and of its mirror image
	Batch   int  // images; 0: recipe.DefaultBatch
	Threads int  // 0: one per CPU

	Progress progress.Reporter     // of what is to be said about the weights
	Count    func(done, total int) // called after every batch; may be nil
}

// Embedded are the features of a list of images, but for those that cannot be decoded.
type Embedded struct {
	Features *market1501.Features
	Places   []int                    // of the features in the list
	Broken   []market1501.BrokenImage // in the order of the list
}

// Embed makes the features of lists of images by a file of weights. A list that has not one image that can be decoded
// is an error.
func Embed(ctx context.Context, c EmbedConfig, lists ...*market1501.Split) ([]Embedded, error) {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	c.Threads = machine.Threads(c.Threads)
	if c.Batch < 1 {
		c.Batch = recipe.DefaultBatch
	}
	done, total := 0, 0
	for _, list := range lists {
		if len(list.Entries) == 0 {
			return nil, fmt.Errorf("embed images: %w: none is named", market1501.ErrEmptySplit)
		}
		total += len(list.Entries)
	}
	network, err := c.Source.network(c.Model, c.Weights, 0, c.Progress)
	if err != nil {
		return nil, err
	}
	program, release, err := network.program(ctx, min(c.Batch, total), c.Threads)
	if err != nil {
		return nil, err
	}
	defer release()
	e := embedder{network.graph, program, c.Flip, c.Threads, network.view, func([]string) {}, func(images int) {
		if done += images; c.Count != nil {
			c.Count(done, total)
		}
	}}
	var all []Embedded
	for _, list := range lists {
		seen := market1501.NewDecoded()
		features, err := e.embed(ctx, list, seen)
		if err != nil {
			return nil, err
		}
		all = append(all, placed(list, features, seen.Splits[0].LeftOut))
	}
	return all, nil
}

// placed finds the features' places in the list: the order is the same.
func placed(list *market1501.Split, features *market1501.Features, broken []market1501.BrokenImage) Embedded {
	e := Embedded{Features: features, Broken: broken}
	for i, entry := range list.Entries {
		if at := len(e.Places); at < features.Len() && features.Names[at] == entry.Path {
			e.Places = append(e.Places, i)
		}
	}
	return e
}

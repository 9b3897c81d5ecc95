package bench

import (
	"context"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models/graph"
)

// embedder makes features of images.
type embedder struct {
	graph    *graph.Graph
	program  *train.Program // for inference
	flip     bool           // take the mean of the features of an image and of its mirror image
	threads  int
	view     market1501.View // zero: ImageNet
	warn     func(sentences []string)
	progress func(images int) // was told of so many more
}

// embed runs every image of a split through the program, and adds it to seen.
func (e *embedder) embed(
	ctx context.Context, s *market1501.Split, seen *market1501.Decoded,
) (*market1501.Features, error) {
	var all *market1501.Features
	n, size := len(s.Entries), e.graph.Input.Shape
	for from := 0; from < n; from += chunkOf(n) {
		part := s.Range(from, min(from+chunkOf(n), n))
		images, err := part.Load(ctx, market1501.LoadConfig{Height: size.H, Width: size.W, Workers: e.threads})
		if err != nil {
			return nil, err
		}
		e.warn(images.Warnings())
		seen.Add(images)
		features, err := e.embedImages(ctx, images)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = features
		} else if err := all.Append(features); err != nil {
			return nil, err
		}
	}
	return all, seen.Splits[len(seen.Splits)-1].Err()
}

func (e *embedder) embedImages(ctx context.Context, images *market1501.Images) (*market1501.Features, error) {
	features := market1501.NewFeatures(images, e.graph.Features.Shape.C)
	straight, err := market1501.NewEvalBatcher(images, e.program.Batch())
	if err != nil {
		return nil, err
	}
	if e.view != (market1501.View{}) {
		straight.See(e.view)
	}
	mirrored, at := straight.Mirrored(), 0
	for batch := range straight.Batches() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := straight.Fill(e.program.Images(), nil, 0, batch)
		if e.program.Forward(n); e.program.CutShort() {
			return nil, ctx.Err()
		}
		values := features.Values[at:]
		at += copy(values, e.program.Features(n))
		if e.flip {
			mirrored.Fill(e.program.Images(), nil, 0, batch)
			if e.program.Forward(n); e.program.CutShort() {
				return nil, ctx.Err()
			}
			for i, v := range e.program.Features(n) {
				values[i] = (values[i] + v) / 2
			}
		}
		e.progress(n)
	}
	return features, nil
}

// chunk is how many images of a split are decoded at a time for evaluation, at most: 50 MB
// at 256×128, where Market-1501's whole gallery would be 1.5 GB.
const chunk = 512

// chunkOf divides n images into equal chunks.
func chunkOf(n int) int {
	chunks := (n + chunk - 1) / chunk
	return (n + chunks - 1) / chunks
}

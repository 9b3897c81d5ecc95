package bench

import (
	"context"
	"fmt"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// JudgeFeatures judges a file of features, as [Evaluate] writes it: what its queries have found, and the images of its
// gallery. The protocol's flip has no part in it.
func JudgeFeatures(
	ctx context.Context, file string, protocol recipe.Protocol, threads int,
) (queries results.Queries, gallery []results.Image, err error) {
	if err := protocol.Rerank.Validate(); err != nil {
		return nil, nil, err
	}
	var e evaluation
	if e.query, e.gallery, err = market1501.ReadFeatures(file); err != nil {
		return nil, nil, err
	}
	if err := e.judge(ctx, protocol, threads); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	for i := range e.gallery.Len() {
		gallery = append(gallery, imageOf(e.gallery, i))
	}
	return e.queries(), gallery, nil
}

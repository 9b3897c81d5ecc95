package bench

import (
	"context"
	"fmt"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
	"github.com/reidbench/reidbench/results/grammar"
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

// ForeignFiles is what another program's features were.
type ForeignFiles struct {
	Query   string   `json:"query"`
	Gallery string   `json:"gallery,omitempty"` // absent: one file has both
	Names   []string `json:"names,omitempty"`
	Layout  string   `json:"layout,omitempty"`
	Values  int      `json:"values"`         // per image
	Queries int      `json:"query_images"`   // that were judged or skipped
	Images  int      `json:"gallery_images"` // that were ranked
}

// Referee judges features that any program has made as [Evaluate] judges a file of weights: nothing is embedded, and of
// c the protocol, what is to be written, and threads are of interest. The protocol's flip has no part in it. Its errors
// are those of [market1501.ForeignFeatures.Read] and [market1501.Evaluate].
func Referee(ctx context.Context, from market1501.ForeignFeatures, c EvaluateConfig) (Evaluation, error) {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	c.Threads = machine.Threads(c.Threads)
	if err := c.Protocol.Rerank.Validate(); err != nil {
		return Evaluation{}, err
	}
	read, err := from.Read(ctx)
	if err != nil {
		return Evaluation{}, err
	}
	note := func(n int, what string) {
		if n > 0 {
			text := fmt.Sprintf("%s of %s left out", grammar.Count(n, "image", "images"), what)
			c.Progress.Report(progress.Event{Kind: progress.Noted, Text: text})
		}
	}
	note(read.Junk, "pid -1, which is junk,")
	note(read.NoQueries, "pid 0, which is no identity, among the queries")
	e := evaluation{query: read.Query, gallery: read.Gallery}
	if err := e.judge(ctx, c.Protocol, c.Threads); err != nil {
		return Evaluation{}, fmt.Errorf("%s: %w", from.Query, err)
	}
	for _, why := range collapse(e.result) {
		c.Progress.Report(progress.Event{Kind: progress.Warned, Text: why})
	}
	report, err := e.report(ctx, c)
	report.Foreign = &ForeignFiles{
		Query: from.Query, Gallery: from.Gallery, Names: from.Names, Layout: read.Layout,
		Values: read.Query.Dim, Queries: read.Query.Len(), Images: read.Gallery.Len(),
	}
	return report, err
}

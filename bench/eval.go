package bench

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/reidbench/reidbench/bench/machine"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// EvaluateConfig says what to judge.
type EvaluateConfig struct {
	Model    models.Model
	Weights  string // a file of weights: safetensors or PyTorch's .pth
	Source   WeightsSource
	Data     string // a dataset's folder, or a list of images; it needs no training images
	Layout   string // of the dataset's names, as [market1501.Opener] takes it; "": the one that most have
	Protocol recipe.Protocol
	Features string    // where to write every image's embedding as CSV; "": nowhere
	Queries  string    // where to write what each query has found, as [results.WriteQueries] does; "": nowhere
	Verify   bool      // pairs of images, too, by plain distances
	FPR      []float64 // the rates of false acceptance that thresholds are wanted for
	Batch    int       // images; 0: recipe.DefaultBatch
	Threads  int       // 0: one per CPU
	Progress progress.Reporter
}

// Evaluation is the protocol's outcome for a file of weights, or for features that another program has made.
type Evaluation struct {
	Model    string          `json:"model,omitempty"`
	Weights  string          `json:"weights,omitempty"`
	Dataset  results.Dataset `json:"dataset,omitzero"`
	Images   *results.Images `json:"images,omitempty"`
	Foreign  *ForeignFiles   `json:"from_features,omitempty"` // in place of all these
	Protocol recipe.Protocol `json:"protocol,omitzero"`       // absent: as published
	Metrics  results.Metrics `json:"metrics"`
	Queries  int             `json:"queries"` // that were averaged
	Skipped  int             `json:"skipped"` // queries without a match in the gallery

	Verification *Verification `json:"verification,omitempty"` // if it was asked for
}

// Evaluate judges a file of weights by the Market-1501 protocol, nothing is trained. A
// classifier of another number of identities than the dataset's is left out, which a Noted
// event says; any other difference between file and network is an error. Figures of the
// weights of a run are kept in its folder, as a [results.Domain].
func Evaluate(ctx context.Context, c EvaluateConfig) (Evaluation, error) {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	e, err := c.evaluateWeights(ctx)
	if err != nil {
		return Evaluation{}, err
	}
	run, err := runOf(c.Model, c.Weights)
	if err != nil {
		return e, err
	}
	return e, c.keep(e, run)
}

// evaluateWeights is Evaluate, but that nothing is kept.
func (c EvaluateConfig) evaluateWeights(ctx context.Context) (Evaluation, error) {
	judged, data, err := c.evaluate(ctx)
	if err != nil {
		return Evaluation{}, err
	}
	overlap, err := data.overlap(ctx, c.Threads)
	if err != nil {
		return Evaluation{}, err
	}
	e, err := judged.report(ctx, c)
	if err != nil {
		return Evaluation{}, err
	}
	e.Model, e.Weights = c.Model.Name, filepath.Base(c.Weights)
	e.Dataset, e.Images = data.record, imagesSeen(data, nil, judged.seen, overlap)
	return e, nil
}

// report writes the files that are asked for, and says what the figures are.
func (e evaluation) report(ctx context.Context, c EvaluateConfig) (Evaluation, error) {
	if c.Features != "" {
		if err := market1501.WriteFeatures(c.Features, e.query, e.gallery); err != nil {
			return Evaluation{}, err
		}
	}
	if c.Queries != "" {
		if err := results.WriteQueries(c.Queries, e.queries()); err != nil {
			return Evaluation{}, err
		}
	}
	var verification *Verification
	if c.Verify {
		var err error
		if verification, err = e.verify(ctx, c.Protocol.Metric, c.FPR, c.Threads); err != nil {
			return Evaluation{}, err
		}
	}
	return Evaluation{
		Verification: verification, Protocol: c.Protocol, Metrics: *e.finalMetrics(),
		Queries: e.result.Queries, Skipped: e.result.Skipped,
	}, nil
}

// evaluate embeds the dataset's images by the file of weights and has them judged.
func (c EvaluateConfig) evaluate(ctx context.Context) (evaluation, *dataset, error) {
	if c.Progress == nil {
		c.Progress = progress.Silent{}
	}
	c.Threads = machine.Threads(c.Threads)
	if c.Batch < 1 {
		c.Batch = recipe.DefaultBatch
	}
	if c.Data == "" {
		return evaluation{}, nil, fmt.Errorf("evaluate %s: no dataset is named", c.Model.Name)
	}
	opener := market1501.Opener{Layout: c.Layout, TestOnly: true}
	data, err := openDataset(ctx, opener, c.Data, "", recipe.SyntheticSize{}, 0, c.Progress.Report)
	if err != nil {
		return evaluation{}, nil, err
	}
	if err := c.Protocol.Rerank.Validate(); err != nil {
		return evaluation{}, nil, err
	}
	network, err := c.Source.network(c.Model, c.Weights, max(data.Classes, 1), c.Progress)
	if err != nil {
		return evaluation{}, nil, err
	}
	program, release, err := network.program(ctx, c.Batch, c.Threads)
	if err != nil {
		return evaluation{}, nil, err
	}
	defer release()
	judged, err := (&judge{data, network.graph, program, c.Protocol, c.Threads, network.view}).evaluate(ctx)
	if err == nil {
		data.warn(collapse(judged.result))
	}
	return judged, data, err
}

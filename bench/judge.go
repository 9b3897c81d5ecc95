package bench

import (
	"context"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

// judge embeds images and has them judged.
type judge struct {
	data     *dataset
	graph    *graph.Graph
	program  *train.Program // for inference
	protocol recipe.Protocol
	threads  int
	view     market1501.View // zero: ImageNet
}

// evaluation is the protocol's outcome, the features that it was judged by, and what their images were.
type evaluation struct {
	result         market1501.Result
	scores         []market1501.Score // of every query
	reranked       *market1501.Result // nil: not re-ranked
	rerankedScores []market1501.Score
	query, gallery *market1501.Features
	seen           *market1501.Decoded
	trapezoid      bool // is asked for
}

// evaluate embeds query and gallery and judges them.
func (j *judge) evaluate(ctx context.Context) (e evaluation, err error) {
	e.seen = market1501.NewDecoded()
	if e.query, err = j.embed(ctx, &j.data.Query, e.seen); err != nil {
		return e, err
	}
	if e.gallery, err = j.embed(ctx, &j.data.Gallery, e.seen); err != nil {
		return e, err
	}
	return e, e.judge(ctx, j.protocol, j.threads)
}

// collapse warns of features that hardly tell images apart.
func collapse(r market1501.Result) []string {
	if why := results.Collapsed(r.Tied); why != "" {
		return []string{"the features have collapsed: " + why}
	}
	return nil
}

// judge makes the outcome of the features.
func (e *evaluation) judge(ctx context.Context, p recipe.Protocol, threads int) (err error) {
	e.trapezoid = p.Trapezoid
	config := market1501.EvalConfig{Metric: p.Metric, Threads: threads}
	if e.result, e.scores, err = e.compare(ctx, config); err != nil {
		return err
	}
	if config.Rerank = p.Rerank; config.Rerank != (market1501.Rerank{}) {
		e.reranked = new(market1501.Result)
		*e.reranked, e.rerankedScores, err = e.compare(ctx, config)
	}
	return err
}

// compare ranks the gallery by its features for every query.
func (e *evaluation) compare(
	ctx context.Context, config market1501.EvalConfig,
) (result market1501.Result, scores []market1501.Score, err error) {
	if scores, err = market1501.Scores(ctx, e.query, e.gallery, config); err != nil {
		return result, nil, err
	}
	result, err = market1501.Summarise(scores)
	return result, scores, err
}

// embed runs every image of a split through the program, and adds it to seen.
func (j *judge) embed(
	ctx context.Context, s *market1501.Split, seen *market1501.Decoded,
) (*market1501.Features, error) {
	e := embedder{j.graph, j.program, j.protocol.Flip, j.threads, j.view, j.data.warn, func(int) {}}
	return e.embed(ctx, s, seen)
}

// queries are what each of them has found.
func (e evaluation) queries() results.Queries {
	queries := make(results.Queries, len(e.scores))
	for i, s := range e.scores {
		queries[i] = results.Query{Image: imageOf(e.query, i), Outcome: outcomeOf(s)}
		if e.reranked != nil {
			o := outcomeOf(e.rerankedScores[i])
			queries[i].Reranked = &o
		}
	}
	return queries
}

func outcomeOf(s market1501.Score) results.Outcome {
	return results.Outcome{AP: s.AP, INP: s.INP, FirstRank: s.FirstRank}
}

// finalMetrics is the outcome of a last evaluation: metrics with their intervals and the share of ties.
func (e evaluation) finalMetrics() *results.Metrics {
	m, queries := e.metrics(), e.queries()
	m.Tied, m.Intervals = e.result.Tied, queries.Intervals()
	if m.Reranked != nil {
		m.Reranked.Intervals = queries.RerankedIntervals()
	}
	return m
}

// metrics is the outcome as it stands in records.
func (e evaluation) metrics() *results.Metrics {
	m := e.metricsOf(&e.result)
	if e.reranked != nil {
		m.Reranked = e.metricsOf(e.reranked)
	}
	return m
}

func (e evaluation) metricsOf(r *market1501.Result) *results.Metrics {
	m := &results.Metrics{
		Rank1: r.Rank(1), Rank5: r.Rank(5), Rank10: r.Rank(10), MAP: r.MAP, MINP: r.MINP, CMC: r.CMC[:],
	}
	if e.trapezoid {
		m.TrapezoidMAP = r.TrapezoidMAP
	}
	return m
}

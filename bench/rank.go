package bench

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// Choice says which queries' ranked lists are taken, by average precision.
type Choice string

// The choices.
const (
	ChooseSpread Choice = "spread" // from the best to the worst at even steps; of three, the middle one is the median
	ChooseBest   Choice = "best"
	ChooseWorst  Choice = "worst"
	ChooseFirst  Choice = "first" // as they stand in the dataset
)

// Choices lists the choices.
func Choices() []Choice { return []Choice{ChooseSpread, ChooseBest, ChooseWorst, ChooseFirst} }

// RankConfig says whose ranked lists to make.
type RankConfig struct {
	EvaluateConfig
	Choice  Choice
	Queries int  // 0: all
	Top     int  // gallery images in a list
	Heatmap bool // say where the network looks in every image of the lists
}

// Rank makes ranked lists by a file of weights, by the protocol that [Evaluate] judges by and with its errors.
func Rank(ctx context.Context, c RankConfig) (results.Rankings, error) {
	e, data, err := c.evaluate(ctx)
	if err != nil {
		return results.Rankings{}, err
	}
	rankings, err := e.rankings(ctx, data, c.Protocol, c.Threads, c.Choice, c.Queries, c.Top)
	rankings.Model, rankings.Dataset = c.Model.Name, data.record.Fingerprint
	if err == nil && c.Heatmap {
		look := LookConfig{Model: c.Model, Weights: c.Weights, Source: c.Source, Threads: c.Threads}
		err = Look(ctx, look, data.Dataset, &rankings)
	}
	return rankings, err
}

// rankings are the lists of some queries.
func (e evaluation) rankings(
	ctx context.Context, d *dataset, p recipe.Protocol, threads int, choice Choice, queries, top int,
) (results.Rankings, error) {
	all, err := market1501.Rank(ctx, e.query, e.gallery,
		market1501.EvalConfig{Metric: p.Metric, Rerank: p.Rerank, Threads: threads}, top)
	if err != nil {
		return results.Rankings{}, err
	}
	r := results.Rankings{Format: results.RankingsFormat, Queries: len(all)}
	chosen, err := choice.choose(all, queries)
	if err != nil {
		return results.Rankings{}, err
	}
	places := byPrecision(all)
	for _, i := range chosen {
		list := results.RankedList{
			Place: slices.Index(places, i) + 1, AP: all[i].AveragePrecision, Matches: all[i].Matches,
			Query: imageOf(e.query, all[i].Query),
		}
		for _, found := range all[i].Nearest {
			list.Nearest = append(list.Nearest, results.Neighbour{
				Image: imageOf(e.gallery, found.Image), Distance: found.Distance, Match: found.Match,
				Distractor: e.gallery.PIDs[found.Image] == market1501.DistractorPID && d.Gallery.Distractors > 0,
			})
		}
		r.Lists = append(r.Lists, list)
	}
	return r, nil
}

// byPrecision are the indices of rankings, the best first; equal ones as they stand.
func byPrecision(all []market1501.Ranking) []int {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order,
		func(i, j int) int { return cmp.Compare(all[j].AveragePrecision, all[i].AveragePrecision) })
	return order
}

// choose returns the indices of the rankings of a number of queries.
func (c Choice) choose(all []market1501.Ranking, queries int) ([]int, error) {
	if queries < 1 || queries > len(all) {
		queries = len(all)
	}
	order := byPrecision(all)
	switch c {
	case ChooseBest:
	case ChooseWorst:
		slices.Reverse(order)
	case ChooseFirst:
		slices.Sort(order)
	case ChooseSpread:
		spread := make([]int, queries)
		for i := range spread {
			spread[i] = order[i*(len(order)-1)/max(queries-1, 1)]
		}
		return spread, nil
	default:
		return nil, fmt.Errorf("no choice of queries is called %q", string(c))
	}
	return order[:queries], nil
}

func imageOf(f *market1501.Features, i int) results.Image {
	return results.Image{File: f.Names[i], PID: f.PIDs[i], CamID: f.CamIDs[i]}
}

// A run leaves the ranked lists of its best, median and worst query, for reports.
const (
	recordedQueries = 3
	recordedTop     = 10
)

// recordQueries writes into the folder of a job what the queries of its last evaluation have found, and the ranked
// lists of some.
func (t *training) recordQueries(ctx context.Context, e evaluation) error {
	r, err := e.rankings(ctx, t.data, t.judge.protocol, t.threads, ChooseSpread, recordedQueries, recordedTop)
	if err != nil {
		return err
	}
	r.Model, r.Dataset = t.id.Model, t.id.Dataset
	if err := t.tenancy.Check(); err != nil {
		return err
	}
	if err := results.WriteQueries(filepath.Join(t.folder.Dir, results.QueriesFile), e.queries()); err != nil {
		return err
	}
	return results.WriteRankings(t.folder.Dir, r)
}

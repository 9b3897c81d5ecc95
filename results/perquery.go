package results

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/reidbench/reidbench/results/statistics"
)

// ErrOtherQueries is wrapped by the error about evaluations that were made with other queries than each other.
var ErrOtherQueries = errors.New("judged by other queries")

// figure is one that the outcome of a query has a part in.
type figure struct {
	title, key string
	of         func(Outcome) float64
	interval   func(*Intervals) *statistics.Interval
}

// figures are those of Intervals, in the order of the printed tables.
var figures = []figure{
	{"Rank-1", "rank1", hitWithin(1), ofRank1},
	{"Rank-5", "rank5", hitWithin(5), func(i *Intervals) *statistics.Interval { return &i.Rank5 }},
	{"Rank-10", "rank10", hitWithin(10), func(i *Intervals) *statistics.Interval { return &i.Rank10 }},
	{"mAP", "map", func(o Outcome) float64 { return o.AP }, ofMAP},
	{"mINP", "minp", func(o Outcome) float64 { return o.INP },
		func(i *Intervals) *statistics.Interval { return &i.MINP }},
}

const mapFigure = 3

func hitWithin(rank int) func(Outcome) float64 {
	return func(o Outcome) float64 {
		if o.FirstRank <= rank {
			return 1
		}
		return 0
	}
}

// perQuery has the figures of each query that has a match, in the order of their files; over several runs their means.
type perQuery struct {
	images  []Image
	values  [][]float64 // [figure][query]
	without []Image     // that have no match
}

// newPerQuery takes evaluations of the same queries. The error wraps ErrOtherQueries.
func newPerQuery(runs []Queries, outcome func(Query) Outcome) (perQuery, error) {
	var p perQuery
	for n, queries := range runs {
		sorted := slices.Clone(queries)
		images := make([]Image, len(sorted))
		for i, q := range sorted {
			images[i] = q.Image
		}
		for i, image := range BelowShared(images) {
			sorted[i].Image = image
		}
		slices.SortFunc(sorted, func(a, b Query) int { return strings.Compare(a.File, b.File) })
		one := perQuery{values: make([][]float64, len(figures))}
		for _, q := range sorted {
			if q.FirstRank == 0 {
				one.without = append(one.without, q.Image)
				continue
			}
			one.images = append(one.images, q.Image)
			for f := range figures {
				one.values[f] = append(one.values[f], figures[f].of(outcome(q)))
			}
		}
		if n == 0 {
			p = one
			continue
		}
		if err := p.unlike(one); err != nil {
			return perQuery{}, err
		}
		for f := range p.values {
			for q := range p.values[f] {
				p.values[f][q] += one.values[f][q]
			}
		}
	}
	for f := range p.values {
		for q := range p.values[f] {
			p.values[f][q] /= float64(len(runs))
		}
	}
	return p, nil
}

func byDistance(q Query) Outcome  { return q.Outcome }
func afterRerank(q Query) Outcome { return *q.Reranked }

// unlike returns what the queries of two evaluations differ in, which wraps ErrOtherQueries; nil: nothing.
func (p perQuery) unlike(other perQuery) error {
	for _, side := range []struct {
		what        string
		ours, their []Image
	}{{"", p.images, other.images}, {" without a match", p.without, other.without}} {
		alone, first := onlyIn(side.ours, side.their)
		others, otherFirst := onlyIn(side.their, side.ours)
		if alone+others == 0 {
			continue
		}
		if alone == 0 || others > 0 && otherFirst < first {
			first = otherFirst
		}
		return fmt.Errorf("%w: %d and %d queries%s, of which %d and %d are the other's not (such as %s)",
			ErrOtherQueries, len(side.ours), len(side.their), side.what, alone, others, first)
	}
	return nil
}

// onlyIn counts the images of a that b lacks, and names the first of them.
func onlyIn(a, b []Image) (n int, first string) {
	known := make(map[Image]bool, len(b))
	for _, image := range b {
		known[image] = true
	}
	for _, image := range a {
		if !known[image] {
			if n++; n == 1 {
				first = image.File
			}
		}
	}
	return n, first
}

func (p perQuery) pids() []int32 {
	pids := make([]int32, len(p.images))
	for i, image := range p.images {
		pids[i] = image.PID
	}
	return pids
}

// less are the figures of p, query by query, less those of the other, which has the same queries.
func (p perQuery) less(other perQuery) [][]float64 {
	differences := make([][]float64, len(p.values))
	for f, values := range p.values {
		differences[f] = make([]float64, len(values))
		for q := range values {
			differences[f][q] = values[q] - other.values[f][q]
		}
	}
	return differences
}

// BelowShared are images by their paths below the folder that all of them share: those of one dataset are the same,
// whether a program lists them from the dataset's folder on or from elsewhere.
func BelowShared(images []Image) []Image {
	shared := ""
	for i, image := range images {
		folder := path.Dir(image.File) + "/"
		for i > 0 && !strings.HasPrefix(folder, shared) {
			shared = strings.TrimSuffix(shared, "/")
			shared = shared[:strings.LastIndexByte(shared, '/')+1]
		}
		if i == 0 {
			shared = folder
		}
	}
	below := slices.Clone(images)
	for i := range below {
		below[i].File = strings.TrimPrefix(below[i].File, shared)
	}
	return below
}

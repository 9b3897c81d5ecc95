package market1501

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Ranking is what one query finds: the head of the gallery in the order that [Evaluate] judges.
type Ranking struct {
	Query            int // index
	Matches          int // in the whole gallery
	AveragePrecision float64
	Nearest          []Found // nearest first
}

// Found is a gallery image in a ranking.
type Found struct {
	Image    int     // index
	Distance float64 // under the metric of the ranking, or re-ranked
	Match    bool    // the query's person
}

// Rank lists, for each query that has a match in the gallery, the top nearest gallery images by the protocol of
// [Evaluate]. Its errors are those of Evaluate.
func Rank(ctx context.Context, query, gallery *Features, config EvalConfig, top int) ([]Ranking, error) {
	all := make([]Ranking, query.Len())
	judges := make([]judge, config.threads())
	reranked := config.Rerank != (Rerank{})
	err := eachQuery(ctx, query, gallery, config, func(worker, i int, row []float32) {
		pid, cam := query.PIDs[i], query.CamIDs[i]
		j := &judges[worker]
		s := j.score(row, gallery, pid, cam)
		if s.FirstRank == 0 {
			return
		}
		r := Ranking{Query: i, Matches: len(j.matches), AveragePrecision: s.AP}
		for _, g := range nearest(row, gallery, pid, cam, top) {
			distance := max(float64(g.distance), 0) // rounding may leave it below

			// What orders the gallery is rounded by more than small distances are.
			if !reranked {
				distance = config.Metric.distance(query.Row(i), gallery.Row(g.index))
			}
			r.Nearest = append(r.Nearest,
				Found{Image: g.index, Distance: distance, Match: gallery.PIDs[g.index] == pid})
		}
		all[i] = r
	})
	if err != nil {
		return nil, fmt.Errorf("rank: %w", err)
	}
	all = slices.DeleteFunc(all, func(r Ranking) bool { return r.Matches == 0 })
	if len(all) == 0 {
		return nil, fmt.Errorf("rank: %w: %d queries", ErrNoMatch, query.Len())
	}
	return all, nil
}

// Nearest lists, for each query, the top nearest images of the gallery, whoever is on them, nearest first; at equal
// distances the first in the gallery comes first. The error wraps [ErrFeatures].
func Nearest(ctx context.Context, query, gallery *Features, metric Metric, threads, top int) ([][]Found, error) {
	all := make([][]Found, query.Len())
	config := EvalConfig{Metric: metric, Threads: threads}
	err := eachQuery(ctx, query, gallery, config, func(_, i int, row []float32) {
		for _, g := range nearest(row, gallery, nobody, 0, top) {
			distance := metric.distance(query.Row(i), gallery.Row(g.index))
			all[i] = append(all[i], Found{Image: g.index, Distance: distance})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("nearest images: %w", err)
	}
	return all, nil
}

// nobody is the identity of a query that is on no image of any gallery.
const nobody int32 = math.MinInt32

// distance is that of two images by the definition.
func (m Metric) distance(a, b []float32) float64 {
	var squares, product, lengthA, lengthB float64
	for d := range a {
		x, y := float64(a[d]), float64(b[d])
		squares += (x - y) * (x - y)
		product += x * y
		lengthA += x * x
		lengthB += y * y
	}
	switch {
	case m == Euclidean:
		return math.Sqrt(squares)
	case lengthA > 0 && lengthB > 0:
		return max(1-product/math.Sqrt(lengthA*lengthB), 0) // rounding may leave it below
	}
	return 1
}

// nearest returns the top nearest images of the gallery for a query of the given pid and camera.
func nearest(distance []float32, gallery *Features, pid, cam int32, top int) []ranked {
	list := make([]ranked, 0, top+1)
	for i, d := range distance {
		p := gallery.PIDs[i]
		if p == JunkPID || p == pid && gallery.CamIDs[i] == cam {
			continue
		}
		image := ranked{d, i}
		if len(list) == top && (top == 0 || image.compare(list[top-1]) >= 0) {
			continue
		}
		at, _ := slices.BinarySearchFunc(list, image, ranked.compare)
		list = slices.Insert(list, at, image)
		list = list[:min(len(list), top)]
	}
	return list
}

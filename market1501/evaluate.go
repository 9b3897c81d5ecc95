package market1501

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// ErrNoMatch is wrapped by Evaluate's error if no query has a match in the
// gallery, so that there is nothing to average.
var ErrNoMatch = errors.New("no query has a match in the gallery")

// cmcLength is the number of ranks of the CMC curve that are kept.
const cmcLength = 50

// Metric is how features are compared.
type Metric int

// The zero value is the published setting.
const (
	Euclidean Metric = iota // of the raw features
	Cosine                  // 1 - cos; a zero vector is at distance 1 from everything
)

func (m Metric) String() string {
	switch m {
	case Euclidean:
		return "euclidean"
	case Cosine:
		return "cosine"
	}
	return fmt.Sprintf("Metric(%d)", int(m))
}

// MarshalText is [Metric.String].
func (m Metric) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is [ParseMetric].
func (m *Metric) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMetric(string(text))
	return err
}

// ParseMetric is the inverse of [Metric.String].
func ParseMetric(s string) (Metric, error) {
	for _, m := range []Metric{Euclidean, Cosine} {
		if s == m.String() {
			return m, nil
		}
	}
	return 0, fmt.Errorf("unknown metric %q: euclidean or cosine", s)
}

// EvalConfig says how Evaluate works; the zero value is the published protocol.
type EvalConfig struct {
	Metric  Metric
	Rerank  Rerank
	Threads int // 0: one per CPU; the result does not depend on it
}

// Result is the outcome of the protocol. Shares are in [0, 1].
type Result struct {
	MAP  float64 // mean average precision
	MINP float64 // mean inverse negative penalty
	// TrapezoidMAP is the mean of average precisions by the trapezoid rule, as Market-1501's own Matlab code computes
	// them: of each match, the mean of the precision there and at the image before it, which is 1 before the first.
	TrapezoidMAP float64
	// Tied is the share of the images that are no matches which are exactly as far from their query as one of its
	// matches. Their order says nothing then: where it is large, features have collapsed.
	Tied    float64
	CMC     [cmcLength]float64 // CMC[k-1]: share of queries with a match among the first k
	Queries int                // queries that were averaged
	Skipped int                // queries without a match in the gallery, left out of all averages
}

// Rank is CMC at rank k, from 1.
func (r *Result) Rank(k int) float64 { return r.CMC[k-1] }

// Evaluate is the single-query protocol of Market-1501 (Zheng et al., ICCV 2015,
// section 5.1). For each query the gallery is ordered by distance, without junk
// (pid -1) and without the images of the query's own pid and camera. A match is
// an image of the query's pid. Distractors of the gallery have a pid that no query has.
// The average precision of a query is the mean, over its matches, of the share of
// matches among the images up to and including that one; its inverse negative
// penalty is the number of its matches over the rank of the last (Ye et al., TPAMI
// 2021, section 4.1). Images at the same distance are ordered as they stand in the
// gallery.
//
// Distances are float32; euclidean ones are compared as |g|² - 2q·g, which orders
// a query's gallery as the distance does. Re-ranking replaces them before the gallery
// is ordered; all images of both sets, of whatever identity, are neighbours there.
// Memory is bounded: distances exist for one block of queries at a time.
//
// The error wraps [ErrFeatures], [ErrNoMatch] or the error of ctx.
func Evaluate(ctx context.Context, query, gallery *Features, config EvalConfig) (Result, error) {
	scores, err := Scores(ctx, query, gallery, config)
	if err != nil {
		return Result{}, err
	}
	return Summarise(scores)
}

// Score is what one query contributes to the protocol.
type Score struct {
	AP        float64 // average precision: the mean of the precisions at the matches
	Trapezoid float64 // average precision as the dataset's own Matlab code has it; see [Result.TrapezoidMAP]
	Tied      int     // other images at exactly the distance of a match, which only their order tells from it
	Others    int     // images of the gallery that count and are no matches
	INP       float64 // inverse negative penalty
	FirstRank int     // of the nearest match, from 1; 0: the query has no match in the gallery
}

// Scores judges each query by the protocol of [Evaluate]; [Summarise] makes its result of them. The error wraps
// [ErrFeatures] or the error of ctx.
func Scores(ctx context.Context, query, gallery *Features, config EvalConfig) ([]Score, error) {
	scores := make([]Score, query.Len())
	judges := make([]judge, config.threads())
	err := eachQuery(ctx, query, gallery, config, func(worker, i int, row []float32) {
		scores[i] = judges[worker].score(row, gallery, query.PIDs[i], query.CamIDs[i])
	})
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	return scores, nil
}

func (c EvalConfig) threads() int { return workerCount(c.Threads) }

// eachQuery visits every query's distances, some at a time, on workers numbered from 0: re-ranked, or what orders the
// gallery as the distances do.
func eachQuery(
	ctx context.Context, query, gallery *Features, config EvalConfig, visit func(worker, query int, row []float32),
) error {
	if err := config.Rerank.Validate(); err != nil {
		return err
	}
	threads := config.threads()
	distances, err := newDistances(query, gallery, config.Metric, threads)
	if err != nil {
		return err
	}
	pool := parallel.NewPool(threads)
	defer pool.Close()
	var reranker *reranker
	if config.Rerank != (Rerank{}) {
		if reranker, err = newReranker(ctx, pool, query, gallery, config.Metric, config.Rerank); err != nil {
			return err
		}
	}
	for first := 0; first < query.Len(); first += distances.blockQueries {
		count := min(distances.blockQueries, query.Len()-first)
		distances.fill(pool, first, count)
		err := inParallel(ctx, threads, count, func(worker, q int) {
			i := first + q
			row := distances.row(q)
			if reranker != nil {
				offset, scale := distances.exact(i)
				reranker.rerank(worker, i, row, offset, scale)
			}
			visit(worker, i, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Summarise averages the scores of queries. The error wraps [ErrNoMatch].
func Summarise(scores []Score) (Result, error) {
	var result Result
	var first [cmcLength]int
	tied, others := 0, 0
	for _, s := range scores {
		if s.FirstRank == 0 {
			result.Skipped++
			continue
		}
		result.Queries++
		result.MAP += s.AP
		result.MINP += s.INP
		result.TrapezoidMAP += s.Trapezoid
		tied, others = tied+s.Tied, others+s.Others
		if s.FirstRank <= cmcLength {
			first[s.FirstRank-1]++
		}
	}
	if result.Queries == 0 {
		return Result{}, fmt.Errorf("evaluate: %w: %d queries", ErrNoMatch, len(scores))
	}
	result.MAP /= float64(result.Queries)
	result.MINP /= float64(result.Queries)
	result.TrapezoidMAP /= float64(result.Queries)
	result.Tied = float64(tied) / float64(max(others, 1))
	found := 0
	for k, n := range first {
		found += n
		result.CMC[k] = float64(found) / float64(result.Queries)
	}
	return result, nil
}

// judge scores queries one after the other; what it keeps is scratch.
type judge struct {
	matches []ranked
	before  []int
}

// ranked is a gallery image at its distance.
type ranked struct {
	distance float32
	index    int
}

func (a ranked) compare(b ranked) int {
	return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.index, b.index))
}

// score needs no sorted gallery: only the matches, which are few, are sorted, and
// of every other image it is enough to know how many matches it stands before.
func (j *judge) score(distance []float32, gallery *Features, pid, cam int32) Score {
	if pid == JunkPID {
		return Score{}
	}
	j.matches = j.matches[:0]
	left := 0 // out
	for i, p := range gallery.PIDs {
		switch {
		case p == JunkPID || p == pid && gallery.CamIDs[i] == cam:
			left++
		case p == pid:
			j.matches = append(j.matches, ranked{distance[i], i})
		}
	}
	if len(j.matches) == 0 {
		return Score{}
	}
	slices.SortFunc(j.matches, ranked.compare)

	// before[m] counts images between match m-1 (inclusive) and match m.
	j.before = append(j.before[:0], make([]int, len(j.matches)+1)...)
	s := Score{Others: len(distance) - left - len(j.matches)}
	farthest := j.matches[len(j.matches)-1].distance
	for i, d := range distance {
		if d > farthest {
			continue
		}
		p := gallery.PIDs[i]
		if p == JunkPID || p == pid && gallery.CamIDs[i] == cam {
			continue
		}
		low, high := 0, len(j.matches) // the matches that do not come after this image
		for low < high {
			m := int(uint(low+high) / 2)
			if at := &j.matches[m]; at.distance < d || at.distance == d && at.index <= i {
				low = m + 1
			} else {
				high = m
			}
		}
		j.before[low]++
		if p != pid && (low > 0 && j.matches[low-1].distance == d ||
			low < len(j.matches) && j.matches[low].distance == d) {
			s.Tied++
		}
	}

	rank := 1
	for m := range j.matches {
		rank += j.before[m]
		if m == 0 {
			s.FirstRank = rank
		}
		precision, before := float64(m+1)/float64(rank), 1.0
		if rank > 1 {
			before = float64(m) / float64(rank-1)
		}
		s.AP += precision
		s.Trapezoid += (before + precision) / 2
	}
	s.AP /= float64(len(j.matches))
	s.Trapezoid /= float64(len(j.matches))
	s.INP = float64(len(j.matches)) / float64(rank)
	return s
}

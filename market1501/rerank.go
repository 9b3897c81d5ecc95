package market1501

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// Rerank sets k-reciprocal re-ranking (Zhong et al., "Re-ranking Person
// Re-identification with k-reciprocal Encoding", CVPR 2017). The zero value is none.
type Rerank struct {
	K1     int     `json:"k1"`     // neighbours among which reciprocal ones are sought
	K2     int     `json:"k2"`     // neighbours, the image itself included, whose codes are averaged; 1: no averaging
	Lambda float64 `json:"lambda"` // weight of the original distance beside the Jaccard distance, in [0, 1]
}

// PublishedRerank has the values that the paper recommends for Market-1501.
func PublishedRerank() Rerank { return Rerank{K1: 20, K2: 6, Lambda: 0.3} }

// MostNeighbours bounds K1 and K2; it is beyond all use.
const MostNeighbours = 10_000

// Validate refuses values that mean nothing.
func (r Rerank) Validate() error {
	switch {
	case r == Rerank{}:
		return nil
	case r.K1 < 1 || r.K2 < 1 || r.K1 > MostNeighbours || r.K2 > MostNeighbours:
		return fmt.Errorf("re-ranking with k1 = %d and k2 = %d: both must be from 1 to %d", r.K1, r.K2, MostNeighbours)
	case !(r.Lambda >= 0 && r.Lambda <= 1):
		return fmt.Errorf("re-ranking with lambda = %v: it must be in [0, 1]", r.Lambda)
	}
	return nil
}

// A code describes an image by its k-reciprocal neighbours, in ascending order. What it
// does not name has the weight 0; all weights together are 1.
type code []weighted

type weighted struct {
	image  int32
	weight float64
}

// reranker replaces a query's distances by the re-ranked ones.
type reranker struct {
	lambda   float64
	farthest []float64    // distance of each query from the image that is farthest from it
	codes    []code       // of each query
	holders  [][]weighted // of each image: the gallery images with it in their code, and its weight there
	overlaps [][]float64  // scratch per worker: each gallery image's
}

// newReranker encodes all images, as the authors' program does:
//
//   - distances are squared Euclidean ones, under [Cosine] of vectors of length 1, over
//     the largest distance of the image; the image itself comes first among its
//     neighbours, those at the same distance follow in the order of query and gallery;
//   - a code names the image's reciprocal neighbours among K1, and with each of them
//     its own among K1/2 (halves rounded to even) if more than ⅔ of these are among the
//     first (the paper has "at least"); weights are exp(-distance), divided by their sum;
//   - the codes of the K2 nearest images are averaged.
//
// Beside the features, memory holds a list of neighbours and a code per image.
func newReranker(
	ctx context.Context, pool *parallel.Pool, query, gallery *Features, metric Metric, r Rerank,
) (*reranker, error) {
	found, err := findNeighbours(ctx, pool, query, gallery, metric, max(r.K1+1, r.K2))
	if err != nil {
		return nil, err
	}
	e := &encoder{neighbourhood: found, query: query, gallery: gallery, metric: metric, k1: r.K1}
	plain := make([]code, len(found.nearest))
	err = inParallel(ctx, pool.Threads(), len(plain), func(_, i int) { plain[i] = e.encode(i) })
	if err != nil {
		return nil, err
	}
	sums := make([][]float64, pool.Threads())
	for worker := range sums {
		sums[worker] = make([]float64, len(plain))
	}
	codes := make([]code, len(plain))
	err = inParallel(ctx, pool.Threads(), len(codes), func(worker, i int) {
		near := found.nearest[i]
		codes[i] = average(plain, near[:min(r.K2, len(near))], sums[worker])
	})
	if err != nil {
		return nil, err
	}
	queries := query.Len()
	return &reranker{
		lambda:   r.Lambda,
		farthest: found.farthest[:queries],
		codes:    codes[:queries],
		holders:  invert(codes[queries:], len(codes)),
		overlaps: make([][]float64, pool.Threads()),
	}, nil
}

// rerank replaces a row of query i, true distances being offset + scale · value, by
// (1-λ)·Jaccard + λ·distance. The Jaccard distance is 1 less the sum over all images of
// the smaller weight in both codes over that of the greater one.
func (r *reranker) rerank(worker, i int, row []float32, offset, scale float64) {
	if r.overlaps[worker] == nil {
		r.overlaps[worker] = make([]float64, len(row))
	}
	overlap := r.overlaps[worker]
	clear(overlap)
	for _, w := range r.codes[i] {
		for _, holder := range r.holders[w.image] {
			overlap[holder.image] += min(w.weight, holder.weight)
		}
	}
	for g, v := range row {
		distance := relative(offset+scale*float64(v), r.farthest[i])
		jaccard := 1 - overlap[g]/(2-overlap[g])
		row[g] = float32((1-r.lambda)*jaccard + r.lambda*distance)
	}
}

// relative is a distance over the largest; where all images are alike, it is 0.
func relative(distance, largest float64) float64 {
	if largest == 0 {
		return 0
	}
	return max(distance, 0) / largest
}

// encoder makes codes.
type encoder struct {
	*neighbourhood
	query, gallery *Features
	metric         Metric
	k1             int
}

func (e *encoder) encode(i int) code {
	reciprocal := e.reciprocal(int32(i), e.k1)
	named := slices.Clone(reciprocal)
	for _, r := range reciprocal {
		own := e.reciprocal(r, int(math.RoundToEven(float64(e.k1)/2)))
		common := 0
		for _, o := range own {
			if slices.Contains(reciprocal, o) {
				common++
			}
		}
		if 3*common > 2*len(own) {
			named = append(named, own...)
		}
	}
	slices.Sort(named)
	named = slices.Compact(named)
	c, sum := make(code, len(named)), 0.0
	for k, j := range named {
		c[k] = weighted{j, math.Exp(-relative(e.distance(i, int(j)), e.farthest[i]))}
		sum += c[k].weight
	}
	for k := range c {
		c[k].weight /= sum
	}
	return c
}

// reciprocal lists those of the k nearest images, and i itself, that have i among their own.
func (e *encoder) reciprocal(i int32, k int) []int32 {
	var both []int32
	for _, j := range e.within(i, k) {
		if slices.Contains(e.within(j, k), i) {
			both = append(both, j)
		}
	}
	return both
}

// within is image i and its k nearest.
func (e *encoder) within(i int32, k int) []int32 {
	near := e.nearest[i]
	return near[:min(k+1, len(near))]
}

// distance of two images: few are needed, so that they are computed as they are asked for.
func (e *encoder) distance(i, j int) float64 {
	if i == j {
		return 0
	}
	a, b := e.row(i), e.row(j)
	var differences, product, lengthA, lengthB float64
	for k, x := range a {
		x, y := float64(x), float64(b[k])
		differences += (x - y) * (x - y)
		product += x * y
		lengthA += x * x
		lengthB += y * y
	}
	switch {
	case e.metric == Euclidean:
		return differences
	case lengthA > 0 && lengthB > 0:
		return 1 - product/math.Sqrt(lengthA*lengthB)
	}
	return 1
}

func (e *encoder) row(i int) []float32 {
	if i < e.query.Len() {
		return e.query.Row(i)
	}
	return e.gallery.Row(i - e.query.Len())
}

// average is the mean of some images' codes. sums has room for every image, all 0.
func average(codes []code, of []int32, sums []float64) code {
	var named []int32
	for _, i := range of {
		for _, w := range codes[i] {
			if sums[w.image] == 0 {
				named = append(named, w.image)
			}
			sums[w.image] += w.weight
		}
	}
	slices.Sort(named)
	mean := make(code, len(named))
	for k, image := range named {
		mean[k] = weighted{image, sums[image] / float64(len(of))}
		sums[image] = 0
	}
	return mean
}

// invert lists, for each of n images, the codes that name it.
func invert(codes []code, n int) [][]weighted {
	holders, counts, total := make([][]weighted, n), make([]int, n), 0
	for _, c := range codes {
		for _, w := range c {
			counts[w.image]++
		}
		total += len(c)
	}
	all := make([]weighted, total)
	for i, count := range counts {
		holders[i], all = all[:0:count], all[count:]
	}
	for g, c := range codes {
		for _, w := range c {
			holders[w.image] = append(holders[w.image], weighted{int32(g), w.weight})
		}
	}
	return holders
}

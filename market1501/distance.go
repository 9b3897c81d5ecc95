package market1501

import (
	"fmt"
	"math"

	"github.com/reidbench/reidbench/kernels/conv"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/kernels/parallel"
)

// distances holds the block of the distance matrix that is being judged.
type distances struct {
	query, gallery *Features
	metric         Metric
	blockQueries   int       // queries in a block
	block          []float32 // [blockQueries, gallery]
	squared        []float32 // length of each query
	offset, scale  []float32 // per gallery image: distance = offset + scale · (q·g), up to what exact makes good

	stripes   []stripe
	products  []float32 // [blockQueries, stripeImages]
	workspace []float32
}

// stripe is a part of the gallery that is multiplied at once.
type stripe struct {
	first, count int
	product      *conv.Linear
}

const (
	blockFloats  = 4 << 20 // bounds a block to 16 MiB
	stripeImages = 2048    // bounds the products' scratch
)

func newDistances(query, gallery *Features, metric Metric, threads int) (*distances, error) {
	querySquared, err := query.check()
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	squared, err := gallery.check()
	if err != nil {
		return nil, fmt.Errorf("gallery: %w", err)
	}
	if query.Dim != gallery.Dim {
		return nil, fmt.Errorf("%w: query has %d values per image, gallery %d", ErrFeatures, query.Dim, gallery.Dim)
	}
	if metric != Euclidean && metric != Cosine {
		return nil, fmt.Errorf("unknown %v", metric)
	}
	n := gallery.Len()
	if n == 0 || query.Len() == 0 {
		return nil, fmt.Errorf("%w: %d queries, %d gallery images", ErrNoMatch, query.Len(), n)
	}
	d := &distances{
		query: query, gallery: gallery, metric: metric,
		squared: querySquared, offset: make([]float32, n), scale: make([]float32, n),
	}
	for i, s := range squared {
		switch {
		case metric == Euclidean:
			d.offset[i], d.scale[i] = s, -2
		case s > 0:
			d.scale[i] = float32(-1 / math.Sqrt(float64(s)))
		}
	}
	d.blockQueries = min(max(blockFloats/n, 1), query.Len())
	d.block = make([]float32, d.blockQueries*n)
	d.products = make([]float32, d.blockQueries*min(stripeImages, n))
	workspace := 0
	for first := 0; first < n; first += stripeImages {
		s := stripe{first: first, count: min(stripeImages, n-first)}
		s.product = conv.NewLinear(s.count, gallery.Dim, gemm.FP32)
		workspace = max(workspace, s.product.Workspace(d.blockQueries, threads))
		d.stripes = append(d.stripes, s)
	}
	d.workspace = make([]float32, workspace)
	return d, nil
}

// row is the distances of query q of the block to the gallery: they order it as the
// true ones do, which exact makes of them.
func (d *distances) row(q int) []float32 {
	n := d.gallery.Len()
	return d.block[q*n:][:n]
}

// exact is what turns a row of query i of the whole set into true distances, squared
// if they are Euclidean: offset + scale · value. Rounding may leave them below 0.
func (d *distances) exact(i int) (offset, scale float64) {
	return d.metric.exact(float64(d.squared[i]))
}

// exact is that of a query of the given squared length.
func (m Metric) exact(squared float64) (offset, scale float64) {
	switch {
	case m == Euclidean:
		return squared, 1
	case squared > 0:
		return 1, 1 / math.Sqrt(squared)
	}
	return 1, 0
}

// fill computes the block of count queries from first.
func (d *distances) fill(pool *parallel.Pool, first, count int) {
	dim := d.gallery.Dim
	queries := d.query.Values[first*dim : (first+count)*dim]
	for _, s := range d.stripes {
		products := d.products[:count*s.count]
		s.product.Run(pool, count, products, queries, d.gallery.Values[s.first*dim:(s.first+s.count)*dim], d.workspace)
		offset, scale := d.offset[s.first:][:s.count], d.scale[s.first:][:s.count]
		for q := range count {
			row := d.row(q)[s.first:][:s.count]
			for i, dot := range products[q*s.count:][:s.count] {
				row[i] = offset[i] + scale[i]*dot
			}
		}
	}
}

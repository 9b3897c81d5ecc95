package market1501

import (
	"fmt"
	"math"

	"github.com/reidbench/reidbench/kernels"
)

// distances holds the block of the distance matrix that is being judged.
type distances struct {
	query, gallery *Features
	blockQueries   int       // queries in a block
	block          []float32 // [blockQueries, gallery]
	product        *kernels.Gemm
	workspace      []float32
	offset, scale  []float32 // per gallery image: distance = offset + scale · (q·g), up to a constant of the query
}

// blockFloats bounds a block to 16 MiB.
const blockFloats = 4 << 20

func newDistances(query, gallery *Features, metric Metric, threads int) (*distances, error) {
	if _, err := query.check(); err != nil {
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
	d := &distances{query: query, gallery: gallery, offset: make([]float32, n), scale: make([]float32, n)}
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
	d.product = kernels.NewGemm(n, gallery.Dim)
	d.workspace = make([]float32, d.product.Workspace(d.blockQueries, threads))
	return d, nil
}

// row is the distances of query q of the block to the gallery.
func (d *distances) row(q int) []float32 {
	n := d.gallery.Len()
	return d.block[q*n:][:n]
}

// fill computes the block of count queries from first.
func (d *distances) fill(pool *kernels.Pool, first, count int) {
	dim := d.gallery.Dim
	block := d.block[:count*d.gallery.Len()]
	d.product.Run(pool, count, block, d.query.Values[first*dim:(first+count)*dim], d.gallery.Values, d.workspace)
	for q := range count {
		row := d.row(q)
		for i, dot := range row {
			row[i] = d.offset[i] + d.scale[i]*dot
		}
	}
}

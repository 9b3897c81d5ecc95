package market1501

import (
	"context"
	"fmt"
	"math"
)

// distances holds the block of the distance matrix that is being judged.
type distances struct {
	query, gallery *Features
	blockQueries   int       // queries in a block
	block          []float32 // [blockQueries, gallery]
	offset, scale  []float32 // per gallery image: distance = offset + scale · (q·g), up to a constant of the query
}

// blockFloats bounds a block to 16 MiB.
const blockFloats = 4 << 20

func newDistances(query, gallery *Features, metric Metric) (*distances, error) {
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
	d := &distances{query: query, gallery: gallery, offset: make([]float32, n), scale: make([]float32, n)}
	for i, s := range squared {
		switch {
		case metric == Euclidean:
			d.offset[i], d.scale[i] = s, -2
		case s > 0:
			d.scale[i] = float32(-1 / math.Sqrt(float64(s)))
		}
	}
	d.blockQueries = min(max(blockFloats/max(n, 1), 1), query.Len())
	d.block = make([]float32, d.blockQueries*n)
	return d, nil
}

// row is the distances of query q of the block to the gallery.
func (d *distances) row(q int) []float32 {
	n := d.gallery.Len()
	return d.block[q*n:][:n]
}

// fill computes the block of count queries from first.
func (d *distances) fill(ctx context.Context, first, count, threads int) error {
	return inParallel(ctx, threads, count, func(_, q int) {
		vector, row := d.query.Row(first+q), d.row(q)
		for i := range row {
			row[i] = d.offset[i] + d.scale[i]*dot(vector, d.gallery.Row(i))
		}
	})
}

// dot is Σ a[i]·b[i], summed in four interleaved parts.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a) && i+4 <= len(b); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

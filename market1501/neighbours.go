package market1501

import (
	"context"
	"math"
	"slices"

	"github.com/reidbench/reidbench/kernels/parallel"
)

// neighbourhood is who is near to whom among the images of two sets, which are
// numbered through: the queries, then the gallery.
type neighbourhood struct {
	nearest  [][]int32 // of each image: itself, then the others by distance, those at the same distance by number
	farthest []float64 // distance of each image from the one that is farthest from it
}

// findNeighbours lists the count nearest images of every image, which include the image itself:
// at least 2, and all where count is larger. Distances exist for one block of images at a time.
func findNeighbours(
	ctx context.Context, pool *parallel.Pool, query, gallery *Features, metric Metric, count int,
) (*neighbourhood, error) {
	n := query.Len() + gallery.Len()
	found := &neighbourhood{nearest: make([][]int32, n), farthest: make([]float64, n)}
	searches := make([]nearestSearch, pool.Threads())
	begin := 0
	for _, images := range []*Features{query, gallery} {
		toQuery, err := newDistances(images, query, metric, pool.Threads())
		if err != nil {
			return nil, err
		}
		toGallery, err := newDistances(images, gallery, metric, pool.Threads())
		if err != nil {
			return nil, err
		}
		block := min(toQuery.blockQueries, toGallery.blockQueries)
		for first := 0; first < images.Len(); first += block {
			rows := min(block, images.Len()-first)
			toQuery.fill(pool, first, rows)
			toGallery.fill(pool, first, rows)
			err := inParallel(ctx, pool.Threads(), rows, func(worker, r int) {
				image := begin + first + r
				s := &searches[worker]
				s.start(image, min(count, n)-1)
				s.look(toQuery.row(r), 0)
				s.look(toGallery.row(r), query.Len())
				found.nearest[image] = s.list()
				offset, scale := toQuery.exact(first + r)
				found.farthest[image] = max(offset+scale*float64(s.farthest), 0)
			})
			if err != nil {
				return nil, err
			}
		}
		begin += images.Len()
	}
	return found, nil
}

// nearestSearch keeps the nearest of the images that it has looked at.
type nearestSearch struct {
	image    int      // whose neighbours are sought
	count    int      // at least 1
	nearest  []ranked // in order
	farthest float32
}

func (s *nearestSearch) start(image, count int) {
	s.image, s.count, s.nearest, s.farthest = image, count, s.nearest[:0], float32(math.Inf(-1))
}

// look goes through the distances to the images from number first on. Of images at the same
// distance the one with the lower number comes first.
func (s *nearestSearch) look(distance []float32, first int) {
	for i, d := range distance {
		if first+i == s.image {
			continue
		}
		s.farthest = max(s.farthest, d)
		if full := len(s.nearest) == s.count; full {
			if d >= s.nearest[s.count-1].distance {
				continue
			}
			s.nearest = s.nearest[:s.count-1]
		}
		at := len(s.nearest)
		for at > 0 && s.nearest[at-1].distance > d {
			at--
		}
		s.nearest = slices.Insert(s.nearest, at, ranked{d, first + i})
	}
}

func (s *nearestSearch) list() []int32 {
	list := make([]int32, 1, 1+len(s.nearest))
	list[0] = int32(s.image)
	for _, r := range s.nearest {
		list = append(list, int32(r.index))
	}
	return list
}

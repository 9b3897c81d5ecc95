package market1501

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// ROC says how well distances tell pairs of images of one person from pairs of two: which share of either a threshold
// accepts, for any threshold (Fawcett 2006, "An introduction to ROC analysis"). A pair is a query and an image of the
// gallery that counts for it.
type ROC struct {
	Genuine, Impostor int64 // pairs of one person, and of two

	thresholds []float64 // distances of the pairs of one person, in ascending order, each once
	genuine    []int64   // pairs of one person up to each
	impostor   []int64   // pairs of two up to each
}

// An OperatingPoint is what a threshold does: pairs at that distance or below are accepted. Rates are in [0, 1].
type OperatingPoint struct {
	Threshold float64
	TPR       float64 // share of the pairs of one person that are accepted
	FPR       float64 // share of the pairs of two
}

// Verify takes the distances of all pairs that the protocol of [Evaluate] looks at: without junk, and without what the
// query's own camera has seen of its person. Distractors are other people. Pairs of one person are kept, those of two
// only counted. The error wraps [ErrFeatures], [ErrNoMatch] or that of ctx.
func Verify(ctx context.Context, query, gallery *Features, metric Metric, threads int) (*ROC, error) {
	genuine := make([][]float64, workerCount(threads))
	err := eachPair(ctx, query, gallery, metric, threads, func(worker int, distance float64, match bool) {
		if match {
			genuine[worker] = append(genuine[worker], distance)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	r := &ROC{}
	all := slices.Concat(genuine...)
	slices.Sort(all)
	for i, d := range all {
		if i == len(all)-1 || all[i+1] != d {
			r.thresholds, r.genuine = append(r.thresholds, d), append(r.genuine, int64(i+1))
		}
	}
	r.Genuine = int64(len(all))
	if r.Genuine == 0 {
		return nil, fmt.Errorf("verify: %w: %d queries", ErrNoMatch, query.Len())
	}

	// Of each pair of two it is enough to know which threshold is the first to accept it.
	first := make([][]int64, workerCount(threads))
	for i := range first {
		first[i] = make([]int64, len(r.thresholds)+1)
	}
	err = eachPair(ctx, query, gallery, metric, threads, func(worker int, distance float64, match bool) {
		if !match {
			at, _ := slices.BinarySearch(r.thresholds, distance)
			first[worker][at]++
		}
	})
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	r.impostor = make([]int64, len(r.thresholds))
	for at := range len(r.thresholds) + 1 {
		for _, counts := range first {
			r.Impostor += counts[at]
		}
		if at < len(r.thresholds) {
			r.impostor[at] = r.Impostor
		}
	}
	if r.Impostor == 0 {
		return nil, fmt.Errorf("verify: %w: all pairs are of one person", ErrNoMatch)
	}
	return r, nil
}

// eachPair visits the true distance of every pair, and whether it is of one person, on workers numbered from 0.
func eachPair(
	ctx context.Context, query, gallery *Features, metric Metric, threads int,
	visit func(worker int, distance float64, match bool),
) error {
	squared, err := query.check()
	if err != nil {
		return err
	}
	config := EvalConfig{Metric: metric, Threads: threads}
	return eachQuery(ctx, query, gallery, config, func(worker, i int, row []float32) {
		pid, cam := query.PIDs[i], query.CamIDs[i]
		if pid == JunkPID {
			return
		}
		offset, scale := metric.exact(float64(squared[i]))
		for g, value := range row {
			p := gallery.PIDs[g]
			if p == JunkPID || p == pid && gallery.CamIDs[g] == cam {
				continue
			}
			distance := max(offset+scale*float64(value), 0) // rounding may leave it below
			if metric == Euclidean {
				distance = math.Sqrt(distance)
			}
			visit(worker, distance, p == pid)
		}
	})
}

// point is what the i-th threshold does; -1: none, which accepts nothing.
func (r *ROC) point(i int) OperatingPoint {
	if i < 0 {
		return OperatingPoint{Threshold: math.Inf(-1)}
	}
	return OperatingPoint{
		Threshold: r.thresholds[i],
		TPR:       float64(r.genuine[i]) / float64(r.Genuine),
		FPR:       float64(r.impostor[i]) / float64(r.Impostor),
	}
}

// At is the operating point with the largest share of pairs of one person at which the share of pairs of two is at
// most fpr. Where every threshold accepts more of them it accepts nothing, below all distances.
func (r *ROC) At(fpr float64) OperatingPoint {
	most := int64(math.Floor(fpr * float64(r.Impostor)))
	at, _ := slices.BinarySearchFunc(r.impostor, most, func(impostor, most int64) int {
		if impostor <= most {
			return -1
		}
		return 1
	})
	return r.point(at - 1)
}

// EqualError is the equal error rate, at which as large a share of the pairs of one person is refused as of those of
// two is accepted, and its threshold: between two operating points, where a line from one to the other meets equality.
func (r *ROC) EqualError() (rate, threshold float64) {
	before := r.point(-1)
	before.Threshold = r.thresholds[0]
	for i := range r.thresholds {
		p := r.point(i)
		if beyond := p.TPR + p.FPR - 1; beyond >= 0 { // the last threshold refuses no pair of one person
			short := 1 - before.TPR - before.FPR
			part := short / (short + beyond)
			between := func(a, b float64) float64 { return a + part*(b-a) }
			return between(before.FPR, p.FPR), between(before.Threshold, p.Threshold)
		}
		before = p
	}
	panic("market1501: a ROC without an end")
}

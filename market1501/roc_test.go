package market1501

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestVerify holds operating points against counts over all pairs, whose distances are small whole numbers, so that
// many are equal and none is rounded.
func TestVerify(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) *Features {
		f := &Features{Dim: 1}
		for range n {
			f.Values = append(f.Values, float32(r.IntN(12)))
			f.PIDs = append(f.PIDs, int32(r.IntN(5)-1)) // junk, distractors and three people
			f.CamIDs = append(f.CamIDs, int32(r.IntN(2)))
		}
		return f
	}
	for range 50 {
		query, gallery := draw(1+r.IntN(8)), draw(1+r.IntN(40))
		var of [2][]float64 // distances of pairs of two, and of one
		for q, pid := range query.PIDs {
			for g, p := range gallery.PIDs {
				if pid == JunkPID || p == JunkPID || p == pid && query.CamIDs[q] == gallery.CamIDs[g] {
					continue
				}
				match := 0
				if p == pid {
					match = 1
				}
				of[match] = append(of[match], math.Abs(float64(query.Values[q]-gallery.Values[g])))
			}
		}
		roc, err := Verify(t.Context(), query, gallery, Euclidean, 2)
		if len(of[0]) == 0 || len(of[1]) == 0 {
			if !errors.Is(err, ErrNoMatch) {
				t.Errorf("%d and %d pairs: %v", len(of[0]), len(of[1]), err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		share := func(match int, threshold float64) float64 {
			n := 0
			for _, d := range of[match] {
				if d <= threshold {
					n++
				}
			}
			return float64(n) / float64(len(of[match]))
		}
		if roc.Genuine != int64(len(of[1])) || roc.Impostor != int64(len(of[0])) {
			t.Errorf("%d and %d pairs, want %d and %d", roc.Genuine, roc.Impostor, len(of[1]), len(of[0]))
		}
		for _, fpr := range []float64{0, 0.001, 0.1, 0.25, 0.5, 1} {
			want := OperatingPoint{Threshold: math.Inf(-1)}
			for threshold := range 12 {
				p := OperatingPoint{float64(threshold), share(1, float64(threshold)), share(0, float64(threshold))}
				if p.FPR <= fpr && p.TPR > want.TPR {
					want = p
				}
			}
			if diff := cmp.Diff(want, roc.At(fpr), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("at %v (-want +got):\n%s", fpr, diff)
			}
		}
		rate, threshold := roc.EqualError()
		slices.Sort(of[1])
		last, fpr, tpr := of[1][0], 0.0, 0.0 // the point before equality
		for _, d := range of[1] {
			if share(0, d)+share(1, d) >= 1 {
				part := (1 - fpr - tpr) / (share(0, d) + share(1, d) - fpr - tpr)
				fpr, last = fpr+part*(share(0, d)-fpr), last+part*(d-last)
				break
			}
			last, fpr, tpr = d, share(0, d), share(1, d)
		}
		if math.Abs(rate-fpr) > 1e-12 || math.Abs(threshold-last) > 1e-12 {
			t.Errorf("equal error rate %v at %v, want %v at %v", rate, threshold, fpr, last)
		}
	}
}

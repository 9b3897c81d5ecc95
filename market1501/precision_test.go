package market1501

import (
	"math"
	"testing"
)

// The two average precisions that are about, of matches at ranks 2 and 3: torchreid's (1/2 + 2/3)/2, and that of
// Market-1501's Matlab code, ((0 + 1/2)/2 + (1/2 + 2/3)/2)/2.
func TestBothAveragePrecisions(t *testing.T) {
	query := &Features{Dim: 1, Values: []float32{0}, PIDs: []int32{1}, CamIDs: []int32{1}}
	gallery := &Features{
		Dim: 1, Values: []float32{1, 2, 3, 4}, PIDs: []int32{2, 1, 1, 3}, CamIDs: []int32{2, 2, 3, 4},
	}
	result, err := Evaluate(t.Context(), query, gallery, EvalConfig{})
	if err != nil {
		t.Fatal(err)
	}
	const tolerance = 1e-15 // of two sums and two quotients
	if math.Abs(result.MAP-7./12) > tolerance || math.Abs(result.TrapezoidMAP-5./12) > tolerance {
		t.Errorf("AP %v and %v, want .583 and .417", result.MAP, result.TrapezoidMAP)
	}
}

// Where all features are one, all distances are tied.
func TestTiedShare(t *testing.T) {
	query := &Features{Dim: 1, Values: []float32{0}, PIDs: []int32{1}, CamIDs: []int32{1}}
	gallery := &Features{
		Dim: 1, Values: []float32{5, 5, 5, 5, 5}, PIDs: []int32{2, 1, 1, 3, -1}, CamIDs: []int32{2, 2, 1, 4, 2},
	}
	for _, test := range []struct {
		last float32 // of the two that are no matches and count
		want float64
	}{{5, 1}, {6, 0.5}, {4, 0.5}} {
		gallery.Values[3] = test.last
		result, err := Evaluate(t.Context(), query, gallery, EvalConfig{})
		if err != nil || result.Tied != test.want {
			t.Errorf("%v: a share of %v is tied, want %v; %v", test.last, result.Tied, test.want, err)
		}
	}
}

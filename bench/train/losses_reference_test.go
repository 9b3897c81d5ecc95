package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// referenceLoss is a case of testdata/losses.json: what PyTorch computes in float64.
type referenceLoss struct {
	Smoothing float64
	Margin    float64     // of a triplet loss; 0: soft
	Values    [][]float32 // whose rows belong to the labels
	Labels    []int32
	Loss      float64
	Gradient  [][]float64
}

// referenceLosses reads testdata/losses.json, which testdata/losses.py writes.
func referenceLosses(t *testing.T, loss string) []referenceLoss {
	t.Helper()
	data, err := os.ReadFile("testdata/losses.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string][]referenceLoss
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases[loss]) == 0 {
		t.Fatalf("no cases of %s", loss)
	}
	return cases[loss]
}

// check compares the loss of the case's values, and its gradient. Both are computed in float64, from inputs that
// float32 holds; each contribution to an element of the gradient is rounded to float32.
func (r referenceLoss) check(t *testing.T, of func(n, width int, values []float32, gradient []float32) float64) {
	t.Helper()
	width := len(r.Values[0])
	var values []float32
	for _, row := range r.Values {
		values = append(values, row...)
	}
	gradient := make([]float32, len(values))
	if got := of(len(r.Values), width, values, gradient); math.Abs(got-r.Loss) > 1e-12 {
		t.Errorf("%+v: loss %v", r, got)
	}
	for i, row := range r.Gradient {
		for c, want := range row {
			if got := float64(gradient[i*width+c]); math.Abs(got-want) > 2e-7 {
				t.Errorf("the gradient [%d, %d] is %v, want %v", i, c, got, want)
			}
		}
	}
}

func TestCrossEntropyLikePyTorch(t *testing.T) {
	for _, r := range referenceLosses(t, "cross_entropy") {
		r.check(t, func(n, classes int, logits, gradient []float32) float64 {
			return lossOf(CrossEntropy{Smoothing: r.Smoothing}, n, logits, nil, r.Labels, gradient)
		})
	}
}

func TestTripletLikePyTorch(t *testing.T) {
	for _, r := range referenceLosses(t, "triplet") {
		loss := Triplet{Soft: r.Margin == 0, Margin: r.Margin}
		r.check(t, func(n, width int, features, gradient []float32) float64 {
			return loss.Gradient(n, width, features, r.Labels, gradient)
		})
	}
}

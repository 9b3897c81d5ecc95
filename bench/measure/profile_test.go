package measure

import (
	"context"
	"math"
	"testing"

	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/models"
)

// TestProfile measures LeNet and finds every phase of its layers once, their shares adding up to one step.
func TestProfile(t *testing.T) {
	m, err := models.Lookup("lenet")
	if err != nil {
		t.Fatal(err)
	}
	measured, err := Run(context.Background(),
		Config{Mode: TrainMode, Models: []models.Model{m}, Batch: 2, Steps: 1, Threads: 1, Profile: true})
	if err != nil {
		t.Fatal(err)
	}
	profile := measured[0].Profile
	layers := map[string]bool{}
	for _, rows := range [][]ProfileRow{profile.Ops, profile.Layers} {
		shares := 0.0
		for i, r := range rows {
			shares += r.Share
			if i > 0 && r.Time > rows[i-1].Time {
				t.Errorf("%v stands after %v", r, rows[i-1])
			}
			if at := r.Layer + " " + r.Phase.String(); r.Layer != "" && layers[at] {
				t.Errorf("%s stands twice", at)
			} else {
				layers[at] = true
			}
			if convolves := r.Op == "Conv2d 5" && r.Phase != train.ActivationGradient; convolves != (r.GFLOPS > 0) &&
				r.Op != "Linear" {
				t.Errorf("%+v", r)
			}
		}
		if math.Abs(shares-1) > 1e-6 {
			t.Errorf("shares add up to %v", shares)
		}
	}
	for _, want := range []string{"features.0 forward", "features.0 weight gradient", "classifier.0 data gradient"} {
		if !layers[want] {
			t.Errorf("no %s in %v", want, layers)
		}
	}
}

package market1501_test

import (
	"context"
	"fmt"
	"log"

	"github.com/reidbench/reidbench/market1501"
)

// One query of identity 1, seen by camera 1. The nearest gallery image is of the same identity and camera, so the
// protocol leaves it out; the next is a distractor; the third is the match.
func ExampleEvaluate() {
	query := &market1501.Features{
		Dim: 2, Values: []float32{0, 1}, PIDs: []int32{1}, CamIDs: []int32{1}, Names: []string{"query.jpg"},
	}
	gallery := &market1501.Features{
		Dim:    2,
		Values: []float32{0, 1, 0, 2, 3, 1},
		PIDs:   []int32{1, market1501.DistractorPID, 1},
		CamIDs: []int32{1, 2, 2},
		Names:  []string{"same camera.jpg", "distractor.jpg", "match.jpg"},
	}
	result, err := market1501.Evaluate(context.Background(), query, gallery, market1501.EvalConfig{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Rank-1", result.Rank(1), "Rank-2", result.Rank(2), "mAP", result.MAP, "mINP", result.MINP)
	// Output: Rank-1 0 Rank-2 1 mAP 0.5 mINP 0.5
}

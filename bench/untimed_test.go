package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/results"
)

// TestUntimed: a run beside which others work records no speed, and is the same otherwise.
func TestUntimed(t *testing.T) {
	timed := testConfig(t, tinymodel.New("one"))
	untimed := testConfig(t, tinymodel.New("one"))
	untimed.Untimed = true
	want, got := mustRun(t, timed).Jobs[0], mustRun(t, untimed).Jobs[0]
	sameTrace(t, "untimed", want.Dir, got.Dir)
	if r := want.Record.Timing; r.WallSeconds == 0 || r.ImagesPerSecond == 0 {
		t.Errorf("a run that is timed records %+v", r)
	}
	moments := cmpopts.IgnoreFields(results.Timing{}, "Started", "Finished")
	if diff := cmp.Diff(results.Timing{}, got.Record.Timing, moments); diff != "" {
		t.Errorf("a run that is not timed records (-want +got):\n%s", diff)
	}
}

package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
)

// TestCheckpointsOfEpochs: those that stay are written whether or not the recipe has them.
func TestCheckpointsOfEpochs(t *testing.T) {
	for _, recipe := range []int{0, 2, 3} {
		c := testConfig(t, tinymodel.New("one"))
		c.Recipe.CheckpointEvery = recipe
		c.Checkpoints.Every = 2
		mustRun(t, c)
		var got []string
		for name := range checkpointContents(t, filepath.Join(c.Out, "one")) {
			got = append(got, name)
		}
		slices.Sort(got)
		stays, last := fmt.Sprintf(checkpointFormat, 2, 0), fmt.Sprintf(checkpointFormat, 3, 3)
		if diff := cmp.Diff([]string{stays, stays + digestSuffix, last, last + digestSuffix}, got); diff != "" {
			t.Errorf("with the recipe's after %d epochs (-want +got):\n%s", recipe, diff)
		}
	}
}

// TestCheckpointInterval has a clock on which each step takes a minute.
func TestCheckpointInterval(t *testing.T) {
	undisturbed := testConfig(t, tinymodel.New("one"))
	undisturbed.Recipe.CheckpointEvery = 0
	mustRun(t, undisturbed)

	c := testConfig(t, tinymodel.New("one"))
	c.Recipe.CheckpointEvery = 0
	c.Checkpoints = Checkpoints{Interval: 4 * time.Minute, Newest: 9}
	var mu sync.Mutex
	now := time.Unix(0, 0)
	c.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	var written []string
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind != progress.Stepped {
			return
		}
		mu.Lock()
		now = now.Add(time.Minute)
		mu.Unlock()
		if e.Step == 12 {
			for _, name := range files(t, filepath.Join(c.Out, "one")) {
				if strings.HasSuffix(name, ".safetensors") {
					written = append(written, name)
				}
			}
		}
	})
	mustRun(t, c)
	// Steps 4 and 8 of epochs of three; that of step 12 comes after the step has been reported.
	want := []string{fmt.Sprintf(checkpointFormat, 1, 1), fmt.Sprintf(checkpointFormat, 2, 2)}
	if diff := cmp.Diff(want, written); diff != "" {
		t.Errorf("checkpoints (-want +got):\n%s", diff)
	}
	sameTrace(t, "with checkpoints in between", filepath.Join(undisturbed.Out, "one"), filepath.Join(c.Out, "one"))
}

package bench

import (
	"fmt"
	"os"
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

// TestCheckpointsThatStay writes those that a training of nine steps an epoch would.
func TestCheckpointsThatStay(t *testing.T) {
	name := func(epochs, steps int) string { return fmt.Sprintf(checkpointFormat, epochs, steps) }
	written := []string{name(0, 5), name(2, 0), name(3, 1), name(4, 0), name(4, 8), name(9, 9), name(10, 0), name(10, 4), name(100, 2)}
	for _, test := range []struct {
		newest, every int
		want          []string
	}{
		{2, 0, []string{name(10, 4), name(100, 2)}},
		{1, 2, []string{name(2, 0), name(4, 0), name(10, 0), name(100, 2)}},
		{3, 10, []string{name(10, 0), name(10, 4), name(100, 2)}},
		{0, 10, []string{name(10, 0)}},
		{20, 1, written},
	} {
		dir := t.TempDir()
		touch := func(name string) {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range written {
			touch(name)
			touch(name + digestSuffix)
		}
		others := []string{"checkpoint-epoch0001-step1.safetensors", name(7, 0) + brokenSuffix, name(7, 0) + brokenSuffix + digestSuffix}
		for _, name := range others {
			touch(name)
		}
		touch(name(8, 0) + digestSuffix) // its checkpoint was never finished
		if err := prune(dir, test.newest, test.every); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for _, name := range test.want {
			want[name], want[name+digestSuffix] = "", ""
		}
		for _, name := range others {
			want[name] = ""
		}
		if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
			t.Errorf("newest %d, every %d (-want +got):\n%s", test.newest, test.every, diff)
		}
	}
}

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
		stays := fmt.Sprintf(checkpointFormat, 2, 0)
		if diff := cmp.Diff([]string{stays, stays + digestSuffix}, got); diff != "" {
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

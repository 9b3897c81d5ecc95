package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/bench/store"
)

// TestAdviceOnWeights: who follows the published recipe without weights learns before anything is done that the
// published figures began with ImageNet's, and what to type.
func TestAdviceOnWeights(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	run := func(args ...string) string {
		o := reidbench(t, append([]string{"run", "lenet", "--data", data, "--batch", "4", "--out", dir}, args...)...)
		if o.code != exitOK {
			t.Fatalf("%v: exit code %d, %s", args, o.code, o.stderr)
		}
		return o.stderr
	}
	const advice = "The published figures begin with ImageNet's weights"
	if said := run("--recipe", "tiny"); strings.Contains(said, advice) {
		t.Errorf("another recipe is told: %s", said)
	}
	weights := filepath.Join(dir, "lenet", store.WeightsFile)
	if said := run("--recipe", "paper", "--dry-run", "--out", t.TempDir(), "--weights", weights); strings.Contains(said,
		advice) {
		t.Errorf("a run with weights is told: %s", said)
	}
	if said := run("--recipe", "paper", "--dry-run", "--out", t.TempDir()); !strings.HasPrefix(said, advice) ||
		!strings.Contains(said, "reidbench weights fetch all --out pretrained") {
		t.Errorf("the first that is said is: %s", said)
	}
}

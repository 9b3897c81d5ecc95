package slurm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/results"
)

func TestRecordedFailure(t *testing.T) {
	b := newBenchmark(t)
	b.record("lenet", "of another day") // done again, as it would be without Slurm
	summary, err := b.run(
		func() {
			b.write("queue", "101|0|PENDING||Priority\n101|1|PENDING||Priority\n102|2|PENDING||Dependency\n")
		},
		func() {
			b.record("lenet", "the loss is NaN")
			b.record("mobilenetv1", "")
			b.write("queue", "")
		},
		func() { b.record("deit-t16-distiled-hard", "no teacher") },
	)
	if !errors.Is(err, bench.ErrFailed) || !strings.Contains(err.Error(), "lenet: the loss is NaN") {
		t.Errorf("error %v", err)
	}
	want := map[string]results.State{
		"lenet": results.StateFailed, "mobilenetv1": results.StateDone, "deit-t16-distiled-hard": results.StateFailed,
	}
	if diff := cmp.Diff(want, states(summary)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if args := b.read("103.args"); strings.Contains(args, "--dependency") {
		t.Errorf("the student waits for a teacher that has failed:\n%s", args)
	}
}

// A record that can't be read stays as it is: no task makes it another one.
func TestUnreadableRecord(t *testing.T) {
	b := newBenchmark(t)
	b.config.Models = b.config.Models[:2]
	spoil := func(job string) {
		b.record(job, "")
		if err := os.WriteFile(filepath.Join(b.config.Out, job, results.File), []byte("torn"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	spoil("lenet")
	summary, err := b.run(
		func() { b.write("queue", "101|1|RUNNING|node1|None\n") },
		func() {
			spoil("mobilenetv1")
			b.write("queue", "")
		},
	)
	const want = "its record, which stays as it is, can't be read"
	if !errors.Is(err, bench.ErrFailed) || strings.Count(err.Error(), want) != 2 {
		t.Errorf("error %v", err)
	}
	if n := summary.Count(results.StateFailed); n != 2 {
		t.Errorf("states %v, want both failed", states(summary))
	}
	if args := b.read("101.args"); len(b.submitted()) != 1 || !strings.Contains(args, "--array=1\n") {
		t.Errorf("arrays %v, the first with\n%s", b.submitted(), args)
	}
}

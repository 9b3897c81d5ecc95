package slurm

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

func TestView(t *testing.T) {
	f := newFake(t)
	out := t.TempDir()
	if view, err := View(t.Context(), out); view != nil || err != nil {
		t.Errorf("without a submission: %v, %v", view, err)
	}
	s := Submission{Arrays: []Array{
		{ID: 11, Name: "a", Tasks: []ArrayTask{{0, "lenet"}, {1, "osnet"}, {2, "osnet@2"}}},
		{ID: 12, Name: "b", Tasks: []ArrayTask{{0, "lenet"}}},
	}}
	if err := os.MkdirAll(filepath.Join(out, Folder), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := s.write(out); err != nil {
		t.Fatal(err)
	}
	f.write("queue", "11|0|FAILED||NonZeroExitCode\n11|1|RUNNING|node1|None\n12|0|PENDING||Resources\n")
	view, err := View(t.Context(), out)
	want := map[string]Place{
		"lenet": {"12_0", TaskState{State: "PENDING", Reason: "Resources"}},
		"osnet": {"11_1", TaskState{State: "RUNNING", Node: "node1"}},
	}
	if diff := cmp.Diff(want, view); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if text := view["lenet"].String(); text != "12_0 pending (Resources)" {
		t.Errorf("a place reads %q", text)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := View(t.Context(), out); !errors.Is(err, ErrMissing) {
		t.Errorf("without squeue: %v, want ErrMissing", err)
	}
}

// TestProgressIsTold has a job's folder written to while its task runs.
func TestProgressIsTold(t *testing.T) {
	b := newBenchmark(t)
	b.config.Models = b.config.Models[:1]
	log := filepath.Join(b.config.Out, "lenet", store.MetricsFile)
	step := func(text string) func() {
		return func() {
			b.fake.write("queue", "101|0|RUNNING|node1|None\n")
			if err := os.WriteFile(log, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	const first = `{"event":"step","stage":"classifier","epoch":1,"step":3,"lr":0.0005,"loss":1.5}` + "\n"
	const second = `{"event":"epoch","stage":"everything","epoch":2,"step":8,"lr":0.0005,"loss":1.25}` + "\n" +
		`{"event":"evaluation","stage":"everything","epoch":2,"step":8,"lr":0.0005,` +
		`"metrics":{"rank1":0.25,"rank5":0.5,"rank10":0.5,"map":0.125}}` + "\n"
	_, err := b.run(step(first), step(first), step(first+second), func() { b.record("lenet", "") })
	if err != nil {
		t.Fatal(err)
	}
	type news struct {
		Kind  progress.Kind
		State results.State
		Step  int
		Loss  float64
	}
	var got []news
	for _, e := range b.events {
		switch e.Kind {
		case progress.StateChanged, progress.Stepped, progress.Evaluated:
			got = append(got, news{e.Kind, e.State, e.Step, e.Loss})
		}
	}
	want := []news{
		{progress.StateChanged, results.StateRunning, 0, 0},
		{progress.Stepped, "", 3, 1.5}, // the second look brings nothing new
		{progress.Stepped, "", 8, 1.25}, {progress.Evaluated, "", 8, 1.25},
		{progress.StateChanged, results.StateDone, 0, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

package slurm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/internal/golden"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

func TestRun(t *testing.T) {
	b := newBenchmark(t)
	b.executor.Options = Options{Partition: "cpu", Time: "3-00", CPUs: 4, Memory: "12G", Limit: 8}
	summary, err := b.run(
		func() {
			b.write("queue", "101|0|RUNNING|node1|None\n101|1|PENDING||Resources\n102|2|PENDING||Dependency\n")
		},
		func() {
			b.record("lenet", "")
			b.write("queue", "101|0|COMPLETED|node1|None\n101|1|RUNNING|node2|None\n102|2|RUNNING|node1|None\n")
		},
		func() {
			b.record("mobilenetv1", "")
			b.record("deit-t16-distiled-hard", "")
			b.write("queue", "")
		},
	)
	if err != nil || trained(summary) != 3 {
		t.Errorf("%v, states %v", err, states(summary))
	}
	want := []string{
		"submitted 2 jobs as array 101",
		"submitted 1 job as array 102, which waits for task 101_0",
		"lenet: running on node1 as task 101_0",
		"mobilenetv1: running on node2 as task 101_1",
		"deit-t16-distiled-hard: running on node1 as task 102_2",
	}
	drawn := 2 // lines about the dataset go before
	if diff := cmp.Diff(want, b.lines[drawn:]); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	var calls strings.Builder
	for _, id := range b.submitted() {
		fmt.Fprintf(&calls, "sbatch\n%s\n%s\n",
			b.read(fmt.Sprintf("%d.args", id)), b.read(fmt.Sprintf("%d.script", id)))
	}
	text := strings.ReplaceAll(calls.String(), filepath.Dir(b.config.Out), "/shared")
	text = regexp.MustCompile(`reidbench-[0-9a-z]{10,12}\b`).ReplaceAllString(text, "reidbench-…")
	golden.Compare(t, "calls.txt", text)
}

func TestAttach(t *testing.T) {
	b := newBenchmark(t)
	b.executor.Detach = true
	if _, err := b.run(); err != nil {
		t.Fatal(err)
	}
	b.write("queue", "101|0|RUNNING|node1|None\n101|1|COMPLETING|node1|None\n102|2|PENDING||Dependency\n")
	b.executor.Detach = false
	summary, err := b.run(func() {
		for _, job := range []string{"lenet", "mobilenetv1", "deit-t16-distiled-hard"} {
			b.record(job, "")
		}
	})
	if err != nil || trained(summary) != 3 {
		t.Errorf("%v, states %v", err, states(summary))
	}
	if ids := b.submitted(); len(ids) != 2 {
		t.Errorf("arrays %v were submitted, want those of the first call only", ids)
	}
	summary, err = b.run()
	if err != nil || trained(summary) != 0 || summary.Count(results.StateDone) != 3 {
		t.Errorf("all done: %v, states %v", err, states(summary))
	}
}

func TestDeadTasksAreSubmittedAgain(t *testing.T) {
	b := newBenchmark(t)
	summary, err := b.run(
		func() {
			// The teacher has died, and its student's dependency with it.
			b.record("mobilenetv1", "")
			b.write("queue", "101|0|NODE_FAIL|node1|NodeDown\n102|2|CANCELLED||DependencyNeverSatisfied\n")
		},
		func() {
			b.record("lenet", "")
			b.record("deit-t16-distiled-hard", "")
		},
	)
	if err != nil || trained(summary) != 3 {
		t.Errorf("%v, states %v", err, states(summary))
	}
	if !b.tells("lenet: task 101_0 ended without a result (node fail on node1 (NodeDown)), see ") {
		t.Errorf("progress says nothing of the death:\n%s", strings.Join(b.lines, "\n"))
	}
	for id, want := range map[int]string{103: "--array=0\n", 104: "--array=2\n"} {
		if args := b.read(fmt.Sprintf("%d.args", id)); !strings.Contains(args, want) {
			t.Errorf("array %d was submitted with\n%swhich lacks %s", id, args, want)
		}
	}
	if args := b.read("104.args"); !strings.Contains(args, "--dependency=afterok:103_0\n") {
		t.Errorf("the student does not wait for its teacher's new task:\n%s", args)
	}
	s, err := Read(b.config.Out)
	if diff := cmp.Diff([]int{101, 103, 104}, s.ids()); err != nil || diff != "" {
		t.Errorf("noted arrays, without those that no job is in any more (-want +got), %v:\n%s", err, diff)
	}
}

func TestPatienceEnds(t *testing.T) {
	b := newBenchmark(t)
	b.config.Models = b.config.Models[:1]
	log := filepath.Join(b.config.Out, Folder, "103_0.log")
	nothing := func() {}
	summary, err := b.run(nothing, nothing, func() {
		if err := os.WriteFile(log, []byte("a start\nreidbench: cannot execute\n\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		b.write("queue", "103|0|FAILED|node1|NonZeroExitCode\n")
	})
	if !errors.Is(err, bench.ErrFailed) || !errors.Is(err, errDied) || summary.Count(results.StateFailed) != 1 {
		t.Errorf("error %v, states %v", err, states(summary))
	}
	for _, want := range []string{"3 times", "failed on node1 (NonZeroExitCode)", log, `"reidbench: cannot execute"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestOtherFlagsConflict(t *testing.T) {
	b := newBenchmark(t)
	b.executor.Detach = true
	if _, err := b.run(); err != nil {
		t.Fatal(err)
	}
	b.write("queue", "101|0|PENDING||Priority\n101|1|COMPLETED||None\n")
	b.executor.Flags = []string{"--out=/shared/runs", "--recipe=tiny", "--lr=1"}
	_, err := b.run()
	if !errors.Is(err, store.ErrConflict) ||
		!strings.Contains(err.Error(), "lenet is pending (Priority) as task 101_0") {
		t.Errorf("error %v, want ErrConflict", err)
	}
}

func TestKilledBetweenSubmissionAndNote(t *testing.T) {
	for _, test := range []struct {
		named string
		calls int
	}{
		{"77\n77\n", 0}, // Slurm has the array
		{"", 1},         // it was never submitted
	} {
		b := newBenchmark(t)
		b.config.Models = b.config.Models[:1]
		s := Submission{
			Arrays: []Array{{Name: "reidbench-lost", Flags: b.executor.Flags, Tasks: []ArrayTask{{0, "lenet"}}}},
		}
		if err := os.MkdirAll(filepath.Join(b.config.Out, Folder), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := s.write(b.config.Out); err != nil {
			t.Fatal(err)
		}
		b.write("named", test.named)
		b.write("queue", "77|0|RUNNING|node1|None\n")
		summary, err := b.run(func() { b.record("lenet", "") })
		if err != nil || trained(summary) != 1 {
			t.Errorf("%v, states %v", err, states(summary))
		}
		if ids := b.submitted(); len(ids) != test.calls {
			t.Errorf("an array that Slurm names %q: sbatch was called for %v", test.named, ids)
		}
	}
}

// TestAnswersOfSbatch: what Slurm may have taken is submitted again only when Slurm says that it is not there.
func TestAnswersOfSbatch(t *testing.T) {
	const timedOut = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n"
	for _, test := range []struct {
		name   string
		files  map[string]string // of the fake, for the first call
		known  string            // what Slurm says of the array's name in the second
		first  bool              // whether the first call succeeds
		arrays []int             // that are noted after it; 0: without an id
		calls  int               // of sbatch that Slurm has taken, both calls together
	}{
		{"a banner", map[string]string{"banner": "*** project foo charged ***\n"}, "", true, []int{101}, 1},
		{"no id, and found by name", map[string]string{"mute": "yes", "named": "101\n101\n"}, "", true, []int{101}, 1},
		{"no id, and found later", map[string]string{"mute": "yes"}, "101\n", false, []int{0}, 1},
		{"no id, and not there", map[string]string{"mute": "yes"}, "", false, []int{0}, 2},
		{"timed out, and taken", map[string]string{"sbatch": timedOut}, "77\n", false, []int{0}, 0},
		{"timed out, and not taken", map[string]string{"sbatch": timedOut}, "", false, []int{0}, 1},
		{"refused", map[string]string{"sbatch": "sbatch: error: Invalid partition\n"}, "", false, nil, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBenchmark(t)
			b.config.Models, b.executor.Detach = b.config.Models[:1], true
			for name, text := range test.files {
				b.write(name, text)
			}
			if _, err := b.run(); (err == nil) != test.first {
				t.Errorf("the first call: %v", err)
			}
			s, err := Read(b.config.Out)
			if err != nil {
				t.Fatal(err)
			}
			var arrays []int
			for _, a := range s.Arrays {
				arrays = append(arrays, a.ID)
			}
			if diff := cmp.Diff(test.arrays, arrays); diff != "" {
				t.Errorf("noted arrays (-want +got):\n%s", diff)
			}
			for _, name := range []string{"mute", "sbatch", "banner"} {
				b.write(name, "")
			}
			b.write("named", test.known)
			b.write("queue", "101|0|PENDING||Priority\n77|0|PENDING||Priority\n")
			if _, err := b.run(); err != nil {
				t.Errorf("the second call: %v", err)
			}
			if ids := b.submitted(); len(ids) != test.calls {
				t.Errorf("Slurm has taken %v, want %d", ids, test.calls)
			}
		})
	}
}

// TestLargeRunsAreSeveralArrays: no array index reaches the cluster's MaxArraySize, here that of two jobs.
func TestLargeRunsAreSeveralArrays(t *testing.T) {
	b := newBenchmark(t)
	b.write("config", "MaxArraySize            = 2\n")
	b.config.Seeds = 2
	summary, err := b.run(
		func() {
			tasks := []string{"101|0", "101|1", "102|1", "103|0", "104|0", "105|1", ""}
			b.write("queue", strings.Join(tasks, "|RUNNING|node1|None\n"))
		},
		func() {
			for _, job := range []string{"lenet", "mobilenetv1", "deit-t16-distiled-hard"} {
				b.record(job, "")
				b.record(job+"@2", "")
			}
		},
	)
	if err != nil || trained(summary) != 6 {
		t.Errorf("%v, states %v", err, states(summary))
	}
	var got []string
	for _, id := range b.submitted() {
		args, text := b.read(fmt.Sprintf("%d.args", id)), b.read(fmt.Sprintf("%d.script", id))
		got = append(got, regexp.MustCompile(`--array=\S+`).FindString(args)+
			" "+regexp.MustCompile(`--dependency=\S+`).FindString(args)+
			" "+regexp.MustCompile(`--task="[^"]+"`).FindString(text))
	}
	want := []string{ // of the jobs 0 to 5: lenet, mobilenetv1, the student, and all once more
		`--array=0-1  --task="$((0 + SLURM_ARRAY_TASK_ID))"`,
		`--array=1  --task="$((2 + SLURM_ARRAY_TASK_ID))"`,
		`--array=0  --task="$((4 + SLURM_ARRAY_TASK_ID))"`,
		`--array=0 --dependency=afterok:101_0 --task="$((2 + SLURM_ARRAY_TASK_ID))"`,
		`--array=1 --dependency=afterok:102_1 --task="$((4 + SLURM_ARRAY_TASK_ID))"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arrays (-want +got):\n%s", diff)
	}
}

func TestArraySize(t *testing.T) {
	for config, want := range map[string]int{
		"MaxArraySize            = 1001\n": 1001, "A = 7\nMaxArraySize = 4000001\nB = 8": 4_000_001,
		"MaxArraySize = 0": 1, "MaxArraySize = many": defaultArraySize, "": defaultArraySize,
	} {
		newFake(t).write("config", config)
		if got := arraySize(t.Context()); got != want {
			t.Errorf("%q: %d, want %d", config, got, want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if got := arraySize(t.Context()); got != defaultArraySize {
		t.Errorf("without scontrol: %d", got)
	}
}

func TestRefusals(t *testing.T) {
	const words = "sbatch: error: Batch job submission failed: Invalid partition name specified"
	t.Run("sbatch", func(t *testing.T) {
		b := newBenchmark(t)
		b.write("sbatch", words+"\n")
		_, err := b.run()
		if !errors.Is(err, errRefused) || !strings.HasSuffix(err.Error(), words) {
			t.Errorf("error %v, want errRefused with Slurm's words", err)
		}
		if s, err := Read(b.config.Out); err != nil || len(s.Arrays) != 0 {
			t.Errorf("what was refused is noted: %v, %v", s, err)
		}
	})
	t.Run("squeue for a while", func(t *testing.T) {
		b := newBenchmark(t)
		b.config.Models = b.config.Models[:1]
		summary, err := b.run(
			func() { b.write("squeue", "Unable to contact slurm controller (connect failure)\n") },
			func() {},
			func() { b.write("squeue", ""); b.record("lenet", "") },
		)
		if err != nil || trained(summary) != 1 || len(b.submitted()) != 1 {
			t.Errorf("%v, states %v, arrays %v", err, states(summary), b.submitted())
		}
		if text := strings.Join(b.lines, "\n"); strings.Count(text, "Unable to contact") != 1 {
			t.Errorf("the trouble is not told once:\n%s", text)
		}
	})
	t.Run("unknown jobs", func(t *testing.T) {
		b := newBenchmark(t)
		b.write("squeue", "slurm_load_jobs error: Invalid job id specified\n")
		if tasks, err := queue(t.Context(), []int{7}); err != nil || len(tasks) != 0 {
			t.Errorf("tasks %v, error %v", tasks, err)
		}
	})
	t.Run("no Slurm", func(t *testing.T) {
		b := newBenchmark(t)
		t.Setenv("PATH", t.TempDir())
		if _, err := b.run(); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "sbatch") {
			t.Errorf("error %v, want ErrMissing that names the program", err)
		}
	})
}

func TestEndOfPatienceOfTheUser(t *testing.T) {
	b := newBenchmark(t)
	summary, err := b.run() // Ctrl-C at the first wait
	if !errors.Is(err, bench.ErrInterrupted) || summary.Count(results.StateWaiting) != 3 {
		t.Errorf("error %v, states %v", err, states(summary))
	}
	if !b.tells("the tasks stay in Slurm") {
		t.Errorf("what becomes of the tasks is not told:\n%s", strings.Join(b.lines, "\n"))
	}
}

package slurm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

// fake is a Slurm that is nothing but testdata/bin and the files that these programs read and write.
type fake struct {
	t   *testing.T
	dir string
}

func newFake(t *testing.T) fake {
	t.Helper()
	bin, err := filepath.Abs("testdata/bin")
	if err != nil {
		t.Fatal(err)
	}
	f := fake{t, t.TempDir()}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("FAKE_SLURM", f.dir)
	f.write("id", "100")
	f.write("queue", "")
	f.write("named", "")
	f.write("config", "Configuration data as of today\nMaxArraySize            = 1001\nMaxDBDMsgs = 20004\n")
	return f
}

func (f fake) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o666); err != nil {
		f.t.Fatal(err)
	}
}

func (f fake) read(name string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// submitted are the ids of the arrays that sbatch was called for.
func (f fake) submitted() []int {
	var ids []int
	for id := 101; fmt.Sprint(id-1) != strings.TrimSpace(f.read("id")); id++ {
		ids = append(ids, id)
	}
	return ids
}

// chronicle is a progress that keeps what it is told.
type chronicle struct {
	mu     sync.Mutex
	events []progress.Event
	lines  []string // of what was noted, warned of, or failed
}

func (c *chronicle) Report(e progress.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
	switch {
	case e.Kind == progress.Noted, e.Kind == progress.Warned:
		c.lines = append(c.lines, strings.TrimPrefix(e.Job+": "+e.Text, ": "))
	case e.State == results.StateFailed:
		c.lines = append(c.lines, fmt.Sprintf("%s: failed: %v", e.Job, e.Err))
	}
}

// tells reports whether one of the lines contains text.
func (c *chronicle) tells(text string) bool {
	return strings.Contains(strings.Join(c.lines, "\n"), text)
}

// benchmark is a run of LeNet, MobileNetV1 and a student of the former, whose tasks the test plays.
type benchmark struct {
	t *testing.T
	fake
	config   bench.Config
	executor Executor
	chronicle
}

func newBenchmark(t *testing.T) *benchmark {
	t.Helper()
	var list []models.Model
	for _, name := range []string{"lenet", "mobilenetv1", "deit-t16-distiled-hard"} {
		m, err := models.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	b := &benchmark{t: t, fake: newFake(t)}
	b.config = bench.Config{
		Out: filepath.Join(t.TempDir(), "runs"), Models: list, Teacher: "lenet", Recipe: recipe.Tiny(), Seed: 1,
		Progress: &b.chronicle,
	}
	b.executor = Executor{Program: "testdata/bin/sbatch", Flags: []string{"--out=/shared/runs", "--recipe=tiny"}}
	return b
}

// run executes with one step of a story each time that the executor would wait. When the story is over
// and it waits still, the context ends.
func (b *benchmark) run(story ...func()) (bench.Summary, error) {
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	b.executor.Pause = func(context.Context) {
		if len(story) == 0 {
			cancel()
			return
		}
		story[0]()
		story = story[1:]
	}
	return b.executor.Run(ctx, b.config)
}

// record writes the record of a job's end: done, or failed for a reason.
func (b *benchmark) record(job, reason string) {
	b.t.Helper()
	model, _, _ := strings.Cut(job, "@")
	r := results.Record{
		Model: model, State: results.StateDone, Recipe: results.Recipe{Name: "tiny", Values: map[string]any{}},
		Dataset: results.Dataset{Name: "synthetic", Fingerprint: "f"},
	}
	if r.Final = (&results.Metrics{Rank1: 0.5, Rank5: 0.6, Rank10: 0.7, MAP: 0.4}); reason != "" {
		r.State, r.Reason = results.StateFailed, reason
	}
	dir := filepath.Join(b.config.Out, job)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := results.Write(dir, r); err != nil {
		b.t.Fatal(err)
	}
}

// states are the summary's, by job.
func states(s bench.Summary) map[string]results.State {
	all := map[string]results.State{}
	for _, j := range s.Jobs {
		all[filepath.Base(j.Dir)] = j.State
	}
	return all
}

// trained counts the jobs that are done, and were not before.
func trained(s bench.Summary) int {
	n := 0
	for _, j := range s.Jobs {
		if j.State == results.StateDone && !j.DoneBefore {
			n++
		}
	}
	return n
}

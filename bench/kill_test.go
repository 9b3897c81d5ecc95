package bench

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/bench/train"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

var killSeed = flag.Uint64("killseed", 0, "seed of the moments at which tests kill; 0: the time")

// These make the test binary train into a folder, for TestKilledAtAnyMoment.
const (
	victimOut  = "BENCH_TEST_VICTIM_OUT"
	victimData = "BENCH_TEST_VICTIM_DATA"
)

// victim is a run of a teacher and its student that writes a checkpoint after each step: most of its time goes
// into writing them.
func victim(out, data string) Config {
	return Config{
		Out: out, Data: data,
		Models:  []models.Model{tinymodel.New("teacher"), tinymodel.Distilled("student", models.SoftDistillation)},
		Teacher: "teacher", Recipe: brief(), Seed: 7, Threads: 1,
		Checkpoints: Checkpoints{Interval: 1, Every: 2},
	}
}

// runVictim runs it, with a line on standard output for each event.
func runVictim(out, data string) {
	c := victim(out, data)
	c.Progress = watcher(func(e progress.Event) {
		if e.Kind == progress.Warned {
			fmt.Fprintln(os.Stderr, e.Text) // a kill leaves nothing to warn of
		}
		fmt.Println(e.Kind)
	})
	if _, err := Run(context.Background(), c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// life starts the victim and kills it at a moment: delay after the last of a number of its events. It returns whether
// it was killed before its end.
func life(t *testing.T, c Config, events int, delay time.Duration) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), self)
	process.Env = append(os.Environ(), victimOut+"="+c.Out, victimData+"="+c.Data)
	var stderr strings.Builder
	process.Stderr = &stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); events > 0 && lines.Scan(); {
		events--
	}
	if events == 0 {
		time.Sleep(delay) // the moment within the event's work; nothing waits for anything here
		_ = process.Process.Kill()
	}
	_, _ = io.Copy(io.Discard, stdout)
	err = process.Wait()
	if stderr.Len() > 0 {
		t.Errorf("it says: %s", &stderr)
	}
	if err != nil && process.ProcessState.Exited() {
		t.Fatal(err)
	}
	return err != nil
}

// killer returns the random moments of a test's kills, which begin with -killseed, and a run that has come to its end
// without any. stream tells tests apart.
func killer(t *testing.T, stream uint64) (*rand.Rand, Config) {
	t.Helper()
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-killseed %d", seed)
	undisturbed := victim(filepath.Join(t.TempDir(), "undisturbed"), testData(t))
	mustRun(t, undisturbed)
	return rand.New(rand.NewPCG(seed, stream)), undisturbed
}

// TestKilledAtAnyMoment kills a process that trains, with SIGKILL, and repeats its command, until it has come to its
// end: time and again, at fifty moments in all. Each time the results are those of the run that nothing disturbed.
func TestKilledAtAnyMoment(t *testing.T) {
	kills := 50
	if testing.Short() {
		kills = 10
	}
	random, undisturbed := killer(t, 0)

	network, err := tinymodel.New("any").Graph(4)
	if err != nil {
		t.Fatal(err)
	}
	killed, torn, unlogged, runs := 0, 0, 0, 0
	for killed < kills {
		runs++
		c := undisturbed
		c.Out = filepath.Join(t.TempDir(), "runs")
		for {
			events, delay := random.IntN(15), time.Duration(random.Int64N(int64(4*time.Millisecond)))
			if events == 0 { // while it starts
				delay *= 10
			}
			if !life(t, c, events, delay) {
				break
			}
			killed++
			partial, short := wreckage(t, c.Out)
			torn += min(partial, 1)
			unlogged += min(short, 1)
			if t.Failed() {
				return
			}
		}
		for _, job := range []string{"teacher", "student"} {
			want, got := filepath.Join(undisturbed.Out, job), filepath.Join(c.Out, job)
			sameTrace(t, job, want, got)
			if diff := cmp.Diff(files(t, want), files(t, got)); diff != "" {
				t.Errorf("files of the %s (-undisturbed +killed):\n%s", job, diff)
			}
			if err := (store.Folder{Dir: got}).LoadWeights(train.NewWeights(network, 0)); err != nil {
				t.Error(err)
			}
		}
	}
	t.Logf("%d runs were killed %d times, %d times while a file was written, %d times with lines in the log that no "+
		"checkpoint has",
		runs, killed, torn, unlogged)
	if torn == 0 {
		t.Error("no kill fell into the writing of a file")
	}
}

// wreckage counts what a kill has left: files that are not whole, and logs that are ahead of the newest checkpoint.
func wreckage(t *testing.T, out string) (partial, ahead int) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(out, "*", ".*.partial-*"))
	if err != nil {
		t.Fatal(err)
	}
	statuses, err := store.Statuses(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, s := range statuses {
		var epochs, steps int
		if s.State == results.StateRunning || s.State == results.StateUnknown {
			t.Errorf("a killed job is %s: %s", s.State, s.Reason)
		}
		if _, err := fmt.Sscanf(s.Checkpoint, checkpointFormat, &epochs, &steps); s.State == results.StateInterrupted &&
			(err != nil || s.Step > epochs*s.Steps/s.Epochs+steps) {
			ahead++
		}
	}
	return len(all), ahead
}

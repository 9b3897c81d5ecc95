//go:build unix

package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/results"
)

var signalSeed = flag.Uint64("signalseed",
	0, "seed of the moments at which TestSignalledWithAPipeBehind signals; 0: the time")

// signalled runs a command line whose output goes through a pipe, until the first line has come and a time after that.
// Then the pipe's reader ends, and the command's process group gets a signal: what Ctrl-C does to a command with tee
// behind it, and a closed window. It returns the exit code, -1 if the signal has killed it.
func signalled(t *testing.T, s syscall.Signal, delay time.Duration, args ...string) int {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command := program(t, args...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Stdout, command.Stderr = w, w
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	time.Sleep(delay) // the moment within what it does; nothing waits for anything here
	r.Close()
	_ = syscall.Kill(-command.Process.Pid, s)
	_ = command.Wait()
	return command.ProcessState.ExitCode()
}

// TestSignalledWithAPipeBehind sends signals to the process group of a run with a pipe behind it, at random moments,
// until the run has come to its end, or has been stopped often enough. Each time it ends by itself with all its steps
// in a checkpoint, and the result is that of the run that nothing disturbed.
func TestSignalledWithAPipeBehind(t *testing.T) {
	signals, seed := 24, *signalSeed
	if testing.Short() {
		signals = 6
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-signalseed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	data := synthetic(t)
	line := func(out string) []string {
		return []string{
			"run", "lenet", "--data", data, "--out", out, "--epochs", "150", "--batch", "4", "--threads", "1",
		}
	}
	undisturbed := t.TempDir()
	succeed(t, line(undisturbed)...)
	want, err := results.Read(filepath.Join(undisturbed, "lenet"))
	if err != nil {
		t.Fatal(err)
	}
	codes := map[syscall.Signal]int{
		syscall.SIGINT: exitFound, syscall.SIGTERM: exitContinue, syscall.SIGHUP: exitContinue,
	}
	stopped := 0
	for stopped < signals {
		out := t.TempDir()
		for stopped < signals {
			s := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}[random.IntN(3)]
			delay := time.Duration(random.Int64N(int64(100 * time.Millisecond)))
			code := signalled(t, s, delay, line(out)...)
			if code == exitOK {
				break
			}
			stopped++
			if code != codes[s] {
				t.Fatalf("%v: exit code %d, want %d", s, code, codes[s])
			}
			if logged, saved := steps(t, out); logged != saved {
				t.Errorf("%v: %d steps were done, the checkpoint has %d", s, logged, saved)
			}
		}
		succeed(t, line(out)...) // what is left, or nothing
		got, err := results.Read(filepath.Join(out, "lenet"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Final, got.Final); diff != "" {
			t.Errorf("it ends otherwise (-undisturbed +signalled):\n%s", diff)
		}
		digest := func(runs string) string {
			return read(t, filepath.Join(runs, "lenet", store.WeightsFile+".sha256"))
		}
		if diff := cmp.Diff(digest(undisturbed), digest(out)); diff != "" {
			t.Errorf("weights (-undisturbed +signalled):\n%s", diff)
		}
	}
	t.Logf("stopped %d times", stopped)
}

// steps are those that the log of a run's only job has, and those that its newest checkpoint has.
func steps(t *testing.T, out string) (logged, saved int) {
	t.Helper()
	jobs, err := store.Statuses(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		var epochs, more int
		if j.Checkpoint != "" {
			if _, err := fmt.Sscanf(j.Checkpoint, "checkpoint-epoch%d-step%d.safetensors", &epochs, &more); err != nil {
				t.Fatal(err)
			}
			saved = epochs*j.Steps/j.Epochs + more
		}
		logged = j.Step
	}
	return logged, saved
}

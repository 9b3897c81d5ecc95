package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHeed(t *testing.T) {
	type sent struct {
		signal os.Signal
		after  time.Duration // the signal before it
	}
	const long = time.Minute
	for _, test := range []struct {
		name    string
		signals []sent
		want    []string
	}{
		{"Ctrl-C", []sent{{os.Interrupt, 0}}, []string{"end <nil>"}},
		{"SIGTERM", []sent{{syscall.SIGTERM, 0}}, []string{"end terminated"}},
		{"SIGHUP", []sent{{syscall.SIGHUP, 0}}, []string{"end terminated"}},
		{"to the process and its group", []sent{{syscall.SIGTERM, 0}, {syscall.SIGTERM, sameRequest / 2}},
			[]string{"end terminated"}},
		{"a session's end", []sent{{syscall.SIGTERM, 0}, {syscall.SIGHUP, 0}, {syscall.SIGHUP, 0}},
			[]string{"end terminated"}},
		{"SIGTERM twice", []sent{{syscall.SIGTERM, 0}, {syscall.SIGTERM, long}},
			[]string{"end terminated", "exit 75"}},
		{"SIGTERM after SIGHUP", []sent{{syscall.SIGHUP, 0}, {syscall.SIGTERM, long}},
			[]string{"end terminated", "exit 75"}},
		{"SIGTERM after Ctrl-C", []sent{{os.Interrupt, 0}, {syscall.SIGTERM, 0}}, []string{"end <nil>", "exit 75"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				signals := make(chan os.Signal)
				go patience{
					now:  time.Now,
					end:  func(cause error) { got = append(got, fmt.Sprintf("end %v", cause)) },
					exit: func(code int) { got = append(got, fmt.Sprintf("exit %d", code)) },
				}.heed(signals)
				for _, s := range test.signals {
					time.Sleep(s.after)
					signals <- s.signal
					synctest.Wait()
				}
				close(signals)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSignalledAtOnce sends SIGTERM as soon as signals are caught, which is before the models are put together.
func TestSignalledAtOnce(t *testing.T) {
	const caught, slow = "init github.com/reidbench/reidbench/cmd/reidbench/internal/signals ",
		"init github.com/reidbench/reidbench/models "
	command := program(t, "run", "lenet", "--out", t.TempDir(), "--recipe", "tiny")
	command.Env = append(command.Env, "GODEBUG=inittrace=1") // a line on standard error for each package
	stderr := &tripwire{text: caught}
	stderr.trip = func() { _ = command.Process.Signal(syscall.SIGTERM) }
	command.Stderr = stderr
	_ = command.Run()
	text := stderr.String()
	if code := command.ProcessState.ExitCode(); code != exitContinue || !strings.Contains(text, "reidbench: ") {
		t.Errorf("%v, want exit code %d and a sentence:\n%s", command.ProcessState, exitContinue, text)
	}
	if _, after, _ := strings.Cut(text, caught); !strings.Contains(after, slow) {
		t.Errorf("signals are caught after the models are put together:\n%s", text)
	}
}

// TestNobodyReads has a process write after its reader is gone, to standard output and error.
func TestNobodyReads(t *testing.T) {
	for _, line := range [][]string{{"list"}, {"list", "--al"}} {
		want := reidbench(t, line...).code
		command := program(t, line...)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		command.Stdout, command.Stderr = w, w
		_ = command.Run()
		w.Close()
		if got := command.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: exit code %d (%v), want %d", line, got, command.ProcessState, want)
		}
	}
}

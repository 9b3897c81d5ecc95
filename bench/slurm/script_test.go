package slurm

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestScript runs the batch script as slurmd would, with a program that ends as it is told to.
func TestScript(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash on this machine")
	}
	// Its arguments are a file, how it is to end, and the words of a quoting test.
	const program = `#!/bin/sh
trap 'exit 75' TERM
printf '%s\n' "$@" > "$1"
[ "$2" = wait ] || exit "$2"
while :; do sleep 0.01; done
`
	for _, test := range []struct {
		name     string
		ending   string // what the program does
		notice   bool   // SIGTERM comes
		state    string // Slurm's of the task, when it has ended
		code     int
		scontrol string // what it is told
	}{
		{"done", "0", false, "RUNNING", 0, ""},
		{"failed", "1", false, "RUNNING", 1, ""},
		{"its time is nearly up", "wait", true, "RUNNING", 0, "requeue 12_3\n"},
		{"preempted or cancelled", "wait", true, "COMPLETING", 75, ""},
		{"killed", "137", false, "RUNNING", 137, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t)
			f.write("queue", test.state+"\n")
			f.write("scontrol", "")
			path, arguments := filepath.Join(f.dir, "a program"), filepath.Join(f.dir, "arguments")
			if err := os.WriteFile(path, []byte(program), 0o777); err != nil {
				t.Fatal(err)
			}
			batch := filepath.Join(f.dir, "batch")
			f.write("batch", script(path, []string{arguments, test.ending, "it's", "$HOME *"}, 1000))
			c := exec.CommandContext(t.Context(), "bash", batch)
			c.Env = append(os.Environ(), "SLURM_ARRAY_JOB_ID=12", "SLURM_ARRAY_TASK_ID=3", "SLURM_CPUS_PER_TASK=4")
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if test.notice {
				for { // until the program is there to be told
					if info, err := os.Stat(arguments); err == nil && info.Size() > 0 {
						break
					}
					time.Sleep(time.Millisecond)
				}
				if err := c.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			_ = c.Wait()
			if code := c.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if diff := cmp.Diff(test.scontrol, f.read("scontrol")); diff != "" {
				t.Errorf("scontrol (-want +got):\n%s", diff)
			}
			want := arguments + "\n" + test.ending + "\nit's\n$HOME *\n--threads=4\n--task=1003\n"
			if diff := cmp.Diff(want, f.read("arguments")); diff != "" {
				t.Errorf("the program's arguments (-want +got):\n%s", diff)
			}
		})
	}
}

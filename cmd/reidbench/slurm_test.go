package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/slurm"
	"github.com/reidbench/reidbench/bench/store"
)

var realSlurm = flag.Bool("slurm",
	false, "run the test on a real Slurm of one node: as root, with slurmctld, slurmd and munge installed")

// slurmNode is a Slurm of one node that the test has for itself.
type slurmNode struct {
	t   *testing.T
	dir string
}

func startSlurm(t *testing.T) slurmNode {
	t.Helper()
	if !*realSlurm {
		t.Skip("only with -slurm")
	}
	n := slurmNode{t, t.TempDir()}
	t.Setenv("SLURM_CONF", filepath.Join(n.dir, "slurm.conf"))
	t.Setenv(asProgram, "1") // tasks have the environment of whoever submits them
	t.Cleanup(func() { n.control("stop") })
	n.control("start")
	return n
}

// control does to the node what the script calls so.
func (n slurmNode) control(what string) {
	n.t.Helper()
	n.run("../../bench/slurm/testdata/slurm-node", what, n.dir)
}

func (n slurmNode) run(name string, args ...string) {
	n.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// until waits for something to be so, as long as the test may take.
func (n slurmNode) until(what string, is func() bool) {
	n.t.Helper()
	for !is() {
		select {
		case <-n.t.Context().Done():
			n.t.Fatalf("the test ended before %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// task is where a job was submitted.
func (n slurmNode) task(out, job string) string {
	n.t.Helper()
	s, err := slurm.Read(out)
	if err != nil {
		n.t.Fatal(err)
	}
	task, ok := s.Task(job)
	if !ok {
		n.t.Fatalf("%s was not submitted: %+v", job, s)
	}
	return task.String()
}

// TestSlurm has three models trained by a Slurm that does to them what Slurm does to jobs. The table at the end is
// that of an undisturbed run without Slurm.
func TestSlurm(t *testing.T) {
	node := startSlurm(t)
	command := func(out string, more ...string) *exec.Cmd {
		c := program(t, append([]string{
			"run", "mobilenetv3-small", "osnet", "deit-t16-distiled-hard", "--teacher", "mobilenetv3-small",
			"--recipe", "tiny", "--epochs", "12", "--checkpoint-interval", "500ms", "--out", out,
		}, more...)...)
		c.Stderr = &bytes.Buffer{}
		return c
	}
	want, err := command(t.TempDir()).Output()
	if err != nil {
		t.Fatal(err)
	}

	out := t.TempDir()
	logOf := map[string]string{}
	trained := func(job string) func() bool {
		return func() bool {
			files, err := filepath.Glob(filepath.Join(out, job, "checkpoint-*.safetensors"))
			return err == nil && len(files) > 0
		}
	}
	first := command(out, "--executor", "slurm")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}

	node.until("the teacher has a checkpoint", trained("mobilenetv3-small"))
	for _, job := range []string{"mobilenetv3-small", "osnet", "deit-t16-distiled-hard"} {
		logOf[job] = filepath.Join(out, slurm.Folder, node.task(out, job)+".log")
	}
	node.run("scontrol", "requeue", node.task(out, "mobilenetv3-small")) // as when it is preempted

	node.until("osnet has a checkpoint", trained("osnet"))
	node.run("scancel", "--batch", "--signal=TERM", node.task(out, "osnet")) // as when its time is nearly up
	node.until("osnet goes on",
		func() bool { return strings.Count(read(t, logOf["osnet"]), "goes on after step") == 1 })

	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	node.control("fail")

	second := command(out, "--executor", "slurm")
	got, err := second.Output()
	if err != nil {
		t.Errorf("attached again: %v\n%s", err, second.Stderr)
	}
	if diff := cmp.Diff(learned(t, string(want)), learned(t, string(got))); diff != "" {
		t.Errorf("the table differs from that of a run without Slurm (-without +with):\n%s", diff)
	}
	if strings.Contains(second.Stderr.(*bytes.Buffer).String(), "drawing") {
		t.Errorf("the second command has not attached:\n%s", second.Stderr)
	}
	for job, atLeast := range map[string]int{"mobilenetv3-small": 1, "osnet": 2} {
		if log := read(t, logOf[job]); strings.Count(log, "goes on after step") < atLeast {
			t.Errorf("%s has not gone on from a checkpoint %d times:\n%s", job, atLeast, log)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "osnet", store.WeightsFile)); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

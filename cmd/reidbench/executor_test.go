package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

func TestExecutorFlags(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"--executor pbs", "--executor pbs: there are local, slurm, kubernetes"},
		{"--partition cpu", "--partition is for --executor slurm, not local"},
		{"--detach", "--detach is for --executor slurm, not local"},
		{"--cpus 4", "--cpus is for --executor slurm, not local"},
		{"--executor slurm --jobs 2", "--jobs is for --executor local, not slurm"},
		{"--executor slurm --task 2", "--task is for --executor local, not slurm"},
		{"--executor slurm --image x", "--image is for --executor kubernetes, not slurm"},
		{"--executor slurm --cpus 0", `"0" for "--cpus" flag: must be from 1 to 4096`},
		{"--executor kubernetes", "add --print"},
		{"--executor kubernetes --print --time 1:00:00", "--time is for --executor slurm, not kubernetes"},
		{"--executor kubernetes --print", "--image is missing: this build, "},
		{"--executor kubernetes --print --image x --mem-per-job 12GB", `"12GB"`},
	} {
		o := reidbench(t, append([]string{"run", "lenet"}, strings.Fields(test.args)...)...)
		if o.code != exitMisuse || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: exit code %d, standard error %q, want %q", test.args, o.code, o.stderr, test.want)
		}
	}
}

func TestWithoutSlurm(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	o := reidbench(t, "run", "lenet", "--data", synthetic(t), "--out", t.TempDir(), "--executor", "slurm")
	if o.code != exitFound || !strings.Contains(o.stderr, "no Slurm on this machine") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}
}

func TestPrintedManifest(t *testing.T) {
	text := succeed(t, "run",
		"lenet", "deit-t16-distiled-hard", "--teacher", "lenet", "--seeds", "2", "--data", "market",
		"--executor", "kubernetes", "--print", "--image", "registry.example/reidbench", "--cpus", "4",
		"--mem-per-job", "8Gi")
	for _, want := range []string{
		"completions: 2\n", `"--data=market"`, `"--out=runs"`, `"--teacher=lenet"`, `"--seeds=2"`, `"--await-teacher"`,
		"memory: 8Gi\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the manifest lacks %s:\n%s", want, text)
		}
	}
	for _, unwanted := range []string{"executor", "--image", "--cpus", "--print"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("the pods are told %s:\n%s", unwanted, text)
		}
	}
}

// TestTaskFlags has what a file of settings says reach the tasks as well.
func TestTaskFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench.yaml")
	if err := os.WriteFile(file, []byte("models: lenet\nseed: 7\nexecutor: slurm\ncpus: 4\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c := newRunCommand()
	var got []string
	c.RunE = func(c *cobra.Command, _ []string) (err error) {
		got, err = taskFlags(c, func(path string) (string, error) { return "/abs/" + path, nil })
		return err
	}
	c.SetArgs([]string{"--weights", "w", "--weights", "osnet=v", "--recipe", "tiny", "--config", file,
		"--tensorboard", "curves"})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--out=/abs/runs", "--recipe=tiny", "--seed=7", "--tensorboard=/abs/curves",
		"--weights=/abs/w", "--weights=osnet=/abs/v",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDetach submits to a Slurm that only notes it, and asks how it is.
func TestDetach(t *testing.T) {
	bin, err := filepath.Abs("../../bench/slurm/testdata/bin")
	if err != nil {
		t.Fatal(err)
	}
	fake, out := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("FAKE_SLURM", fake)
	for name, text := range map[string]string{"id": "41", "queue": "42|1|PENDING||Resources\n", "named": ""} {
		if err := os.WriteFile(filepath.Join(fake, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o := reidbench(t, "run",
		"lenet", "mobilenetv1", "--data", synthetic(t), "--out", out, "--executor", "slurm", "--cpus", "2", "--detach")
	if o.code != exitOK || o.stdout != "" || !strings.Contains(o.stderr, "submitted 2 jobs as array 42\n") {
		t.Errorf("exit code %d, standard output %q, standard error %q", o.code, o.stdout, o.stderr)
	}
	script := read(t, filepath.Join(fake, "42.script"))
	if want := "'--out=" + out + "'"; !strings.Contains(script, want) || strings.Contains(script, "detach") {
		t.Errorf("the tasks' script lacks %s, or has flags that are not the tasks':\n%s", want, script)
	}

	status := succeed(t, "status", "--runs", out)
	want := regexp.MustCompile(`(?m)^mobilenetv1 +waiting +42_1 pending \(Resources\)$`)
	if !want.MatchString(status) || !strings.Contains(status, "0 of 2 jobs done, 2 waiting") {
		t.Errorf("no line is like %v in\n%s", want, status)
	}
	var jobs []struct {
		Job   string
		Slurm *struct{ Task, State, Reason string }
	}
	if err := json.Unmarshal([]byte(succeed(t, "status", "--runs", out, "--json")), &jobs); err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 2 || jobs[0].Slurm != nil || jobs[1].Slurm == nil || jobs[1].Slurm.Task != "42_1" {
		t.Errorf("as JSON: %+v", jobs)
	}

	if err := os.WriteFile(filepath.Join(fake, "squeue"), []byte("Unable to contact slurm controller"),
		0o666); err != nil {
		t.Fatal(err)
	}
	if o := reidbench(t, "status", "--runs", out); o.code != exitOK ||
		!strings.Contains(o.stderr, "Unable to contact") {
		t.Errorf("Slurm does not answer: exit code %d, standard error %q", o.code, o.stderr)
	}
	t.Setenv("PATH", t.TempDir())
	if o := reidbench(t, "status", "--runs", out); o.code != exitOK || o.stderr != "" ||
		!strings.Contains(o.stdout, "2 waiting") {
		t.Errorf("no squeue here: exit code %d, standard error %q, standard output\n%s", o.code, o.stderr, o.stdout)
	}
}

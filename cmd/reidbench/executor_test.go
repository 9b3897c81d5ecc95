package main

import (
	"os"
	"path/filepath"
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
		{"--executor slurm --cpus 0", "--cpus 0: must be at least 1"},
		{"--executor kubernetes", "add --print"},
		{"--executor kubernetes --print --time 1:00:00", "--time is for --executor slurm, not kubernetes"},
		{"--executor kubernetes --print", "no image is named"},
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
	text := succeed(t, "run", "lenet", "deit-t16-distiled-hard", "--teacher", "lenet", "--seeds", "2", "--data", "market",
		"--executor", "kubernetes", "--print", "--image", "registry.example/reidbench", "--cpus", "4", "--mem-per-job", "8Gi")
	for _, want := range []string{
		"completions: 2\n", `"--data=market"`, `"--out=runs"`, `"--teacher=lenet"`, `"--seeds=2"`, `"--await-teacher"`, "memory: 8Gi\n",
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
	c.SetArgs([]string{"--weights", "w", "--recipe", "tiny", "--config", file})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"--out=/abs/runs", "--recipe=tiny", "--seed=7", "--weights=/abs/w"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A copy of a run's folder beside its original is named and left out; everything else goes on.
func TestCopiesAreLeftOut(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	runs := filepath.Join(dir, "runs")
	succeed(t, "run", "lenet", "--data", data, "--recipe", "tiny", "--out", runs)
	for _, name := range []string{"a-copy", "lenet-bak"} {
		if err := os.CopyFS(filepath.Join(runs, name), os.DirFS(filepath.Join(runs, "lenet"))); err != nil {
			t.Fatal(err)
		}
	}
	o := reidbench(t, "status", "--runs", runs)
	if o.code != exitOK || !strings.Contains(o.stdout, "\n1 of 1 jobs done\n") || strings.Contains(o.stdout, "bak") {
		t.Errorf("status: exit code %d\n%s", o.code, o.stdout)
	}
	commands := map[string]outcome{
		"status": o,
		"report": reidbench(t, "report", "--runs", runs),
		"plot":   reidbench(t, "plot", "--runs", runs, "--out", filepath.Join(dir, "plots")),
		"HTML":   reidbench(t, "report", "--runs", runs, "--html", filepath.Join(dir, "report.html")),
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range commands {
		text := strings.Join(strings.Fields(o.stdout+o.stderr), " ")
		if name == "HTML" {
			text = string(page)
		}
		if o.code != exitOK || !strings.Contains(text, "a-copy holds") || !strings.Contains(text, "lenet-bak holds") {
			t.Errorf("%s: exit code %d, and the copies are not named in %s", name, o.code, o.stderr)
		}
	}
}

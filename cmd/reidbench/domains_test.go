package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/results"
)

// TestDomains: a run is judged on its own dataset, on another, and on one by which nothing can be judged; the figures
// are those of one dataset at a time, and stay with the run.
func TestDomains(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	succeed(t, "run", "lenet", "--data", data, "--recipe", "tiny", "--out", in("runs"))
	renameAsDuke(t, data, in("duke"))
	renameAsOneCamera(t, data, in("camera"))

	eval := []string{"eval", "lenet", "--weights", in("runs"), "--data", data, "--data", in("duke")}
	o := reidbench(t, append(eval, "--data", in("camera"))...)
	if o.code != exitFound {
		t.Errorf("exit code %d", o.code)
	}
	for _, part := range []string{"Trained", "duke", "camera", "failed"} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("the table lacks %q:\n%s", part, o.stdout)
		}
	}
	for _, part := range []string{
		"lenet on duke: kept beside the run", "lenet on camera: warning: ", "nothing can be judged by 1 of 3 datasets",
	} {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("what is told lacks %q:\n%s", part, o.stderr)
		}
	}
	kept, err := filepath.Glob(in("runs/lenet/domain-*.json"))
	if err != nil || len(kept) != 1 { // its own dataset is in the record
		t.Errorf("kept: %q, %v", kept, err)
	}

	record, err := results.Read(in("runs/lenet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{append(eval, "--json"), {"report", "--domains", "--json", "--runs", in("runs")}} {
		var found struct {
			Tables []struct {
				Datasets []results.Dataset
				Runs     []struct {
					Run     string
					Trained *results.Dataset `json:"trained_on"`
					Figures []*results.Metrics
				}
			}
		}
		text := succeed(t, args...)
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			t.Fatal(err)
		}
		if len(found.Tables) != 1 || len(found.Tables[0].Datasets) != 2 || len(found.Tables[0].Runs) != 1 {
			t.Fatalf("%v:\n%s", args, text)
		}
		run := found.Tables[0].Runs[0]
		if run.Run != "lenet" || run.Trained == nil || run.Trained.Fingerprint != record.Dataset.Fingerprint {
			t.Errorf("%v: %+v", args, run)
		}
		for i, f := range run.Figures { // the same images under other names
			if f == nil || f.MAP != record.Final.MAP || f.Rank1 != record.Final.Rank1 {
				t.Errorf("%v: on %s %+v, not %+v", args, found.Tables[0].Datasets[i].Name, f, record.Final)
			}
		}
	}
	for flag, part := range map[string]string{
		"--markdown": "|:-----", "--csv": "protocol,run,", "--domains": "as published",
	} {
		if text := succeed(t, "report", "--domains", flag, "--runs", in("runs")); !strings.Contains(text, part) {
			t.Errorf("report --domains %s lacks %q:\n%s", flag, part, text)
		}
	}
}

// renameAsOneCamera copies a dataset that one camera has seen.
func renameAsOneCamera(t *testing.T, data, camera string) {
	t.Helper()
	if err := os.CopyFS(camera, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	frame := 0
	err := filepath.WalkDir(camera, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		frame++
		pid, _, _ := strings.Cut(entry.Name(), "_")
		return os.Rename(path, filepath.Join(filepath.Dir(path), fmt.Sprintf("%s_c1s1_%06d_00.jpg", pid, frame)))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDomainsMisused(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent")
	for args, want := range map[string]string{
		"eval lenet --weights " + absent + " --data x --data y":               "absent",
		"eval lenet osnet --weights lenet=%s --data x":                        "no weights",
		"eval lenet --weights %s --data x --data y --roc":                     "--roc is for one model and one dataset",
		"eval lenet --weights %s --data x --data y --queries q.csv":           "--queries is for one model",
		"eval lenet --weights %s --data " + absent + " --data y":              "absent",
		"report --domains --html x.html":                                      "none of the others can be",
		"report --domains --runs " + absent:                                   "absent",
		"eval --from-features a b --names n --config " + absent + " --data x": "absent",
	} {
		weights := filepath.Join(t.TempDir(), "lenet.pth")
		if err := os.WriteFile(weights, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		o := reidbench(t, strings.Fields(strings.ReplaceAll(args, "%s", weights))...)
		if o.code == exitOK || !strings.Contains(o.stderr, want) || o.stdout != "" {
			t.Errorf("%s: %+v, want %q", args, o, want)
		}
	}
}

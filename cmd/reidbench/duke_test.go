package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/bench/store"
	"github.com/reidbench/reidbench/market1501/layout"
	"github.com/reidbench/reidbench/results"
)

// renameAsDuke gives a dataset the names of DukeMTMC-reID, in the same order: pid, camera, frame. It has no junk.
func renameAsDuke(t *testing.T, data, duke string) {
	t.Helper()
	if err := os.CopyFS(duke, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	frame := 44158
	err := filepath.WalkDir(duke, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := layout.Market1501.Parse(entry.Name())
		if err != nil {
			return err
		}
		if name.PID == layout.Junk {
			return os.Remove(path)
		}
		frame += 7
		return os.Rename(path,
			filepath.Join(filepath.Dir(path), fmt.Sprintf("%04d_c%d_f%07d.jpg", name.PID, name.CamID, frame)))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The same images under the names of the other dataset give the same figures in every command.
func TestDukeMTMC(t *testing.T) {
	dir := t.TempDir()
	market, duke := synthetic(t), filepath.Join(dir, "DukeMTMC-reID")
	renameAsDuke(t, market, duke)
	if o := reidbench(t, "data", "info", duke); o.code != exitOK ||
		strings.Contains(o.stdout+o.stderr, "do not parse") {
		t.Errorf("data info: exit code %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	trained := map[string]results.Record{}
	for _, data := range []string{market, duke} {
		runs := filepath.Join(dir, "runs-"+filepath.Base(data))
		succeed(t, "run",
			"lenet", "--data", data, "--out", runs, "--recipe", "tiny", "--flip", "--metric", "cosine", "--rerank")
		record, err := results.Read(filepath.Join(runs, "lenet"))
		if err != nil {
			t.Fatal(err)
		}
		trained[data] = record
		var evaluation bench.Evaluation
		out := succeed(t, "eval", "lenet", "--weights", filepath.Join(runs, "lenet", store.WeightsFile), "--data", data,
			"--flip", "--metric", "cosine", "--rerank", "--json")
		if err := json.Unmarshal([]byte(out), &evaluation); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*record.Final, evaluation.Metrics); diff != "" {
			t.Errorf("%s: metrics (-run +eval):\n%s", data, diff)
		}
		text := succeed(t, "eval",
			"lenet", "--weights", filepath.Join(runs, "lenet", store.WeightsFile), "--data", data, "--rerank")
		for _, want := range []string{
			"\nProtocol  re-ranking with k1 = 20, k2 = 6, λ = 0.3\n", "\nby distance ", "\nre-ranked ",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", data, want, text)
			}
		}
	}
	if diff := cmp.Diff(trained[market].Final, trained[duke].Final); diff != "" {
		t.Errorf("metrics (-Market-1501's names +DukeMTMC-reID's):\n%s", diff)
	}
	if name := trained[duke].Dataset.Name; name != "DukeMTMC-reID" {
		t.Errorf("the dataset is recorded as %q", name)
	}
}

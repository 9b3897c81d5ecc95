package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench"
)

// TestFromFeatures: what embed has written of a dataset's images gives the figures of eval, in an array or as CSV, and
// compare finds that nothing differs.
func TestFromFeatures(t *testing.T) {
	data, dir := synthetic(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	succeed(t, "run", "lenet", "--data", data, "--recipe", "tiny", "--out", in("runs"))
	weights := in("runs/lenet/weights.safetensors")
	var want, got bench.Evaluation
	judge := func(into *bench.Evaluation, args ...string) {
		t.Helper()
		text := succeed(t, append([]string{"eval", "--json", "--rerank"}, args...)...)
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	judge(&want, "lenet", "--weights", weights, "--data", data, "--queries", in("eval.csv"))
	for split, folder := range map[string]string{"query": "query", "gallery": "bounding_box_test"} {
		images := filepath.Join(data, folder)
		succeed(t, "embed", "lenet", "--weights", weights, images, "--out", in(split+".csv"))
		succeed(t, "embed", "lenet", "--weights", weights, images, "--out", in(split+".npy"))
		var list string
		for _, row := range readCSV(t, in(split+".csv"))[1:] {
			list += row[0] + "\n"
		}
		if err := os.WriteFile(in(split+".txt"), []byte(list), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	arrays := []string{"--from-features", in("query.npy"), in("gallery.npy"),
		"--names", in("query.txt") + "," + in("gallery.txt")}
	for _, args := range [][]string{
		append(arrays, "--queries", in("referee.csv")),
		{"--from-features", in("query.csv"), in("gallery.csv")},
	} {
		judge(&got, args...)
		if diff := cmp.Diff(want.Metrics, got.Metrics); diff != "" || got.Foreign == nil {
			t.Errorf("%v (-eval +referee):\n%s", args, diff)
		}
	}
	text := succeed(t, "compare", in("eval.csv"), in("referee.csv"), "--rerank")
	if !strings.Contains(text, "by every query") {
		t.Errorf("compare says\n%s", text)
	}
	text = succeed(t, append([]string{"eval", "--roc", "--roc-plot", in("roc.svg")}, arrays...)...)
	for _, part := range []string{"query.npy", "query.txt", "market1501", "by distance", "equal error rate"} {
		if !strings.Contains(text, part) {
			t.Errorf("the output lacks %q:\n%s", part, text)
		}
	}
}

func TestFromFeaturesMisused(t *testing.T) {
	torchreid := filepath.Join("..", "..", "bench", "testdata", "torchreid") + string(filepath.Separator)
	var others string
	for i := range 60 { // of query.npy
		others += fmt.Sprintf("%04d_c1s1_000001_00.jpg\n", 1000+i)
	}
	strangers := filepath.Join(t.TempDir(), "strangers.txt")
	if err := os.WriteFile(strangers, []byte(others), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   string
		code   int
		stderr string
	}{
		{"--from-features", exitMisuse, "accepts between 1 and 2 arg"},
		{"--from-features a b c", exitMisuse, "accepts between 1 and 2 arg"},
		{"--from-features a b --data x", exitMisuse, "--data says nothing about features"},
		{"--from-features a b --weights x", exitMisuse, "--weights says nothing about features"},
		{"--from-features a b --flip", exitMisuse, "--flip says nothing about features"},
		{"--from-features a --names n", exitMisuse, "--names is for two files"},
		{"--from-features a b --names x,y,z", exitMisuse, "--names has 3 files"},
		{"osnet --weights x --data y --names n", exitMisuse, "--names says nothing without --from-features"},
		{
			"--from-features %query.npy %gallery.npy --names %query.txt,%gallery.txt --layout x", exitMisuse,
			"unknown layout",
		},
		{"--from-features %query.npy %gallery.npy", exitMisuse, "query.npy does not say whose its rows are: --names"},
		{"--from-features %query.npy", exitFound, "others come in pairs"},
		{"--from-features %gallery.npy %query.npy --names %names.csv", exitFound, "gallery.npy has 200 rows"},
		{"--from-features %absent.npy %query.npy --names %names.csv", exitFound, "absent.npy"},
		{
			"--from-features %query.npy %query.npy --names %query.txt," + strangers, exitFound,
			"query.npy: evaluate: no query has a match",
		},
	} {
		args := strings.Fields(strings.ReplaceAll(test.args, "%", torchreid))
		o := reidbench(t, append([]string{"eval"}, args...)...)
		if o.code != test.code || !strings.Contains(o.stderr, test.stderr) || o.stdout != "" {
			t.Errorf("eval %s: %+v, want exit code %d and %q", test.args, o, test.code, test.stderr)
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

// queriesOf are those of eight people, with a first hit at rank.
func queriesOf(rank int) results.Queries {
	var queries results.Queries
	for pid := range int32(8) {
		queries = append(queries, results.Query{
			Image:   results.Image{File: fmt.Sprintf("query/%04d_c1s1_000001_00.jpg", pid), PID: pid, CamID: 1},
			Outcome: results.Outcome{AP: 1 / float64(rank), INP: 1 / float64(rank), FirstRank: rank},
		})
	}
	return queries
}

// writeRun leaves the folder of a run that is done.
func writeRun(t *testing.T, dir, model string, seed uint64, queries results.Queries) {
	t.Helper()
	writeWeighedRun(t, dir, model, seed, queries, "")
}

// writeWeighedRun is writeRun with the digest of the run's weights.
func writeWeighedRun(t *testing.T, dir, model string, seed uint64, queries results.Queries, weights string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	recipe, err := results.NewRecipe("quick", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	record := results.Record{
		Model: model, State: results.StateDone, Recipe: recipe, Seed: seed, Weights: weights,
		Final: &results.Metrics{},
	}
	if len(queries) > 0 {
		record.Final.MAP = queries[0].AP
		if err := results.WriteQueries(filepath.Join(dir, results.QueriesFile), queries); err != nil {
			t.Fatal(err)
		}
	}
	if err := results.Write(dir, record); err != nil {
		t.Fatal(err)
	}
}

// writeFeatures leaves a file of two queries, whose nearest image is theirs if found.
func writeFeatures(t *testing.T, file, gallery string, found bool) {
	t.Helper()
	at := []float32{0, 1}
	if !found {
		at = []float32{1, 0}
	}
	err := market1501.WriteFeatures(file,
		&market1501.Features{Dim: 1, Values: at, PIDs: []int32{1, 2}, CamIDs: []int32{1, 1},
			Names: []string{"q/1", "q/2"}},
		&market1501.Features{Dim: 1, Values: []float32{0, 1}, PIDs: []int32{1, 2}, CamIDs: []int32{2, 2},
			Names: []string{"gallery/" + gallery + "1", "gallery/" + gallery + "2"}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCompare(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	runs := in("runs")
	writeRun(t, filepath.Join(runs, "osnet"), "osnet", 1, queriesOf(1))
	writeRun(t, filepath.Join(runs, "lenet"), "lenet", 1, queriesOf(2))
	writeRun(t, filepath.Join(runs, "lenet@2"), "lenet", 2, queriesOf(4))
	writeRun(t, filepath.Join(runs, "vgg16"), "vgg16", 1, nil)
	if err := results.WriteQueries(in("fewer.csv"), queriesOf(3)[1:]); err != nil {
		t.Fatal(err)
	}
	writeFeatures(t, in("found.csv"), "g", true)
	writeFeatures(t, in("lost.csv"), "g", false)
	writeFeatures(t, in("elsewhere.csv"), "h", true)
	lost, err := os.ReadFile(in("lost.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"copy.csv": string(lost), "alike.csv": strings.ReplaceAll(string(lost), ",1\n", ",2\n"),
	} {
		if err := os.WriteFile(in(name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	writeWeighedRun(t, filepath.Join(runs, "resnet18"), "resnet18", 1, queriesOf(2), strings.Repeat("0f", 32))

	for _, test := range []struct {
		name, a, b   string
		code         int
		stdout, want string // parts of standard output and of standard error
	}{
		// Of 256 assignments of signs two are as far: 0.0078.
		{"models, one over seeds", "osnet", "lenet", exitOK, "mAP 100.00 37.50 +62.50", ""},
		{"printed name", "OSNet", "osnet", exitOK, "can't be told apart", ""},
		{"one seed", "lenet@2", filepath.Join(runs, "osnet"), exitOK, "0.0078 B is better", ""},
		{"a file and a run", filepath.Join(runs, "osnet", results.QueriesFile), "lenet@2", exitOK, "A is better", ""},
		{"features", in("found.csv"), in("lost.csv"), exitOK, "Rank-1 100.00 0.00 +100.00", ""},
		{"a file and itself", in("found.csv"), in("found.csv"), exitOK, "+0.00 to +0.00 1 identical", ""},
		{"a file and its copy", in("copy.csv"), in("lost.csv"), exitOK, "+0.00 to +0.00 1 identical", ""},
		{"two that found the same", in("alike.csv"), in("lost.csv"), exitOK, "the same under both, by every query", ""},
		{"a run and itself", "resnet18", filepath.Join(runs, "resnet18"), exitOK, "A and B are identical", ""},
		{"other galleries", in("found.csv"), in("elsewhere.csv"), exitFound, "", "only the second has gallery/h1"},
		{"other queries", "osnet", in("fewer.csv"), exitFound, "", "judged by other queries: 8 and 7 queries"},
		{"features and other queries", "osnet", in("lost.csv"), exitFound, "", "can't be compared"},
		{"from before queries were kept", "osnet", "vgg16", exitFound, "", "reidbench eval vgg16"},
		{"neither", "osnet", "no-such", exitMisuse, "", "no-such: no file, no folder"},
		{"neither kind of file", "osnet", filepath.Join(runs, "osnet", results.File), exitFound, "",
			"its columns are not"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := reidbench(t, "compare", test.a, test.b, "--runs", runs)
			if o.code != test.code {
				t.Errorf("exit code %d, want %d", o.code, test.code)
			}
			if !strings.Contains(strings.Join(strings.Fields(o.stdout), " "), test.stdout) {
				t.Errorf("standard output lacks %q:\n%s", test.stdout, o.stdout)
			}
			if !strings.Contains(o.stderr, test.want) {
				t.Errorf("standard error lacks %q:\n%s", test.want, o.stderr)
			}
		})
	}

	var got comparedJSON
	out := succeed(t, "compare", "osnet", "lenet@2", "--runs", runs, "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	f := got.Figures[0]
	if diff := cmp.Diff([]any{compareFormat, 8, 8, "rank1", 1., 0., 1., 2. / 256},
		[]any{got.Format, got.Queries, got.Identities, f.Key, f.A, f.B, f.Difference, f.P}); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

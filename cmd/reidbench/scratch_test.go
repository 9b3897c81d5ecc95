package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/recipe"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

var (
	scratchFolder = filepath.Join("..", "..", "docs", "scratch")
	readme        = filepath.Join("..", "..", "README.md")
)

// TestScratchTable: the README has what report makes of the records in docs/scratch, byte for byte, and nothing as long
// as there is no record.
func TestScratchTable(t *testing.T) {
	want := ""
	if records, _ := scratchRecords(t); len(records) > 0 {
		want = succeed(t, "report", "--runs", scratchFolder, "--ours", "--markdown")
	}
	inReadme(t, "report --runs docs/scratch --ours --markdown", want)
}

// inReadme holds what a command prints against what the README has of it; -update rewrites that.
func inReadme(t *testing.T, command, want string) {
	t.Helper()
	begin, end := "<!-- reidbench "+command+" -->\n", "<!-- end of the report -->\n"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(text), begin)
	got, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("README.md has no place for what %q prints", command)
	}
	if *update && got != want {
		if err := os.WriteFile(readme, []byte(before+begin+want+end+after), 0o666); err != nil {
			t.Fatal(err)
		}
		got = want
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-printed +README.md; -update rewrites it):\n%s", command, diff)
	}
}

// TestScratchRecords: all are of the recipe as it is, of the same images, of one instruction set, and without a speed
// that would say nothing.
func TestScratchRecords(t *testing.T) {
	want, err := results.NewRecipe("scratch", recipe.Scratch())
	if err != nil {
		t.Fatal(err)
	}
	records, odd := scratchRecords(t)
	for _, o := range odd {
		t.Error(o.Err)
	}
	for _, r := range records {
		if diff := cmp.Diff(want, r.Recipe); diff != "" {
			t.Errorf("recipe of %s, seed %d (-want +got):\n%s", r.Model, r.Seed, diff)
		}
		if r.State != results.StateDone || r.Dataset != records[0].Dataset || r.Weights == "" {
			t.Errorf("%s, seed %d: %s %s, on %v", r.Model, r.Seed, r.State, r.Reason, r.Dataset)
		}
		if r.Machine.ISA != "avx512" || r.Timing.ImagesPerSecond != 0 || r.Timing.WallSeconds != 0 {
			t.Errorf("%s, seed %d: by %v, %+v", r.Model, r.Seed, r.Machine, r.Timing)
		}
	}
}

func scratchRecords(t *testing.T) ([]results.Record, []results.Odd) {
	t.Helper()
	records, odd, err := results.Load(scratchFolder)
	if err != nil {
		t.Fatal(err)
	}
	return records, odd
}

// TestScratchRows: docs/scratch/run trains every row of the published tables.
func TestScratchRows(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(scratchFolder, "run"))
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)\nrows=\((.*?)\)\n`).FindSubmatch(script)
	if list == nil {
		t.Fatal("docs/scratch/run has no rows")
	}
	var got, want []string
	for _, row := range bytes.Fields(list[1]) {
		got = append(got, string(row))
	}
	for _, m := range models.Rows() {
		want = append(want, m.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of docs/scratch/run (-published +there):\n%s", diff)
	}
}

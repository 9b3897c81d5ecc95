package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reidbench/reidbench/results"
)

// runs makes a folder of three runs: two rows, one of them failed, and a model beside the tables.
func runs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	recipe, err := results.NewRecipe("paper", map[string]any{"epochs": 150})
	if err != nil {
		t.Fatal(err)
	}
	record := func(model, row string) results.Record {
		return results.Record{
			Model: model, Row: row, State: results.StateDone, Recipe: recipe, Seed: 1,
			Dataset: results.Dataset{
				Name: "Market-1501", Fingerprint: "f00d", Identities: 751, Train: 12936, Query: 3368, Gallery: 15913,
			},
			Machine: results.Machine{CPU: "a CPU", ISA: "avx512", Cores: 2, Go: "go1.26", OS: "linux", Arch: "amd64"},
			Cost:    results.Cost{Params: 61156, MACs: 650880, PaperParams: 61156, PaperMACs: 657184},
			Final:   &results.Metrics{Rank1: 0.9, Rank5: 0.95, Rank10: 0.97, MAP: 0.75},
		}
	}
	failed := record("resnet50", "ResNet50")
	failed.State, failed.Reason, failed.Final = results.StateFailed, "loss is NaN | at step 7", nil
	for _, r := range []results.Record{record("osnet", "OSNet"), record("lenet", ""), failed} {
		folder := filepath.Join(dir, r.Model)
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := results.Write(folder, r); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReport(t *testing.T) {
	dir := runs(t)
	golden(t, "report.txt", succeed(t, "report", "--runs", dir))
	if markdown := succeed(t, "report", "--runs", dir, "--markdown"); !strings.Contains(markdown,
		`loss is NaN \| at step 7`) {
		t.Errorf("no escaped reason of the failure in\n%s", markdown)
	}
}

func TestReportOfNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	o := reidbench(t, "report", "--csv")
	if o.code != exitOK || !strings.Contains(o.stderr, "nothing has been run in runs yet") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}
	if n := strings.Count(o.stdout, ",not run,"); n != 34 {
		t.Errorf("%d rows are not run, want 34:\n%s", n, o.stdout)
	}
}

// One folder that cannot stand in a report does not take the others with it: it is named.
func TestReportSetsOddFoldersAside(t *testing.T) {
	for _, test := range []struct {
		name, named string
		spoil       func(dir string) error
	}{
		{"a copied folder", "osnet-copy", func(dir string) error {
			return os.CopyFS(filepath.Join(dir, "osnet-copy"), os.DirFS(filepath.Join(dir, "osnet")))
		}},
		{"a newer version's record", filepath.Join("lenet", results.File), func(dir string) error {
			path := filepath.Join(dir, "lenet", results.File)
			record, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Replace(string(record), "{", `{"from_the_future": 1,`, 1)), 0o666)
		}},
		{"a torn record", filepath.Join("lenet", results.File), func(dir string) error {
			return os.Truncate(filepath.Join(dir, "lenet", results.File), 100)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := runs(t)
			if err := test.spoil(dir); err != nil {
				t.Fatal(err)
			}
			page := filepath.Join(t.TempDir(), "report.html")
			for _, args := range [][]string{
				{"report"}, {"report", "--markdown"}, {"report", "--csv"}, {"report", "--json"},
				{"report", "--html", page}, {"plot", "--out", t.TempDir()},
			} {
				o := reidbench(t, append(args, "--runs", dir)...)
				said := o.stdout + o.stderr
				if args[len(args)-1] == page {
					html, err := os.ReadFile(page)
					if err != nil {
						t.Fatal(err)
					}
					said += string(html)
				}
				if o.code != exitOK || !strings.Contains(said, test.named) {
					t.Errorf("%v: exit code %d, %s is not named, standard error %q", args, o.code, test.named, o.stderr)
				}
				if args[0] == "report" && !strings.Contains(said, "90.0") {
					t.Errorf("%v: the others' figures are missing", args)
				}
			}
		})
	}
}

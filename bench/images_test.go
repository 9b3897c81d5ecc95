package bench

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/bench/progress"
	"github.com/reidbench/reidbench/market1501"
	"github.com/reidbench/reidbench/results"
)

func readRecord(t *testing.T, c Config, job string) results.Record {
	t.Helper()
	record, err := results.Read(filepath.Join(c.Out, job))
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestRecordCountsImagesOfEachSplit(t *testing.T) {
	for _, test := range []struct {
		name, split string
		spoil       func(path string, others []string) error
		want        results.SplitSeen
		warning     string
	}{
		{"undisturbed", "", nil, results.SplitSeen{}, ""},
		{"train", "bounding_box_train", truncate, results.SplitSeen{LeftOut: 1}, "1 image cannot be decoded"},
		{"query", "query", truncate, results.SplitSeen{LeftOut: 1}, "1 image cannot be decoded"},
		{"gallery", "bounding_box_test", truncate, results.SplitSeen{LeftOut: 1}, "1 image cannot be decoded"},
		{
			"trained on", "query", trainedOn, results.SplitSeen{Trained: 1},
			"1 image of the queries is a training image as well",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			ownData(t, &c)
			if test.spoil != nil {
				changeData(t, c, test.split, test.spoil)
			}
			var warnings []string
			c.Progress = watcher(func(e progress.Event) {
				if e.Kind == progress.Warned {
					warnings = append(warnings, e.Text)
				}
			})
			mustRun(t, c)
			got := strings.Join(warnings, "\n")
			if !strings.Contains(got, test.warning) || (got == "") != (test.warning == "") {
				t.Errorf("warnings %q, want %q", got, test.warning)
			}
			seen := readRecord(t, c, "one").Images
			var want []results.SplitSeen
			for _, s := range usedOf(t, c) {
				if s.Folder == test.split {
					s.Used, s.LeftOut, s.Trained = s.Used-test.want.LeftOut, test.want.LeftOut, test.want.Trained
				}
				want = append(want, s)
			}
			if diff := cmp.Diff(want, seen.Splits, cmpopts.IgnoreFields(results.SplitSeen{}, "Reasons")); diff != "" {
				t.Errorf("splits (-want +got):\n%s", diff)
			}
			for _, s := range seen.Splits {
				if (s.LeftOut > 0) != strings.Contains(s.Reasons, s.Folder+"/") {
					t.Errorf("%d images of %s are left out because of %q", s.LeftOut, s.Folder, s.Reasons)
				}
			}
		})
	}
}

// usedOf counts the images that c's dataset lists.
func usedOf(t *testing.T, c Config) []results.SplitSeen {
	t.Helper()
	d, err := market1501.Open(t.Context(), c.Data)
	if err != nil {
		t.Fatal(err)
	}
	var all []results.SplitSeen
	for _, s := range d.Splits() {
		all = append(all, results.SplitSeen{Folder: s.Folder, Used: len(s.Entries)})
	}
	return all
}

// truncate leaves nothing of an image that could be decoded.
func truncate(path string, _ []string) error { return os.Truncate(path, 100) }

// trainedOn replaces an image by one that is trained on.
func trainedOn(path string, _ []string) error {
	trained, err := filepath.Glob(filepath.Join(filepath.Dir(path), "..", "bounding_box_train", "*.jpg"))
	if err != nil {
		return err
	}
	data, err := os.ReadFile(trained[0])
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

// A file that the system does not give fails the job, whatever split it is of: without it, the figures would be others.
func TestUnreadableImagesFailTheJob(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	for _, split := range []string{"bounding_box_train", "query", "bounding_box_test"} {
		t.Run(split, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			ownData(t, &c)
			changeData(t, c, split, func(path string, _ []string) error { return os.Chmod(path, 0) })
			if _, err := Run(t.Context(), c); !errors.Is(err, ErrFailed) || !errors.Is(err, os.ErrPermission) {
				t.Errorf("error %v, want ErrFailed because of a permission", err)
			}
			if record := readRecord(t, c, "one"); record.State != results.StateFailed {
				t.Errorf("the record says %s", record.State)
			}
		})
	}
}

// Two jobs on a dataset of one fingerprint, whose images were others at the second's time: the records tell.
func TestRecordsTellImagesApart(t *testing.T) {
	for _, test := range []struct {
		split           string
		trained, judged bool // are the same
	}{
		{"bounding_box_train", false, true}, {"query", true, false}, {"bounding_box_test", true, false},
	} {
		t.Run(test.split, func(t *testing.T) {
			c := testConfig(t, tinymodel.New("one"))
			ownData(t, &c)
			mustRun(t, c)
			changeData(t, c, test.split, swap)
			c.Models = append(c.Models[:0:0], tinymodel.New("two"))
			mustRun(t, c)
			one, two := readRecord(t, c, "one"), readRecord(t, c, "two")
			if one.Dataset != two.Dataset {
				t.Fatalf("fingerprints differ: %+v, %+v", one.Dataset, two.Dataset)
			}
			if (one.Images.Trained == two.Images.Trained) != test.trained ||
				(one.Images.Judged == two.Images.Judged) != test.judged {
				t.Errorf("%+v and %+v", one.Images, two.Images)
			}
			report, err := results.NewReport([]results.Record{one, two}, nil)
			if err != nil {
				t.Fatal(err)
			}
			lines := report.Tables[len(report.Tables)-1].Lines
			for i := range lines { // so few images may be tied, too
				lines[i].Notes = slices.DeleteFunc(lines[i].Notes, func(note string) bool {
					return strings.Contains(note, "have collapsed")
				})
			}
			if len(lines[0].Notes) != 0 || len(lines[1].Notes) != 1 ||
				!strings.Contains(lines[1].Notes[0], "images of this run: others") {
				t.Errorf("notes %q and %q, want one for the second", lines[0].Notes, lines[1].Notes)
			}
		})
	}
}

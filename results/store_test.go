package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteAndLoad(t *testing.T) {
	out := t.TempDir()
	want := []Record{
		inventedRecord(t, "alexnet", "AlexNet", 0.5), inventedRecord(t, "alexnet", "AlexNet", 0.6),
		inventedRecord(t, "osnet", "OSNet", 0.7),
	}
	want[0].Seed, want[1].Seed = 9, 10
	for _, r := range []Record{want[1], want[2], want[0]} {
		dir := filepath.Join(out, fmt.Sprintf("%s@%d", r.Model, r.Seed))
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(out, "unfinished"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "notes.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	got, odd, err := Load(out)
	if err != nil || len(odd) > 0 {
		t.Fatal(odd, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records changed on their way (-want +got):\n%s", diff)
	}
	if _, err := Read(filepath.Join(out, "unfinished")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unfinished run gives %v, want an error that is fs.ErrNotExist", err)
	}
}

func TestLoadNamesTheFileItRefuses(t *testing.T) {
	good := string(encode(t, inventedRecord(t, "alexnet", "AlexNet", 0.5)))
	for name, content := range map[string]string{
		"truncated":     good[:len(good)/2],
		"empty":         "",
		"newer version": strings.Replace(good, `"seed"`, `"sead"`, 1),
		"other format":  strings.Replace(good, Format, "reidbench-result/0", 1),
		"trailing data": good + "{}",
		"unknown row":   strings.Replace(good, `"AlexNet"`, `"AlexNot"`, 1),
		"status":        strings.Replace(good, `"done"`, `"maybe"`, 1),
		"percent":       strings.Replace(good, `"map":0.25`, `"map":25`, 1),
		"too large":     good + strings.Repeat(" ", maxRecordBytes),
		"count":         strings.Replace(good, `"cores":2`, `"cores":-2`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if content == good {
				t.Fatal("the case does not change the record")
			}
			out := t.TempDir()
			writeRecord(t, out, "osnet", inventedRecord(t, "osnet", "OSNet", 0.5))
			dir := filepath.Join(out, "alexnet")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, File)
			if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
			records, odd, err := Load(out)
			if err != nil || len(records) != 1 || records[0].Model != "osnet" {
				t.Errorf("the others: %+v, %v", records, err)
			}
			if len(odd) != 1 || odd[0].Folder != dir || !strings.Contains(odd[0].Err.Error(), path) {
				t.Errorf("odd: %v, want one that names %s", odd, path)
			}
		})
	}
}

func writeRecord(t *testing.T, out, folder string, r Record) {
	t.Helper()
	dir := filepath.Join(out, folder)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, r); err != nil {
		t.Fatal(err)
	}
}

// Of records of one run, or of one row by two models, one is shown, and the folder of each other is named.
func TestLoadSetsCopiesAside(t *testing.T) {
	record := func(model, row string, seed uint64) Record {
		r := inventedRecord(t, model, row, 0.5)
		r.Seed = seed
		return r
	}
	for _, test := range []struct {
		name    string
		folders map[string]Record
		odd     []string
	}{
		{"a backup before it", map[string]Record{
			"a-backup": record("osnet", "OSNet", 1), "osnet": record("osnet", "OSNet", 1),
			"osnet@2": record("osnet", "OSNet", 2), "osnet@2-backup": record("osnet", "OSNet", 2),
		}, []string{"a-backup", "osnet@2-backup"}},
		{"none is called like the run", map[string]Record{
			"b": record("lenet", "", 1), "a": record("lenet", "", 1), "c": record("lenet", "", 1),
		}, []string{"b", "c"}},
		{"two models of one row", map[string]Record{
			"osnet": record("osnet", "OSNet", 1), "pretender": record("pretender", "OSNet", 2),
		}, []string{"pretender"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := t.TempDir()
			for folder, r := range test.folders {
				writeRecord(t, out, folder, r)
			}
			records, odd, err := Load(out)
			if err != nil || len(records) != len(test.folders)-len(test.odd) {
				t.Errorf("%d records, %v", len(records), err)
			}
			var got []string
			for _, o := range odd {
				got = append(got, filepath.Base(o.Folder))
				if !strings.Contains(o.Err.Error(), o.Folder) {
					t.Errorf("%s is not named in %q", o.Folder, o.Err)
				}
			}
			if diff := cmp.Diff(test.odd, got); diff != "" {
				t.Errorf("odd (-want +got):\n%s", diff)
			}
			report := mustReport(t, records, nil)
			report.LeaveOut(odd)
			for name, write := range map[string]func(io.Writer) error{
				"text":     func(w io.Writer) error { return report.Text(w, Layout{}) },
				"markdown": func(w io.Writer) error { return report.Markdown(w, Layout{}) },
				"json":     report.JSON,
			} {
				var page bytes.Buffer
				if err := write(&page); err != nil {
					t.Fatal(err)
				}
				if n := strings.Count(page.String(), "Left out"); n != len(odd) {
					t.Errorf("%s: %d are named, want %d", name, n, len(odd))
				}
			}
		})
	}
}

// TestUnreadRecordIsNotNothing: a row whose record can't be read has been run.
func TestUnreadRecordIsNotNothing(t *testing.T) {
	out := t.TempDir()
	writeRecord(t, out, "osnet", inventedRecord(t, "osnet", "OSNet", 0.7))
	for _, folder := range []string{"resnet50@2", "osnet@2", "lenet"} {
		dir := filepath.Join(out, folder)
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, File), []byte("{"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	records, odd, err := Load(out)
	if err != nil {
		t.Fatal(err)
	}
	report := mustReport(t, records, nil)
	report.LeaveOut(odd)
	var page bytes.Buffer
	if err := report.Text(&page, Layout{}); err != nil {
		t.Fatal(err)
	}
	const want = "1 of 34 done, 0 failed, 1 with a record that can't be read, 32 not run"
	if !strings.Contains(page.String(), want) || strings.Count(page.String(), "unknown") != 1 {
		t.Errorf("the report lacks %q, or the one row's state:\n%s", want, page.String())
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Record){
		"no model":              func(r *Record) { r.Model = "" },
		"done without metrics":  func(r *Record) { r.Final = nil },
		"done with a reason":    func(r *Record) { r.Reason = "because" },
		"failed without reason": func(r *Record) { r.State = StateFailed },
		"NaN":                   func(r *Record) { r.Final.MAP = math.NaN() },
		"NaN in the curve":      func(r *Record) { r.Final.CMC[1] = math.NaN() },
		"best after the end":    func(r *Record) { r.Best.Epoch = r.Epochs + 1 },
		"huge count":            func(r *Record) { r.Cost.PaperMACs = math.MaxInt64 },
		"NaN re-ranked":         func(r *Record) { r.Final.Reranked = &Metrics{MAP: math.NaN()} },
		"re-ranked twice":       func(r *Record) { r.Final.Reranked = &Metrics{Reranked: &Metrics{}} },
		"negative time":         func(r *Record) { r.Timing.WallSeconds = -1 },
	} {
		dir := t.TempDir()
		r := inventedRecord(t, "alexnet", "AlexNet", 0.5)
		spoil(&r)
		if err := Write(dir, r); err == nil {
			t.Errorf("%s: written", name)
		}
		if _, err := os.Stat(filepath.Join(dir, File)); err == nil {
			t.Errorf("%s: refused, but the file is there", name)
		}
	}
}

// FuzzParseRecord: whatever is accepted is valid and survives being written and read again.
func FuzzParseRecord(f *testing.F) {
	valid := Record{Format: Format, Model: "m", State: StateFailed, Reason: "r",
		Recipe: Recipe{Values: map[string]any{"lr": 1e-3, "list": []int{1}}}}
	seed, err := json.Marshal(valid)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"format":"reidbench-result/1","model":"m","status":"done",` +
		`"final":{"rank1":1,"map":1e-320,"cmc":[]},"seed":18446744073709551615}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecord(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := parseRecord(bytes.NewReader(encode(t, r)))
		if err != nil {
			t.Fatalf("accepted once, then refused: %v", err)
		}
		if a, b := encode(t, r), encode(t, again); !bytes.Equal(a, b) {
			t.Errorf("record changed:\n%s\n%s", a, b)
		}
		if _, err := NewReport([]Record{r}, nil); err != nil {
			t.Errorf("a valid record has no report: %v", err)
		}
	})
}

func encode(t *testing.T, r Record) []byte {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

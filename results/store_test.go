package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	got, err := Load(out)
	if err != nil {
		t.Fatal(err)
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
		"unknown field": strings.Replace(good, `"seed"`, `"sead"`, 1),
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
			dir := filepath.Join(t.TempDir(), "alexnet")
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, File)
			if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := Load(filepath.Dir(dir))
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want an error that names %s", err, path)
			}
		})
	}
}

func TestLoadRefusesTwoRecordsOfOneModelAndSeed(t *testing.T) {
	out := t.TempDir()
	for _, dir := range []string{filepath.Join(out, "a"), filepath.Join(out, "b")} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, inventedRecord(t, "alexnet", "AlexNet", 0.5)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Load(out)
	if err == nil || !strings.Contains(err.Error(), "both hold a record of alexnet with the seed 1") {
		t.Errorf("two records of one model and seed: %v", err)
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
		r, err := ParseRecord(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := ParseRecord(bytes.NewReader(encode(t, r)))
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

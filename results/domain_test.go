package results

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// inventedDomain is an evaluation that never happened.
func inventedDomain(model, dataset string, accuracy float64) Domain {
	return Domain{
		Format: DomainFormat, Model: model, Weights: "ab12",
		Dataset: Dataset{Name: dataset, Layout: "market1501", Fingerprint: strings.Repeat(dataset[:1], 64)},
		Metrics: Metrics{Rank1: accuracy, Rank5: 1, Rank10: 1, MAP: accuracy / 2, MINP: accuracy / 4},
		Queries: 7, Skipped: 1,
	}
}

// inventedRuns are two runs, one of them by two protocols, and datasets that only one has been judged on.
func inventedRuns() []DomainRun {
	cosine := inventedDomain("osnet", "MSMT17", 0.31)
	cosine.Protocol = map[string]any{"metric": "cosine", "rerank": map[string]any{"k1": 20}, "trapezoid": true}
	cosine.Metrics.Reranked = &Metrics{Rank1: 0.4, MAP: 0.35}
	failed := Domain{Model: "osnet", Dataset: Dataset{Name: "=one|camera"}, Failed: "no query has a match"}
	other := inventedDomain("vit-b16", "Market-1501-v15.09.15", 0.8)
	other.Dataset.Fingerprint = strings.Repeat("N", 64)
	market := inventedDomain("osnet", "Market-1501-v15.09.15", 0.9)
	return []DomainRun{
		{"osnet", &market.Dataset, []Domain{market, inventedDomain("osnet", "DukeMTMC-reID", 0.5), cosine, failed}},
		{"vit-b16, seed 2", nil, []Domain{other, inventedDomain("vit-b16", "veri", 0.25)}},
	}
}

func TestDomains(t *testing.T) {
	runs := inventedRuns()
	for name, write := range map[string]func(io.Writer) error{
		"domains.txt":        func(w io.Writer) error { return WriteDomains(w, runs, 0) },
		"domains-narrow.txt": func(w io.Writer) error { return WriteDomains(w, runs, 80) },
		"domains.md":         func(w io.Writer) error { return WriteDomainsMarkdown(w, runs) },
		"domains.csv":        func(w io.Writer) error { return WriteDomainsCSV(w, runs) },
		"domains.json":       func(w io.Writer) error { return WriteDomainsJSON(w, runs) },
	} {
		compareGolden(t, name, write)
	}
	narrow, err := os.ReadFile(filepath.Join("testdata", "domains-narrow.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(narrow)) {
		if utf8.RuneCountInString(line) > 80+1 {
			t.Errorf("a line of more than 80 columns: %s", line)
		}
	}
}

// TestDomainsAreKept: what is written into the folder of a run comes back, but for what is of other weights or can't be
// read, which is named.
func TestDomainsAreKept(t *testing.T) {
	out := t.TempDir()
	record := inventedRecord(t, "osnet", "OSNet", 0.9)
	record.Weights = "ab12"
	writeRecord(t, out, "osnet", record)
	dir := filepath.Join(out, "osnet")
	duke, again := inventedDomain("osnet", "DukeMTMC-reID", 0.5), inventedDomain("osnet", "DukeMTMC-reID", 0.6)
	market := inventedDomain("osnet", "Market-1501", 0.25)
	for _, step := range []struct {
		Domain
		written bool
	}{{again, true}, {duke, true}, {duke, false}, {market, true}} {
		if _, written, err := WriteDomain(dir, step.Domain); err != nil || written != step.written {
			t.Fatalf("%s, %v: written %v, %v", step.Dataset.Name, step.Metrics.Rank1, written, err)
		}
	}
	stale := inventedDomain("osnet", "veri", 0.5)
	stale.Weights = "cd34"
	if _, _, err := WriteDomain(dir, stale); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "domain-broken.json"), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	runs, odd, err := DomainRuns(out)
	if err != nil {
		t.Fatal(err)
	}
	want := []DomainRun{{"osnet", &record.Dataset, []Domain{*record.Own(), duke, market}}}
	if diff := cmp.Diff(want, runs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(odd) != 2 || !strings.Contains(odd[0].Error(), "domain-broken.json") && !strings.Contains(odd[1].Error(),
		"domain-broken.json") || !strings.Contains(odd[0].Error()+odd[1].Error(), "other weights") {
		t.Errorf("odd: %v", odd)
	}
}

func TestDomainsAreTheSame(t *testing.T) {
	of := inventedDomain("osnet", "DukeMTMC-reID", 0.5)
	for name, change := range map[string]func(*Domain){
		"fingerprint": func(d *Domain) { d.Dataset.Fingerprint = "x" },
		"layout":      func(d *Domain) { d.Dataset.Layout = "csv" },
		"protocol":    func(d *Domain) { d.Protocol = map[string]any{"flip": true} },
	} {
		other := of
		if change(&other); of.Same(other) {
			t.Errorf("another %s is the same", name)
		}
	}
	other := inventedDomain("osnet", "DukeMTMC-reID", 0.7)
	if other.Protocol = map[string]any{}; !of.Same(other) {
		t.Error("other figures on the same images are of others")
	}
}

func TestDomainRefused(t *testing.T) {
	for name, change := range map[string]func(*Domain){
		"format":  func(d *Domain) { d.Format = "reidbench-domain/9" },
		"model":   func(d *Domain) { d.Model = "" },
		"weights": func(d *Domain) { d.Weights = "" },
		"queries": func(d *Domain) { d.Queries = 0 },
		"skipped": func(d *Domain) { d.Skipped = -1 },
		"mAP":     func(d *Domain) { d.Metrics.MAP = 2 },
		"images":  func(d *Domain) { d.Images = &Images{Height: -1} },
	} {
		d := inventedDomain("osnet", "veri", 0.5)
		if change(&d); d.validate() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// FuzzDomain: what is read is valid.
func FuzzDomain(f *testing.F) {
	f.Add(`{"format":"reidbench-domain/1","model":"m","weights_sha256":"a","dataset":{"name":"d","fingerprint":"b",` +
		`"synthetic":false,"identities":0,"train":0,"query":1,"gallery":1},"metrics":{"rank1":1,"rank5":1,"rank10":1,` +
		`"map":1},"queries":1,"skipped":0}`)
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := parseDomain(strings.NewReader(text)); err == nil && d.validate() != nil {
			t.Errorf("%+v: %v", d, d.validate())
		}
	})
}

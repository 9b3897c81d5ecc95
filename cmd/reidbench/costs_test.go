package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/models"
)

func TestList(t *testing.T) { golden(t, "list.txt", succeed(t, "list")) }

// TestListVariant: a changed last stride and larger images cost what summary says of the network, and no parameters.
func TestListVariant(t *testing.T) {
	changed := []string{"--last-stride", "1", "--input-size", "384x128", "--json"}
	var entries []listed
	if err := json.Unmarshal([]byte(succeed(t, append([]string{"list"}, changed...)...)), &entries); err != nil {
		t.Fatal(err)
	}
	var summary summaryDocument
	text := succeed(t, append([]string{"summary", "resnet50"}, changed...)...)
	if err := json.Unmarshal([]byte(text), &summary); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(entries, func(e listed) bool { return e.Name == "resnet50" })
	got, want := entries[i], summary.Total
	if got.Variant != "last-stride=1,input-size=384x128" || got.Params != want.Params || got.MACs != want.MACs {
		t.Errorf("list has %+v, summary %+v", got, want)
	}
}

func TestListJSON(t *testing.T) {
	var got []map[string]any
	if err := json.Unmarshal([]byte(succeed(t, "list", "--all", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(models.All()) {
		t.Errorf("%d models, want %d", len(got), len(models.All()))
	}
	for _, entry := range got {
		if entry["name"] == "deit-t16" {
			want := map[string]any{
				"name": "deit-t16", "family": "transformer", "feature_dim": 192.,
				"params": 5511360., "macs": 703660032., "matmul_macs": 76681728.,
				"paper_params": 5476800., "paper_macs": 703684608.,
			}
			if diff := cmp.Diff(want, entry); diff != "" {
				t.Errorf("deit-t16 (-want +got):\n%s", diff)
			}
			return
		}
	}
	t.Error("deit-t16 is not listed")
}

// planned are the figures of the planned memory, which are the kernels' business.
var planned = regexp.MustCompile(`\d+(\.\d+)? (B|KiB|MiB|GiB)`)

func TestSummary(t *testing.T) {
	text := succeed(t, "summary", "OSNet", "--batch", "8", "--threads", "2")
	if n := len(planned.FindAllString(text, -1)); n != 7 {
		t.Errorf("%d figures of memory, want 7", n)
	}
	golden(t, "summary-osnet.txt", regexp.MustCompile(` +\d+(\.\d+)? (B|KiB|MiB|GiB)`).ReplaceAllString(text, " …"))
}

func TestSummaryJSON(t *testing.T) {
	var got summaryDocument
	if err := json.Unmarshal([]byte(succeed(t, "summary", "vit-b16", "--batch", "2", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	var sum summaryCost
	for _, l := range got.Layers {
		sum.Params += l.Params
		sum.MACs += l.MACs
		sum.MatMulMACs += l.MatMulMACs
		sum.PaperParams += l.PaperParams
		sum.PaperMACs += l.PaperMACs
	}
	want := got.Total
	want.Params += got.Classifier.Params
	want.MACs += got.Classifier.MACs
	want.MatMulMACs += got.Classifier.MatMulMACs
	want.PaperParams += got.Classifier.PaperParams
	want.PaperMACs += got.Classifier.PaperMACs
	if sum != want || sum.MatMulMACs == 0 {
		t.Errorf("the layers' sum is %+v, totals and classifier are %+v", sum, want)
	}
	m := got.Training
	if parts := m.Activations + m.Workspace + m.Input + m.Weights + m.Gradients + m.Moments; m.Total != parts ||
		m.Activations <= 0 {
		t.Errorf("memory is %d bytes, its parts %d", m.Total, parts)
	}
	if m.Batch != 2 || m.Input != 2*256*128*3*4 {
		t.Errorf("images of %d bytes in batches of %d", m.Input, m.Batch)
	}
}

func TestCheck(t *testing.T) {
	committed := filepath.Join("..", "..", "flops", "figures.json")
	for _, args := range [][]string{{"check"}, {"check", "--file", committed}} {
		if got := succeed(t, args...); !strings.Contains(got, "are as committed") {
			t.Errorf("%v: %q", args, got)
		}
	}
}

func TestCheckFindsDrift(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "flops", "figures.json"))
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]map[string]int64{}
	if err := json.Unmarshal(data, &figures); err != nil {
		t.Fatal(err)
	}
	figures["osnet"]["macs_conv"] += 64
	drifted, err := json.Marshal(figures)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "figures.json")
	if err := os.WriteFile(file, drifted, 0o666); err != nil {
		t.Fatal(err)
	}

	o := reidbench(t, "check", "--file", file)
	if o.code != exitFound || !strings.Contains(o.stderr, "drifted") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}
	// cmp.Diff's layout is its own business; what it points at is not.
	for _, want := range []string{`"osnet": {`, "978613312", "978613248"} {
		if !strings.Contains(strings.ReplaceAll(o.stdout, "\t", ""), want) {
			t.Errorf("the diff lacks %q:\n%s", want, o.stdout)
		}
	}

	succeed(t, "check", "--update", "--file", file)
	succeed(t, "check", "--file", file)
	updated, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(data), string(updated)); diff != "" {
		t.Errorf("--update writes other figures than the committed ones:\n%s", diff)
	}
}

func TestCheckUpdateOutsideTheSourceTree(t *testing.T) {
	t.Chdir(t.TempDir())
	if o := reidbench(t, "check", "--update"); o.code != exitMisuse || !strings.Contains(o.stderr, "--file") {
		t.Errorf("exit code %d, standard error %q", o.code, o.stderr)
	}
}

func TestVersionJSON(t *testing.T) {
	var got buildVersion
	if err := json.Unmarshal([]byte(succeed(t, "version", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Go == "" || got.Threads < 1 || got.ISA.Detected == "" || got.ISA.Active == "" {
		t.Errorf("incomplete: %+v", got)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 12345678: "12,345,678", -999: "-999", -1000: "-1,000",
	} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/bench"
	"github.com/reidbench/reidbench/kernels/gemm"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/models/graph"
	"github.com/reidbench/reidbench/results"
)

func TestMeasure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "measured.json")
	text := succeed(t, "measure", "lenet", "--threads", "1", "--out", file)
	row := regexp.MustCompile(`(?m)^lenet( +[0-9.]+){6,7}$`)
	if !row.MatchString(text) || !strings.Contains(text, "\nThreads     1, fp32\n") {
		t.Errorf("the figures of lenet are not there:\n%s", text)
	}
	kept, err := results.ReadMeasurements(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.Models) != 1 || kept.Models[0].Model != "lenet" || kept.Models[0].Inference.Threads != 1 ||
		kept.Machine.ISA == "" {
		t.Errorf("the file has %+v", kept)
	}

	changed := filepath.Join(t.TempDir(), "changed.json")
	text = succeed(t, "measure", "lenet", "--threads", "1", "--bnneck", "--input-size", "64x64", "--out", changed)
	if !strings.Contains(text, "\nNetworks    with bnneck, input-size=64x64\n") {
		t.Errorf("nothing about the network:\n%s", text)
	}
	if _, err := results.ReadMeasurements(changed); err == nil || !strings.Contains(err.Error(), "bnneck") {
		t.Errorf("figures of a changed network are read: %v", err)
	}

	var printed results.Measurements
	if err := json.Unmarshal([]byte(succeed(t, "measure", "lenet", "--threads", "1", "--json")), &printed); err != nil {
		t.Fatal(err)
	}
	figures := cmpopts.IgnoreTypes(results.Latency{}, 0.0, int64(0), results.WaitedShare(0))
	if diff := cmp.Diff(kept, printed, figures); diff != "" {
		t.Errorf("--json has something else than --out (-out +json):\n%s", diff)
	}
}

// TestMeasurementsFit: a terminal of 80 columns shows the longest name beside the largest figures.
func TestMeasurementsFit(t *testing.T) {
	m := results.Measurements{Models: []results.Measured{{Inference: results.Inference{
		Threads: 64, Precision: "bf16", Batch: 32,
		Latency: results.Latency{P50: 99999, P90: 99999, P99: 99999}, ImagesPerSecond: 99999,
		PlannedBytes: 9999 << 20, BatchPlannedBytes: 9999 << 20, PeakBytes: 9999 << 20,
	}}}}
	for _, model := range models.All() {
		if len(model.Name) > len(m.Models[0].Model) {
			m.Models[0].Model = model.Name
		}
	}
	var page strings.Builder
	if err := printMeasurements(&page, m); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(page.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// TestMeasureInterrupted: what was measured before Ctrl-C stays, and a model that fails does not take the others.
func TestMeasureInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "measured.json")
	lenet, err := models.Lookup("lenet")
	if err != nil {
		t.Fatal(err)
	}
	broken, again := lenet, lenet
	broken.Name, again.Name = "broken", "again"
	broken.Build = func(*graph.Builder, int) (features, logits *graph.Node) { panic("no such layer") }
	list := []models.Model{broken, lenet, again}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got, err := measureModels(ctx, list, 1, gemm.FP32, file, func(done, total int) {
		if done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, bench.ErrInterrupted) || !strings.Contains(err.Error(), "1 of 3") {
		t.Errorf("%v, want that 1 of 3 models was measured before the interruption", err)
	}
	kept, err := results.ReadMeasurements(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, kept); diff != "" || len(kept.Models) != 1 || kept.Models[0].Model != "lenet" {
		t.Errorf("kept %+v (-returned +kept):\n%s", kept, diff)
	}

	got, err = measureModels(t.Context(), list, 1, gemm.FP32, "", func(int, int) {})
	if !errors.Is(err, errFound) || !strings.Contains(err.Error(), "broken") || len(got.Models) != 2 {
		t.Errorf("%d models are measured, and the error is %v", len(got.Models), err)
	}
}

func TestMeasureMisused(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent", "measured.json")
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"measure", exitMisuse, "requires at least 1 arg"},
		{"measure resnet5000", exitMisuse, "did you mean"},
		{"measure lenet --threads 0", exitMisuse, "--threads"},
		{"measure lenet --precision fp16", exitMisuse, "fp16"},
		{"measure lenet --last-stride 3", exitMisuse, "--last-stride"},
		{"measure lenet --threads 1 --out " + absent, exitFound, absent},
	} {
		o := reidbench(t, strings.Fields(test.args)...)
		if o.code != test.code || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", test.args, o.code, test.code, test.want, o.stderr)
		}
	}
}

// measuredFile has a latency of 17.5 ms for OSNet.
func measuredFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "measured.json")
	osnet := results.Measured{Model: "osnet", Row: "OSNet", Inference: results.Inference{
		Threads: 2, Precision: "fp32", Latency: results.Latency{P50: 17.5, P90: 18, P99: 19, Runs: 80},
		Batch: 32, ImagesPerSecond: 61.25, PlannedBytes: 33 << 20,
	}}
	if err := results.WriteMeasurements(file, results.Measurements{Models: []results.Measured{osnet}}); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestReportsTakeMeasurements: report and plot show a file of measurements, and refuse what is none.
func TestReportsTakeMeasurements(t *testing.T) {
	file := measuredFile(t)
	dir := filepath.Dir(file)
	none := filepath.Join(dir, "none.json")
	t.Chdir(dir) // where nothing has been run
	for _, format := range []string{"--markdown", "--csv", "--json"} {
		if text := succeed(t, "report", "--measured", file, format); !strings.Contains(text, "17.5") {
			t.Errorf("report %s does not have OSNet's latency", format)
		}
	}
	page := filepath.Join(dir, "report.html")
	succeed(t, "report", "--measured", file, "--html", page)
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), `"latency_ms":17.5`) {
		t.Errorf("the page does not have OSNet's latency: %v", err)
	}
	charts := succeed(t, "plot", "--measured", file, "--out", dir)
	if !strings.Contains(charts, filepath.Join(dir, "map-latency.png")) {
		t.Errorf("no chart against latency among\n%s", charts)
	}
	if err := os.WriteFile(none, []byte(`{"format":"reidbench-result/1"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"report", "plot"} {
		if o := reidbench(t, command, "--measured", none); o.code != exitFound || !strings.Contains(o.stderr, none) {
			t.Errorf("%s: exit code %d\n%s", command, o.code, o.stderr)
		}
	}
}

package measure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/bench/internal/tinymodel"
	"github.com/reidbench/reidbench/models"
	"github.com/reidbench/reidbench/results"
)

func TestBenchstatReadsMeasurements(t *testing.T) {
	m := Measurement{
		Model: "resnet50", Mode: TrainMode, Batch: 32, Threads: 2, Precision: "fp32", PlannedBytes: 1 << 30,
		PeakRSSBytes: 1 << 31,
		Steps:        []time.Duration{2 * time.Second, 4 * time.Second}, FLOPs: 400e9, Peak: 200e9,
	}
	var out bytes.Buffer
	if err := WriteHeader(&out,
		results.Machine{CPU: "Some CPU", ISA: "avx512", OS: "linux", Arch: "amd64"}); err != nil {
		t.Fatal(err)
	}
	if err := WriteBenchmark(&out, m); err != nil {
		t.Fatal(err)
	}
	config := map[string]string{}
	var seconds, rates, gflops []float64
	for line := range strings.Lines(out.String()) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			config[key] = value
			continue
		}
		name, values := benchmarkLine(t, line)
		if want := fmt.Sprintf("BenchmarkTrain/model=resnet50/batch=32/threads=2-%d",
			runtime.GOMAXPROCS(0)); name != want {
			t.Errorf("name %s, want %s", name, want)
		}
		seconds = append(seconds, values["ns/op"]/1e9)
		rates = append(rates, values["img/s"])
		gflops = append(gflops, values["GFLOP/s"])
	}
	if config["isa"] != "avx512" || config["cpu"] != "Some CPU" {
		t.Errorf("configuration %v", config)
	}
	if diff := cmp.Diff([][]float64{{2, 4}, {16, 8}, {200, 100}}, [][]float64{seconds, rates, gflops}); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// benchmarkLine reads a line of Go's benchmark format: a name, a number of iterations, then
// values, each with its unit (golang.org/design/14313-benchmark-format).
func benchmarkLine(t *testing.T, line string) (name string, values map[string]float64) {
	t.Helper()
	fields := strings.Fields(line)
	if len(fields) < 4 || len(fields)%2 != 0 {
		t.Fatalf("%d fields in %q", len(fields), line)
	}
	values = map[string]float64{}
	for i := 1; i < len(fields); i++ {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if i == 1 {
			continue // the iterations
		}
		i++
		values[fields[i]] = v
	}
	return fields[0], values
}

func TestMeasure(t *testing.T) {
	for _, mode := range []Mode{TrainMode, InferMode} {
		list, err := Run(t.Context(),
			Config{Mode: mode, Models: []models.Model{tinymodel.New("tiny")}, Batch: 2, Threads: 1, Steps: 3})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 1 {
			t.Fatalf("%d measurements, want 1", len(list))
		}
		m := list[0]
		// Two convolutions of 16×8×8 and 8×4×16 outputs, 27 and 72 products each, two images.
		flops := 2.0 * 2 * (16*8*8*27 + 8*4*16*72)
		if mode == TrainMode {
			flops *= 3
		}
		if m.FLOPs != flops || len(m.Steps) != 3 || m.ImagesPerSecond <= 0 || m.GFLOPS <= 0 || m.PeakShare <= 0 ||
			m.PlannedBytes <= 0 {
			t.Errorf("%s: %+v, want %v FLOP", mode, m, flops)
		}
	}
}

func TestMeasureKernels(t *testing.T) {
	list, err := Run(t.Context(),
		Config{Mode: KernelMode, Models: []models.Model{tinymodel.New("tiny")}, Batch: 2, Threads: 1, Steps: 1})
	if err != nil {
		t.Fatal(err)
	}
	// A product, and in three directions two convolutions and the classifier.
	if want := 1 + 3*3; len(list) != want {
		t.Errorf("%d measurements, want %d", len(list), want)
	}
	seen := map[string]bool{}
	for _, m := range list {
		if seen[m.Model] || m.FLOPs <= 0 || m.GFLOPS <= 0 || m.BoundGFLOPS <= 0 ||
			m.BoundShare != m.GFLOPS/m.BoundGFLOPS {
			t.Errorf("measured twice or not at all: %+v", m)
		}
		if memory := m.BoundGFLOPS < m.Peak/1e9; memory != (m.Bound == "memory") {
			t.Errorf("bound by %s at %v of %v GFLOP/s", m.Bound, m.BoundGFLOPS, m.Peak/1e9)
		}
		seen[m.Model] = true
	}
	// The second convolution has 8×4×16 outputs of 72 products, 16×8×8 inputs and 16·72 weights.
	m := list[4]
	if flops := 2.0 * 2 * 8 * 4 * 16 * 72; m.Model != "conv3x3-s2-p1-16x8x8-16-forward" || m.FLOPs != flops {
		t.Errorf("%+v, want %v FLOP", m, flops)
	}
	if diff := cmp.Diff([]string{"tiny"}, m.Models); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
}

func TestKernelCases(t *testing.T) {
	list, err := models.Match("mobilenetv3-small", "tnt-s", "deit-s16", "vit-b16")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := kernelCases(list)
	if err != nil {
		t.Fatal(err)
	}
	names, groups := map[string][]string{}, map[string]bool{}
	var last string
	for _, c := range cases {
		if name := c.shape.String(); names[name] != nil {
			t.Errorf("two shapes are called %s", name)
		}
		names[c.shape.String()] = c.models
		group := strings.Join(c.models, " ")
		if group != last && groups[group] {
			t.Errorf("the shapes of %s do not stand together", group)
		}
		groups[group], last = true, group
	}
	for name, want := range map[string][]string{
		"conv3x3-s2-p1-256x128x3-16":   {"mobilenetv3-small"},
		"depthwise5x5-p2-16x8x240-240": {"mobilenetv3-small"},
		"attention-128x16-heads4x6":    {"tnt-s"},
		"attention-1x129-heads6x64":    {"tnt-s", "deit-s16"},
		"linear-1x129x384-1536":        {"tnt-s", "deit-s16"},
		"conv16x16-s16-256x128x3-768":  {"vit-b16"},
	} {
		slices.Sort(want)
		got := slices.Sorted(slices.Values(names[name]))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("models with %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBenchstatReadsKernels(t *testing.T) {
	m := Measurement{
		Model: "linear-1x129x384-1536-forward", Models: []string{"deit-s16", "tnt-s"}, Mode: KernelMode, Batch: 8,
		Threads: 2, Precision: "fp32",
		Steps: []time.Duration{2 * time.Second}, FLOPs: 100e9, Peak: 200e9, Bound: "memory", BoundGFLOPS: 80,
	}
	var out bytes.Buffer
	if err := errors.Join(WriteModels(&out, m.Models), WriteBenchmark(&out, m)); err != nil {
		t.Fatal(err)
	}
	config, line, _ := strings.Cut(out.String(), "\n")
	if want := "models: deit-s16 tnt-s"; config != want {
		t.Errorf("%q, want %q", config, want)
	}
	_, values := benchmarkLine(t, line)
	want := map[string]float64{
		"ns/op": 2e9, "img/s": 4, "GFLOP/s": 50, "peak-share": 0.25, "bound-GFLOP/s": 80, "bound-share": 0.625,
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestMeasurementFields(t *testing.T) {
	data, err := json.Marshal(Measurement{})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"model", "mode", "batch", "threads", "precision", "img_per_s", "gflops", "peak_share", "planned_bytes",
		"peak_rss_bytes",
	} {
		if _, ok := fields[name]; !ok {
			t.Errorf("no field %s", name)
		}
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Errorf("more fields: %v", fields)
	}
}

func TestMeasureRefuses(t *testing.T) {
	if _, err := Run(t.Context(), Config{Mode: "sing"}); err == nil {
		t.Error("an unknown mode is measured")
	}
	if _, err := Run(t.Context(), Config{Mode: TrainMode}); err == nil {
		t.Error("no models are measured")
	}
	m := tinymodel.Unbuildable("m")
	_, err := Run(t.Context(), Config{Mode: InferMode, Models: []models.Model{m}})
	if !errors.As(err, new(interface{ Stack() []byte })) {
		t.Errorf("a model that cannot be built: %v", err)
	}
}

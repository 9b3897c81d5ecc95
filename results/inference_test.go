package results

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func someInference() Inference {
	return Inference{
		Threads: 2, Precision: "fp32", Latency: Latency{P50: 17.25, P90: 18.5, P99: 30, Runs: 87},
		PlannedBytes: 300 << 20, Batch: 32, ImagesPerSecond: 88.125, BatchPlannedBytes: 400 << 20, PeakBytes: 410 << 20,
	}
}

func someMeasurements() Measurements {
	fast := someInference()
	fast.Latency = Latency{P50: 0.0625, P90: 0.5, P99: 1, Runs: 500}
	fast.ImagesPerSecond, fast.PlannedBytes, fast.WaitedShare = 40955, 3<<19, 0.375
	return Measurements{
		Version: "v1.2.3", Machine: Machine{CPU: "Some CPU", ISA: "avx512", Cores: 2},
		Models: []Measured{{"resnet50", "ResNet50", "", someInference()}, {"lenet", "", "", fast}},
	}
}

func TestMeasurementsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "measured.json")
	want := someMeasurements()
	if err := WriteMeasurements(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadMeasurements(path)
	if err != nil {
		t.Fatal(err)
	}
	want.Format = MeasurementsFormat
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func TestMeasurementsAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "measured.json")
	if err := WriteMeasurements(path, someMeasurements()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, new, want string }{
		{MeasurementsFormat, "reidbench-measurements/2", "format is"},
		{`"p50": 17.25`, `"p50": 18.75`, "resnet50: the percentiles of the latency fall"},
		{`"p50": 17.25`, `"p50": 0`, "no time and no rate"},
		{`"images_per_second": 88.125`, `"images_per_second": 1e16`, "no time and no rate"},
		{`"runs": 87`, `"runs": 0`, "no number of threads, runs or images"},
		{`"peak_bytes": 429916160`, `"peak_bytes": -1`, "no amount of memory"},
		{`"waited_share": 0.375`, `"waited_share": 1.5`, "no share of the time"},
		{`"model": "lenet"`, `"model": "resnet50"`, "resnet50 is there twice"},
		{`"model": "lenet"`, `"model": ""`, "no model name"},
		{`"threads": 2`, `"thread": 2`, "a newer version"},
		{"\n}", "\n}{", "data after"},
		{"\n}", "\n" + strings.Repeat(" ", maxRecordBytes) + "}", "larger than"},
	} {
		broken := strings.Replace(string(whole), test.old, test.new, 1)
		if broken == string(whole) {
			t.Fatalf("%q is not in the file", test.old)
		}
		_, err := parseMeasurements(strings.NewReader(broken))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40q: %v, want %q", test.new, err, test.want)
		}
	}
	if _, err := parseMeasurements(strings.NewReader(`{"format":"` + MeasurementsFormat + `"}`)); err == nil {
		t.Error("a file without models is read")
	}
}

func FuzzParseMeasurements(f *testing.F) {
	f.Add(`{"format":"reidbench-measurements/1","machine":{"cpu":"c"},"models":[{"model":"m","inference":{` +
		`"threads":1,"latency_ms":{"p50":1,"p90":1,"p99":1,"runs":1},"batch":1,"images_per_second":1e-320}}]}`)
	f.Add(`{"format":"reidbench-measurements/1","models":null}`)
	f.Fuzz(func(t *testing.T, content string) {
		m, err := parseMeasurements(strings.NewReader(content))
		if err != nil {
			return
		}
		for _, of := range m.Models {
			if of.Inference.validate() != nil || math.IsInf(of.Inference.ImagesPerSecond, 0) {
				t.Errorf("%q was read as %+v", content, m)
			}
		}
	})
}

// TestReportMeasure: a file of measurements stands in for runs that have measured nothing, and before those that have.
func TestReportMeasure(t *testing.T) {
	own := someInference()
	own.Latency = Latency{P50: 1, P90: 1, P99: 1, Runs: 10}
	records := []Record{
		{Model: "lenet", State: StateDone, Final: &Metrics{}},
		{Model: "resnet50", Row: "ResNet50", State: StateDone, Final: &Metrics{}, Inference: &own},
		{Model: "osnet", Row: "OSNet", State: StateFailed, Reason: "r", Seed: 1},
		{Model: "osnet", Row: "OSNet", State: StateDone, Final: &Metrics{}, Seed: 2},
		{Model: "osnet", Row: "OSNet", State: StateDone, Final: &Metrics{}, Seed: 3, Inference: &own},
	}
	latencies := func(measured ...Measurements) map[string]string {
		t.Helper()
		report, err := NewReport(records, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range measured {
			report.Measure(m)
		}
		known := map[string]string{}
		for l := range report.lines {
			if text := LatencyP50.Text(l); text != "" {
				known[l.Model] = text + " " + Throughput.Text(l) + " " + InferenceMemory.Text(l)
			}
		}
		return known
	}
	want := map[string]string{"ResNet50": "1.00 88.1 300", "OSNet": "1.00 88.1 300"}
	if diff := cmp.Diff(want, latencies()); diff != "" {
		t.Errorf("of the runs (-want +got):\n%s", diff)
	}
	want["ResNet50"], want["lenet"] = "17.2 88.1 300", "0.0625 40955 1.50"
	if diff := cmp.Diff(want, latencies(someMeasurements())); diff != "" {
		t.Errorf("with a file (-want +got):\n%s", diff)
	}
}

// TestReportsShowInference: text, Markdown, CSV and JSON have the figures of what was measured, and say how.
func TestReportsShowInference(t *testing.T) {
	report, err := NewReport([]Record{{Model: "lenet", State: StateDone, Final: &Metrics{}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the later file counts, and is what is spoken of
		report.Measure(someMeasurements())
	}
	const how = "images a second in batches of 32, 2 threads, fp32, on Some CPU, avx512, 2 cores"
	const disturbed = "; made worse by other work, for which threads waited: lenet (38 % of the time)"
	for name, test := range map[string]struct {
		write func(io.Writer) error
		want  []string
	}{
		"text": {func(w io.Writer) error { return report.Text(w, Layout{}) }, []string{
			how, disturbed, "Latency", "17.2", "88.1", "300", "0.0625", "40955"}},
		"Markdown": {func(w io.Writer) error { return report.Markdown(w, Layout{}) }, []string{
			how, disturbed, "Latency (ms)", "17.2", "0.0625"}},
		"CSV": {report.CSV, []string{
			"\ncnn,ResNet50,ResNet50,not run,",
			",17.25,18.5,30,314572800,32,88.125,419430400,429916160,2,"}},
		"JSON": {report.JSON, []string{how, disturbed, `"p50": 17.25,`, `"planned_bytes": 314572800`}},
	} {
		var page strings.Builder
		if err := test.write(&page); err != nil {
			t.Fatal(err)
		}
		unwrapped := strings.ReplaceAll(page.String(), "\n           ", " ")
		for _, want := range test.want {
			if n := strings.Count(unwrapped, want); n == 0 || want == how && n != 1 {
				t.Errorf("%s has %q %d times:\n%s", name, want, n, page.String())
			}
		}
	}
}

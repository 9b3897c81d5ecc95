package results

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// inventedRecord is a run that never happened; its figures are for the tests alone.
func inventedRecord(t *testing.T, model, row string, accuracy float64) Record {
	t.Helper()
	recipe, err := NewRecipe("quick", map[string]any{"batch": 64, "lr": 5e-4, "epochs": 3, "evaluate_every": 0})
	if err != nil {
		t.Fatal(err)
	}
	started := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	return Record{
		Format: Format, Model: model, Row: row, State: StateDone,
		Recipe: recipe, Seed: 1,
		Dataset: Dataset{Name: "drawn", Fingerprint: "0123456789abcdef", Synthetic: true, Identities: 40, Train: 320,
			Query: 80, Gallery: 240},
		Machine: Machine{CPU: "Imaginary CPU", ISA: "avx2", Cores: 2, Go: "go1.26", OS: "linux", Arch: "amd64"},
		Epochs:  4,
		Final: &Metrics{Rank1: accuracy, Rank5: min(accuracy+0.1, 1), Rank10: min(accuracy+0.15, 1),
			MAP: accuracy / 2, MINP: accuracy / 4, CMC: []float64{accuracy, accuracy}},
		Best:   &Best{Epoch: 3, Metrics: Metrics{Rank1: accuracy, Rank5: accuracy, Rank10: accuracy, MAP: accuracy}},
		Memory: Memory{PlannedBytes: 1 << 30, PeakBytes: 1<<30 + 1},
		Timing: Timing{Started: started, Finished: started.Add(90 * time.Second), WallSeconds: 90,
			ImagesPerSecond: 14.5},
	}
}

func inventedReport(t *testing.T) *Report {
	t.Helper()
	failed := inventedRecord(t, "resnet50", "ResNet50", 0)
	failed.State, failed.Final, failed.Best = StateFailed, nil, nil
	failed.Reason = "panic: a|b\nin the second line"
	seeded := inventedRecord(t, "osnet", "OSNet", 0.912344)
	seeded.Seed = 7
	beside := inventedRecord(t, "mobilenet_v1|half", "", 0.3)
	beside.Cost = Cost{Params: 3206976, MACs: 371000000, PaperParams: 3206976, PaperMACs: 377373696}
	report, err := NewReport([]Record{
		beside, seeded, failed,
		inventedRecord(t, "vit-b16", "ViT-B16(256,128)", 0.5),
		inventedRecord(t, "alexnet", "AlexNet", 0.67689),
	}, map[string]Cost{
		"AlexNet":                   {PaperParams: 57003840, PaperMACs: 467565376},
		"ResNet50":                  {PaperParams: 23508032, PaperMACs: 2683734016},
		"Mobilenetv2-100":           {PaperParams: 2223872, PaperMACs: 204352768},
		"OSNet":                     {PaperParams: 2169508, PaperMACs: 996691088},
		"ConvNeXt-Tiny":             {PaperParams: 27797184, PaperMACs: 2999999999}, // not what it costs
		"ViT-B16(256,128)":          {PaperParams: 85608192, PaperMACs: 11032166400},
		"VT-ResNet50-1F1R(256,128)": {PaperParams: 23239744, PaperMACs: 2743664640},
		"VT-ResNet50-1F2R(256,128)": {PaperParams: 32676928, PaperMACs: 3129540608},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// seededReport has three seeds of one row, two of another, one of them failed, a run that was re-ranked, and one
// from before there was mINP.
func seededReport(t *testing.T) *Report {
	t.Helper()
	var records []Record
	for i, accuracy := range []float64{0.91, 0.895, 0.904} {
		r := inventedRecord(t, "osnet", "OSNet", accuracy)
		r.Seed = uint64(3 - i)
		records = append(records, r)
	}
	records[1].Machine.Cores = 4
	records[2].Final.Reranked = &Metrics{Rank1: 0.93, MAP: 0.6} // not in all seeds: no mean
	reranked := inventedRecord(t, "resnet50", "ResNet50", 0.8)
	reranked.Final.Reranked = &Metrics{Rank1: 0.82, MAP: 0.61}
	reranked.Recipe.Values = map[string]any{"batch": 64,
		"evaluation": map[string]any{"rerank": map[string]any{"k1": 20, "k2": 6}, "flip": true}}
	failed, old := inventedRecord(t, "alexnet", "AlexNet", 0), inventedRecord(t, "vgg16", "VGG16", 0.7)
	failed.Seed, failed.State, failed.Reason, failed.Final, failed.Best = 2, StateFailed, "out of memory", nil, nil
	old.Final.MINP = 0
	old.Timing.WallSeconds, old.Timing.ImagesPerSecond = 0, 0 // not known
	return mustReport(t, append(records, reranked, failed, inventedRecord(t, "alexnet", "AlexNet", 0.6), old), nil)
}

func TestReportGolden(t *testing.T) {
	report, seeded, empty := inventedReport(t), seededReport(t), mustReport(t, nil, nil)
	ours, compared := inventedReport(t), inventedReport(t)
	ours.OursAlone()
	compared.CompareAll()
	text := func(r *Report, l Layout) func(io.Writer) error {
		return func(w io.Writer) error { return r.Text(w, l) }
	}
	markdown := func(r *Report, l Layout) func(io.Writer) error {
		return func(w io.Writer) error { return r.Markdown(w, l) }
	}
	columns := []string{"map_published", "latency_ms", "loss_last", "map", "map_difference"}
	for name, write := range map[string]func(io.Writer) error{
		"wide.txt":     text(report, Layout{}),
		"narrow.txt":   text(report, Layout{Width: 80}),
		"compared.txt": text(compared, Layout{Width: 80}),
		"columns.txt":  text(report, Layout{Width: 80, Columns: columns}),
		"report.md":    markdown(report, Layout{}),
		"report.csv":   report.CSV,
		"report.json":  report.JSON,
		"ours.md":      markdown(ours, Layout{}),
		"compared.md":  markdown(compared, Layout{Wide: true}),
		"seeds.txt":    text(seeded, Layout{Width: 120}),
		"seeds.md":     markdown(seeded, Layout{}),
		"seeds.csv":    seeded.CSV,
		"empty.txt":    text(empty, Layout{}),
	} {
		compareGolden(t, name, write)
	}
}

// compareGolden holds what is written against a file of testdata.
func compareGolden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("differs from the golden file (-want +got):\n%s", diff)
		}
	})
}

// TestTextFitsItsWidth: no line is wider than the terminal, and every row is one line in each of its tables.
func TestTextFitsItsWidth(t *testing.T) {
	for name, report := range map[string]*Report{
		"invented": inventedReport(t), "seeds": seededReport(t), "sure": sureReport(t),
		"empty": mustReport(t, nil, nil),
	} {
		for _, compare := range []bool{false, true} {
			if compare {
				report.CompareAll()
			}
			for _, width := range []int{60, 80, 100, 120, 160} {
				var page bytes.Buffer
				if err := report.Text(&page, Layout{Width: width}); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(page.String()) {
					if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
						t.Errorf("%s, width %d: a line of %d columns: %s", name, width, n, line)
					}
				}
				for _, s := range report.sections() {
					if n := strings.Count(page.String(), s.title); n != 1 {
						t.Errorf("%s, width %d: %q is there %d times", name, width, s.title, n)
					}
				}
			}
		}
	}
}

func TestMarkdownTablesAreWellFormed(t *testing.T) {
	var page bytes.Buffer
	if err := inventedReport(t).Markdown(&page, Layout{}); err != nil {
		t.Fatal(err)
	}
	columns, rows := 0, 0
	for line := range strings.Lines(page.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(line, "|") - strings.Count(line, `\|`)
		if columns == 0 {
			columns = n
		}
		if n != columns {
			t.Errorf("%d cells in a table of %d: %s", n-1, columns-1, line)
		}
		rows++
	}
	// All rows and one beside them, under three headings; five that ran, under three; each table has titles and a rule.
	if want := 34 + 1 + 3 + 5 + 3 + 2*2; rows != want {
		t.Errorf("%d table lines, want %d", rows, want)
	}
}

func TestCSVHasOneLinePerModel(t *testing.T) {
	var page bytes.Buffer
	if err := inventedReport(t).CSV(&page); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&page).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1+34+1 {
		t.Errorf("%d lines, want a header, 34 rows and one model beside them", len(lines))
	}
	seen := make(map[string]bool)
	for _, name := range lines[0] {
		if seen[name] || strings.ToLower(name) != name || strings.ContainsAny(name, " ()-") {
			t.Errorf("column name %q is used twice or awkward in code", name)
		}
		seen[name] = true
	}
}

func TestJSONIsValidAndKeepsPrintedDigits(t *testing.T) {
	var page bytes.Buffer
	if err := inventedReport(t).JSON(&page); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tables []struct {
			Rows []struct {
				Model    string
				State    State `json:"status"`
				Params_m struct{ Ours, Published, Difference json.Number }
			}
		}
	}
	if err := json.Unmarshal(page.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	alexnet := got.Tables[0].Rows[0]
	if alexnet.Params_m.Ours != "57.00" || alexnet.Params_m.Published != "57.00" ||
		alexnet.Params_m.Difference != "0.00" {
		t.Errorf("AlexNet's params are %+v, want 57.00 twice and 0.00", alexnet.Params_m)
	}
	if vgg := got.Tables[0].Rows[1]; vgg.State != StateNotRun || vgg.Params_m.Ours != "" {
		t.Errorf("a row that was not run is %+v", vgg)
	}
}

func TestReportRefusesRecordsOfOneRun(t *testing.T) {
	record := func(model, row string, seed uint64) Record {
		r := inventedRecord(t, model, row, 0.1)
		r.Seed = seed
		return r
	}
	for name, records := range map[string][]Record{
		"two models of one row": {record("a", "ViT-B16(256,128)", 1), record("b", "ViT-B16", 2)},
		"the same seed twice": {
			record("a", "ViT-B16", 1), record("a", "ViT-B16", 2), record("a", "ViT-B16", 1),
		},
		"the same seed beside the rows": {record("a", "", 1), record("a", "", 1)},
	} {
		if _, err := NewReport(records, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLineOverSeeds(t *testing.T) {
	line := Line{Records: []*Record{
		{State: StateFailed},
		{State: StateDone, Seed: 2, Final: &Metrics{Rank1: 0.5, MAP: 0.2, MINP: 0.1, CMC: []float64{0.5, 0.6, 0.7}}},
		{State: StateDone, Seed: 3, Final: &Metrics{Rank1: 0.75, MAP: 0.2, MINP: 0, CMC: []float64{0.75, 1}}},
		{State: StateDone, Seed: 4, Final: &Metrics{Rank1: 1, MAP: 0.5, MINP: 0.4, CMC: []float64{1, 1, 1}}},
	}}
	if line.State() != StateDone || line.Record().Seed != 2 {
		t.Errorf("status %q by seed %d, want done by the first that is, 2", line.State(), line.Record().Seed)
	}
	// Around the means the differences are -¼, 0, ¼ and -0.1, -0.1, 0.2: their squares' sums over two, and the root.
	for name, c := range map[string]struct{ got, want *Metrics }{
		"mean": {line.Metrics(), &Metrics{Rank1: 0.75, MAP: 0.3, CMC: []float64{0.75, 2.6 / 3}}},
		"deviation": {line.Deviation(), &Metrics{Rank1: 0.25, MAP: math.Sqrt(0.03),
			CMC: []float64{0.25, 0.4 / math.Sqrt(3)}}},
	} {
		if diff := cmp.Diff(c.want, c.got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, r := range line.Records[1:] {
		r.Final.Reranked = &Metrics{MAP: r.Final.MAP + 0.1}
	}
	if m, sd := line.Metrics().Reranked.MAP, line.Deviation().Reranked.MAP; math.Abs(m-0.4) > 1e-12 ||
		math.Abs(sd-math.Sqrt(0.03)) > 1e-12 {
		t.Errorf("re-ranked mAP %v ± %v, want 0.4 ± the root of 0.03", m, sd)
	}
	line.Records = line.Records[:2]
	if line.Deviation() != nil {
		t.Error("a single run that is done has a deviation")
	}
	line.Records = line.Records[:1]
	if line.State() != StateFailed || line.Metrics() != nil || line.Record() == nil {
		t.Errorf("status %q, metrics %v, record %v of a line whose run has failed",
			line.State(), line.Metrics(), line.Record())
	}
}

func TestEscapes(t *testing.T) {
	for _, c := range []struct{ in, csv, markdown string }{
		{"a|b", "a|b", `a\|b`},
		{"a\nb", "a\nb", "a<br>b"},
		{"\x1b[31mred", `\x1b[31mred`, `\\x1b\[31mred`},
		{`a\|b`, `a\|b`, `a\\\|b`},
		{"mobilenet_v2 <x>", "mobilenet_v2 <x>", `mobilenet\_v2 &lt;x&gt;`},
		{"bad \xff", "bad \uFFFD", "bad \uFFFD"},
		{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0", `=cmd\|' /C calc'!A0`},
		{"@SUM(1)", "'@SUM(1)", "@SUM(1)"},
		{"+1+1", "'+1+1", "+1+1"},
		{"-0.33", "-0.33", "-0.33"},
		{"-x", "'-x", "-x"},
		{"", "", ""},
	} {
		if got := csvText(c.in); got != c.csv {
			t.Errorf("csvText(%q) = %q, want %q", c.in, got, c.csv)
		}
		if got := escapeMarkdown(c.in); got != c.markdown {
			t.Errorf("escapeMarkdown(%q) = %q, want %q", c.in, got, c.markdown)
		}
	}
}

func mustReport(t *testing.T, records []Record, costs map[string]Cost) *Report {
	t.Helper()
	report, err := NewReport(records, costs)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestMissingRowsAreNamed: those few that were not run, and not the many.
func TestMissingRowsAreNamed(t *testing.T) {
	rows := Published()
	for _, test := range []struct {
		missing int
		want    string
	}{
		{0, "34 of 34 done, 0 failed, 0 not run"},
		{2, "32 of 34 done, 0 failed, 2 not run: " + rows[0].Model + ", " + rows[1].Model},
		{mostMissing + 1, "23 of 34 done, 0 failed, 11 not run"},
	} {
		var records []Record
		for _, row := range rows[test.missing:] {
			records = append(records, Record{
				Model: strings.ToLower(row.Model), Row: row.Name, State: StateDone, Final: &Metrics{},
			})
		}
		report, err := NewReport(records, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.countRows(); got != test.want {
			t.Errorf("%d missing: %q, want %q", test.missing, got, test.want)
		}
	}
}

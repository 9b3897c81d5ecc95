package plots

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"

	"github.com/reidbench/reidbench/results"
)

// measuredPoints are three models, of which the last was not measured. By latency the first beats the second; by
// throughput it is the other way round, but for accuracy.
func measuredPoints() Comparison {
	value := func(latency, throughput, accuracy float64) *Value {
		return &Value{ParamsM: 10, MACsG: 1, Rank1: accuracy, MAP: accuracy, LatencyMS: latency, Throughput: throughput}
	}
	return Comparison{Points: []Point{
		{Name: "quick", Published: value(5, 40, 60)},
		{Name: "broad", Published: value(20, 400, 50)},
		{Name: "unknown", Published: value(0, 0, 90), Ours: value(0, 0, 80)},
	}}
}

func TestMeasuredCosts(t *testing.T) {
	c := measuredPoints()
	paths, err := Render(t.TempDir(), c)
	if err != nil {
		t.Fatal(err)
	}
	var charts []string
	for _, path := range paths {
		if filepath.Ext(path) != ".svg" {
			continue
		}
		charts = append(charts, filepath.Base(path))
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts := svgTexts(t, data)
		want := map[string]int{"quick": 1, "broad": 1, "unknown": 2}
		if len(charts) > 4 {
			want["unknown"] = 0
		}
		for name, n := range want {
			if texts[name] != n {
				t.Errorf("%s names %s %d times, want %d", filepath.Base(path), name, texts[name], n)
			}
		}
	}
	if diff := cmp.Diff([]string{"map-macs.svg", "rank1-macs.svg", "map-params.svg", "rank1-params.svg",
		"map-latency.svg", "rank1-latency.svg", "map-throughput.svg", "rank1-throughput.svg"}, charts); diff != "" {
		t.Errorf("charts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(measuredPoints(), c); diff != "" {
		t.Errorf("drawing has changed the points (-before +after):\n%s", diff)
	}
}

// TestRenderAnswer: the same charts as among all others, but few.
func TestRenderAnswer(t *testing.T) {
	unmeasured := Comparison{Points: measuredPoints().Points[2:]}
	apart := measuredPoints()
	apart.Apart = true
	apart.Points[0].Ours = apart.Points[0].Published
	for _, test := range []struct {
		name string
		c    Comparison
		want []string
	}{
		{"measured", measuredPoints(), []string{"map-latency.png", "map-latency.svg"}},
		{"not measured", unmeasured, []string{"map-macs.png", "map-macs.svg"}},
		{
			"apart", apart,
			[]string{"map-latency.png", "map-latency.svg", "ours-map-latency.png", "ours-map-latency.svg"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			all, few := t.TempDir(), t.TempDir()
			if _, err := Render(all, test.c); err != nil {
				t.Fatal(err)
			}
			paths, err := RenderAnswer(few, test.c)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, path := range paths {
				name := filepath.Base(path)
				got = append(got, name)
				drawn, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if want, err := os.ReadFile(filepath.Join(all, name)); err != nil || !bytes.Equal(drawn, want) {
					t.Errorf("%s is not what all charts have: %v", name, err)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("charts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMeasuredFronts: a low latency is good, and a high throughput. The stairs go to where the chart ends on the other
// side.
func TestMeasuredFronts(t *testing.T) {
	for i, want := range [][]string{{"quick"}, {"broad", "quick"}} {
		c := newChart(measuredPoints().knowing(measured[i]), measured[i], accuracies[0])
		var front []string
		for _, at := range c.series[0].front {
			front = append(front, c.series[0].points[at].name)
		}
		if !slices.Equal(front, want) {
			t.Errorf("by %s the front is %v, want %v", measured[i].title, front, want)
		}
		edge, stairs := []vg.Length{c.area.Max.X, c.area.Min.X}[i], c.layout.fronts[0]
		if end := stairs[len(stairs)-1].X; end != edge {
			t.Errorf("by %s the stairs end at %v, want %v", measured[i].title, end, edge)
		}
	}
}

func TestFromReportMeasured(t *testing.T) {
	report, err := results.NewReport(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	report.Measure(results.Measurements{Models: []results.Measured{{Model: "osnet", Row: "OSNet",
		Inference: results.Inference{Latency: results.Latency{P50: 18}, ImagesPerSecond: 60}}}})
	for _, p := range FromReport(report).Points {
		got := [2]float64{p.Published.LatencyMS, p.Published.Throughput}
		if want := map[string][2]float64{"OSNet": {18, 60}}[p.Name]; got != want {
			t.Errorf("%s: %v, want %v", p.Name, got, want)
		}
	}
}

package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/reidbench/reidbench/results"
)

// published is the whole published table.
func published(t *testing.T) Comparison {
	t.Helper()
	report, err := results.NewReport(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return FromReport(report)
}

// withInvented adds invented figures of ours for the named models.
func withInvented(c Comparison, names ...string) Comparison {
	c.Ours = "ours (invented for a test)"
	for i, p := range c.Points {
		for j, name := range names {
			if p.Name == name {
				v := *p.Published
				v.MAP -= 14 - 0.4*float64(j)
				v.Rank1 -= 9 - 0.2*float64(j)
				c.Points[i].Ours = &v
			}
		}
	}
	return c
}

// withDeviations gives our figures error bars.
func withDeviations(c Comparison) Comparison {
	for i, p := range c.Points {
		if p.Ours != nil {
			v := *p.Ours
			v.Rank1SD, v.MAPSD = 0.8, 1.6
			c.Points[i].Ours = &v
		}
	}
	return c
}

// withIntervals gives our figures whiskers, which need not be centred.
func withIntervals(c Comparison) Comparison {
	for i, p := range c.Points {
		if p.Ours != nil {
			v := *p.Ours
			v.Rank1Interval, v.MAPInterval = Interval{v.Rank1 - 3, v.Rank1 + 2}, Interval{v.MAP - 3, v.MAP + 2}
			c.Points[i].Ours = &v
		}
	}
	return c
}

func allNames(c Comparison) []string {
	var names []string
	for _, p := range c.Points {
		names = append(names, p.Name)
	}
	return names
}

var five = []string{"AlexNet", "ResNet50", "Mobilenetv3-small", "OSNet", "DeiT-T16"}

func TestLabelsKeepClear(t *testing.T) {
	for name, c := range map[string]Comparison{
		"published":     published(t),
		"five of ours":  withInvented(published(t), five...),
		"all of ours":   withInvented(published(t), allNames(published(t))...),
		"error bars":    withDeviations(withInvented(published(t), five...)),
		"intervals":     withIntervals(withDeviations(withInvented(published(t), five...))),
		"a single one":  {Points: []Point{{Name: "OSNet", Ours: &Value{ParamsM: 2.2, MACsG: 1, Rank1: 90, MAP: 80}}}},
		"one published": {Points: published(t).Points[:1]},
	} {
		for _, cost := range costs {
			for _, accuracy := range accuracies {
				chart := newChart(c, cost, accuracy)
				l := chart.layout
				if len(l.placed) != len(l.markers) || len(l.labels) != len(l.markers) {
					t.Fatalf("%s, %s: %d labels for %d markers", name, chart.title, len(l.placed), len(l.markers))
				}
				for i, p := range l.placed {
					if size := p.box.Size(); math.Abs(float64(size.X-l.labels[i].width)) > 1e-9 || size.Y <= 0 {
						t.Errorf("%s, %s: the box of %s is %v wide, the label %v",
							name, chart.title, l.labels[i].text, size.X, l.labels[i].width)
					}
					if !within(p.box, chart.area) {
						t.Errorf("%s, %s: %s lies outside the chart", name, chart.title, l.labels[i].text)
					}
					for j, m := range l.markers {
						if m.covers(p.box) {
							t.Errorf("%s, %s: %s covers the marker of %s",
								name, chart.title, l.labels[i].text, l.labels[j].text)
						}
					}
					for j := range i {
						if overlap(p.box, l.placed[j].box) {
							t.Errorf("%s, %s: %s and %s overlap", name, chart.title, l.labels[i].text, l.labels[j].text)
						}
					}
					for j, q := range l.placed {
						if j != i && p.leader != nil && p.leader.enters(q.box) {
							t.Errorf("%s, %s: the leader of %s runs through %s",
								name, chart.title, l.labels[i].text, l.labels[j].text)
						}
					}
				}
			}
		}
	}
}

func TestRenderIsReproducible(t *testing.T) {
	c := withInvented(published(t), five...)
	first, second := t.TempDir(), t.TempDir()
	paths, err := Render(first, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 8 {
		t.Errorf("%d files, want 4 charts in 2 formats", len(paths))
	}
	if _, err := Render(second, c); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		a, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(second, filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs when drawn again", filepath.Base(path))
		}
		switch filepath.Ext(path) {
		case ".png":
			config, err := png.DecodeConfig(bytes.NewReader(a))
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if config.Width < 1400 || config.Height < 900 {
				t.Errorf("%s has %d×%d pixels, want 1400×900 or more", path, config.Width, config.Height)
			}
		case ".svg":
			texts := svgTexts(t, a)
			for _, p := range c.Points {
				want := 1
				if p.Ours != nil {
					want = 2
				}
				if texts[p.Name] != want {
					t.Errorf("%s names %s %d times, want %d", filepath.Base(path), p.Name, texts[p.Name], want)
				}
			}
		}
	}
}

// svgTexts counts the texts in a well-formed SVG.
func svgTexts(t *testing.T, data []byte) map[string]int {
	t.Helper()
	texts := make(map[string]int)
	decoder := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			texts[string(c)]++
		}
	}
}

func TestErrorBars(t *testing.T) {
	c := withInvented(published(t), "OSNet")
	for _, test := range []struct {
		comparison Comparison
		explained  int
	}{{c, 0}, {withDeviations(withInvented(published(t), "OSNet")), 1}} {
		chart := newChart(test.comparison, costs[0], accuracies[0])
		var page bytes.Buffer
		if err := chart.svg(&page); err != nil {
			t.Fatal(err)
		}
		if n := svgTexts(t, page.Bytes())["mAP (%), ours the mean ± sd over seeds"]; n != test.explained {
			t.Errorf("the axis explains error bars %d times, want %d", n, test.explained)
		}
		bars := 0
		for i, bar := range chart.layout.bars {
			if bar == nil {
				continue
			}
			bars++
			center := chart.layout.markers[i].center
			if bar.a.X != center.X || bar.b.X != center.X || math.Abs(float64(bar.a.Y+bar.b.Y-2*center.Y)) > 1e-9 ||
				bar.a.Y >= bar.b.Y {
				t.Errorf("the error bar %v is not centred on its marker at %v", *bar, center)
			}
			if bar.a.Y < chart.area.Min.Y || bar.b.Y > chart.area.Max.Y {
				t.Errorf("the error bar %v leaves the chart", *bar)
			}
		}
		if bars != test.explained {
			t.Errorf("%d error bars, want %d", bars, test.explained)
		}
	}
}

// TestIntervals: each whisker goes from one end of the interval to the other, and the axis says what it is.
func TestIntervals(t *testing.T) {
	chart := newChart(withIntervals(withInvented(published(t), "OSNet", "AlexNet")), costs[0], accuracies[0])
	var page bytes.Buffer
	if err := chart.svg(&page); err != nil {
		t.Fatal(err)
	}
	if n := svgTexts(t, page.Bytes())["mAP (%), ours with 95 % intervals over people"]; n != 1 {
		t.Errorf("the axis explains whiskers %d times", n)
	}
	whiskers := 0
	for i, bar := range chart.layout.ranges {
		if bar == nil {
			continue
		}
		whiskers++
		center := chart.layout.markers[i].center
		down, up := center.Y-bar.a.Y, bar.b.Y-center.Y
		if bar.a.X != center.X || bar.b.X != center.X || math.Abs(float64(2*down-3*up)) > 1e-9 || up <= 0 {
			t.Errorf("the whisker %v does not go 3 down and 2 up from %v", *bar, center)
		}
		if bar.a.Y < chart.area.Min.Y || bar.b.Y > chart.area.Max.Y {
			t.Errorf("the whisker %v leaves the chart", *bar)
		}
	}
	if whiskers != 2 {
		t.Errorf("%d whiskers, not 2", whiskers)
	}
}

func TestRenderRefuses(t *testing.T) {
	good := Value{ParamsM: 1, MACsG: 1, Rank1: 50, MAP: 50}
	for name, spoil := range map[string]func(*Value){
		"no MACs":         func(v *Value) { v.MACsG = 0 },
		"negative params": func(v *Value) { v.ParamsM = -1 },
		"infinite MACs":   func(v *Value) { v.MACsG = math.Inf(1) },
		"NaN":             func(v *Value) { v.MAP = math.NaN() },
		"over 100":        func(v *Value) { v.Rank1 = 101 },
		"NaN deviation":   func(v *Value) { v.MAPSD = math.NaN() },
		"NaN interval":    func(v *Value) { v.MAPInterval.Low = math.NaN() },
	} {
		v := good
		spoil(&v)
		dir := filepath.Join(t.TempDir(), "plots")
		if _, err := Render(dir, Comparison{Points: []Point{{Name: "x", Ours: &v}}}); err == nil {
			t.Errorf("%s: drawn", name)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: refused, but the folder is there", name)
		}
	}
	if _, err := Render(t.TempDir(), Comparison{Points: []Point{{Name: "x"}}}); !errors.Is(err, ErrNothingToPlot) {
		t.Errorf("a point without sides gives %v", err)
	}
}

func TestFromReport(t *testing.T) {
	metrics := &results.Metrics{Rank1: 0.5, Rank5: 0.6, Rank10: 0.7, MAP: 0.25}
	run := func(model, row string, synthetic bool) results.Record {
		return results.Record{
			Model: model, Row: row, State: results.StateDone, Final: metrics, Recipe: results.Recipe{Name: "quick"},
			Dataset: results.Dataset{Name: "drawn", Synthetic: synthetic},
			Cost:    results.Cost{PaperParams: 2e6, PaperMACs: 1e9},
		}
	}
	failed := run("resnet50", "ResNet50", true)
	failed.State, failed.Reason, failed.Final = results.StateFailed, "reason", nil
	for _, c := range []struct {
		records []results.Record
		legend  string
	}{
		{[]results.Record{run("osnet", "OSNet", true), run("beside", "", true), failed},
			"ours (quick recipe, synthetic data)"},
		{[]results.Record{run("osnet", "OSNet", true), run("beside", "", false), failed},
			"ours (runs of several kinds)"},
	} {
		report, err := results.NewReport(c.records, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := FromReport(report)
		if got.Ours != c.legend || len(got.Points) != 35 {
			t.Errorf("legend %q and %d points, want %q and 35", got.Ours, len(got.Points), c.legend)
		}
		ours := &Value{ParamsM: 2, MACsG: 1, Rank1: 50, MAP: 25}
		for _, p := range got.Points {
			var want *Value
			if p.Name == "OSNet" || p.Name == "beside" {
				want = ours
			}
			if diff := cmp.Diff(want, p.Ours); diff != "" {
				t.Errorf("%s (-want +got):\n%s", p.Name, diff)
			}
			if (p.Published == nil) != (p.Name == "beside") {
				t.Errorf("%s: published figures %v", p.Name, p.Published)
			}
		}
	}
}

func TestFromReportOfSeveralSeeds(t *testing.T) {
	var records []results.Record
	for seed, accuracy := range []float64{0.25, 0.5} {
		records = append(records, results.Record{
			Model: "osnet", Row: "OSNet", Seed: uint64(seed), State: results.StateDone,
			Recipe: results.Recipe{Name: "quick"},
			Final:  &results.Metrics{Rank1: accuracy, MAP: accuracy / 2},
			Cost:   results.Cost{PaperParams: 2e6, PaperMACs: 1e9},
		})
	}
	report, err := results.NewReport(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range FromReport(report).Points {
		if p.Name != "OSNet" {
			continue
		}
		// Two values are √½ of their difference from each other apart, as sample deviations go.
		want := &Value{ParamsM: 2, MACsG: 1, Rank1: 37.5, MAP: 18.75, Rank1SD: 25 * math.Sqrt(0.5),
			MAPSD: 12.5 * math.Sqrt(0.5)}
		if diff := cmp.Diff(want, p.Ours, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

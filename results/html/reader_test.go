package html

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/results/live"
)

// models are those of the rows that are shown in a table, in their order.
func (tab *tab) models(table string) []string {
	tab.t.Helper()
	return eval[[]string](tab,
		fmt.Sprintf(`[...document.querySelectorAll("#%s tbody tr:not([hidden])")].map((r) => r.dataset.model)`, table))
}

func TestBrowser(t *testing.T) {
	browser := chromium(t)
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(written(t, inventedPage(t))), 0o666); err != nil {
		t.Fatal(err)
	}
	address := "file://" + file
	for name, test := range map[string]func(*testing.T, context.Context, string){
		"network": testNetwork, "sorting": testSorting, "filter": testFilter, "axes": testAxes, "names": testNames,
		"keyboard": testKeyboard, "curves": testCurves, "colours": testColours, "phone": testPhone, "print": testPrint,
	} {
		t.Run(name, func(t *testing.T) { test(t, browser, address) })
	}
	t.Run("live", func(t *testing.T) { testLive(t, browser) })
}

func testNetwork(t *testing.T, browser context.Context, address string) {
	tab := open(t, browser, address, 1280, 900, "light")
	eval[bool](tab, `(document.querySelectorAll("details").forEach((d) => { d.open = true; }), true)`)
	tab.keepShot("desktop.png")
	tab.mu.Lock()
	defer tab.mu.Unlock()
	if len(tab.requests) > 0 {
		t.Errorf("the page asks for %v", tab.requests)
	}
}

// mapButton sorts by our mAP.
const mapButton = `document.querySelectorAll("#accuracy thead button")[2]`

func testSorting(t *testing.T, browser context.Context, address string) {
	tab := open(t, browser, address, 1280, 900, "light")
	original := tab.models("accuracy")
	if title := eval[string](tab, mapButton+".textContent"); title != "mAP ours" {
		t.Fatalf("the button is called %q", title)
	}
	for _, want := range []struct{ order, first string }{
		{"descending", "OSNet"}, {"ascending", "tiny<net>"}, {"none", original[0]},
	} {
		tab.click(mapButton)
		if got := eval[string](tab, mapButton+`.closest("th").getAttribute("aria-sort")`); got != want.order {
			t.Errorf("aria-sort is %q, want %q", got, want.order)
		}
		models := tab.models("accuracy")
		if models[0] != want.first || len(models) != len(original) {
			t.Errorf("%s: the first of %d rows is %s, want %s", want.order, len(models), models[0], want.first)
		}
		unknown := []string{"Inceptionv4", "SENet154", "DeiT-S16-Distiled-Hard", "Wide-ResNet50", "Regnety-032"}
		if last := models[len(models)-1]; want.order != "none" && !slices.Contains(unknown, last) {
			t.Errorf("%s: the last row is %s, which is known", want.order, last)
		}
	}
	if diff := cmp.Diff(original, tab.models("accuracy")); diff != "" {
		t.Errorf("the third click does not bring the first order back:\n%s", diff)
	}
	tab.click(`document.querySelector("#cost thead button")`)
	if models := tab.models("cost"); models[0] != "AlexNet" || models[1] != "ConvNeXt-Tiny" {
		t.Errorf("by name: %v", models)
	}
}

func testFilter(t *testing.T, browser context.Context, address string) {
	tab := open(t, browser, address, 1280, 900, "light")
	shown := func() string {
		return eval[string](tab, `[document.querySelectorAll("#accuracy tbody tr:not([hidden])").length,
			document.querySelectorAll("#scatter .mark").length,
			document.querySelectorAll(".panel:not([hidden])").length,
			document.querySelectorAll(".bars tbody tr:not([hidden])").length,
			document.querySelectorAll(".ranked:not([hidden])").length,
			document.forms.filter.elements.count.value].join(" ")`)
	}
	tab.choose(`#trade-off [name="x"]`, "macs_g") // which is known of all
	// Of the 9 DeiTs one is not run.
	for _, test := range []struct{ control, value, want string }{
		{"", "", "35 64 31 34 30 35 of 35 models"},
		{"model", "DEIT", "9 17 8 9 8 9 of 35 models"},
		{"kind", "cnn", "0 0 0 0 0 0 of 35 models"},
		{"model", "", "21 38 19 21 18 21 of 35 models"},
		{"state", "running", "1 1 1 1 0 1 of 35 models"},
		{"kind", "", "1 1 1 1 0 1 of 35 models"},
	} {
		if test.control != "" {
			tab.choose(`#filter [name="`+test.control+`"]`, test.value)
		}
		if got := shown(); got != test.want {
			t.Errorf("%s = %q shows %s, want %s", test.control, test.value, got, test.want)
		}
	}
	tab.click(`document.querySelector('#filter [name="all"]')`)
	if got, want := shown(), "35 64 31 34 30 35 of 35 models"; got != want {
		t.Errorf("after a reset %s, want %s", got, want)
	}
}

func testAxes(t *testing.T, browser context.Context, address string) {
	tab := open(t, browser, address, 1280, 900, "light")
	chart := func() string {
		return eval[string](tab, `document.querySelector("#scatter svg").getAttribute("aria-label")`)
	}
	const latency = "mAP (%) against Latency (ms), 59 marks" // on both sides, where it was measured
	if got := chart(); got != latency {
		t.Errorf("at first %q, want %q", got, latency)
	}
	for _, test := range []struct{ y, x, title, mark string }{
		{"map", "latency_ms", latency, "OSNet, published, mAP (%): 79.5, Latency (ms): 7.091"},
		{"map", "macs_g", "mAP (%) against MACs (G), 64 marks", "OSNet, ours, mAP (%): 85.82 ± 1.55, MACs (G): 0.997"},
		{"rank1", "params_m", "Rank-1 (%) against Params (M), 64 marks",
			"OSNet, published, Rank-1 (%): 91.23, Params (M): 2.17"},
		{"map", "images_per_second", "mAP (%) against Training speed (img/s), 30 marks",
			"OSNet, ours, mAP (%): 85.82 ± 1.55, Training speed (img/s): 28.65 ± 0"},
		{"images_per_second", "memory", "Training speed (img/s) against Memory in training (GiB), 30 marks",
			"AlexNet, ours, Training speed (img/s): 57.69, Memory in training (GiB): 0.7113"},
	} {
		tab.choose(`#trade-off [name="y"]`, test.y)
		tab.choose(`#trade-off [name="x"]`, test.x)
		if title := chart(); title != test.title {
			t.Errorf("%s against %s: %q, want %q", test.y, test.x, title, test.title)
		}
		labels := eval[[]string](tab,
			`[...document.querySelectorAll("#scatter .mark")].map((m) => m.getAttribute("aria-label"))`)
		if all := strings.Join(labels, "\n"); !strings.Contains(all, test.mark) {
			t.Errorf("no mark %q among\n%s", test.mark, all)
		}
		// Nothing may stand above or beyond the stairs of its side: the front is a front.
		if beaten := eval[[]string](tab, beatsTheFront); len(beaten) > 0 {
			t.Errorf("%s against %s: %v beat the Pareto front", test.y, test.x, beaten)
		}
		if bad := eval[bool](tab, `document.querySelector("#scatter svg").outerHTML.includes("NaN")`); bad {
			t.Errorf("%s against %s: NaN in the chart", test.y, test.x)
		}
	}
	tab.choose(`#trade-off [name="x"]`, "macs_g")
	tab.choose(`#trade-off [name="y"]`, "map")
	tab.choose(`#trade-off [name="published"]`, "off")
	if got := eval[int](tab, `document.querySelectorAll("#scatter .mark.published").length`); got != 0 {
		t.Errorf("%d marks of the published side, which is switched off", got)
	}
}

// beatsTheFront names the models whose mark is in bold although another mark of the same side is better in one
// quantity and no worse in the other.
const beatsTheFront = `(() => {
	const { x, y } = document.querySelector("#trade-off form").elements;
	const better = { map: 1, rank1: 1, images_per_second: 1, macs_g: -1, params_m: -1, memory: -1,
		latency_ms: -1, throughput: 1 };
	const marks = [...document.querySelectorAll("#scatter .mark")].map((m) => {
		const [, model, side, first, second] = m.getAttribute("aria-label")
			.match(/^(.*), (ours|published), .*: ([\d.,]+?)(?: ± [\d.,]+)?, .*: ([\d.,]+)/);
		const number = (s) => Number(s.replaceAll(",", ""));
		return { model, side, y: better[y.value] * number(first), x: better[x.value] * number(second) };
	});
	const front = (m) => !marks.some((o) => o.side === m.side && o.x >= m.x && o.y >= m.y && (o.x > m.x || o.y > m.y));
	const bold = [...document.querySelectorAll("#scatter .front-name")].map((n) => n.textContent);
	return [...new Set(bold)].filter((model) => !marks.some((m) => m.model === model && front(m)));
})()`

// testNames: no name covers another one, or leaves the chart.
func testNames(t *testing.T, browser context.Context, address string) {
	for _, width := range []int64{1280, 390} {
		tab := open(t, browser, address, width, 900, "light")
		for _, axes := range [][2]string{{"map", "macs_g"}, {"rank1", "params_m"}, {"map", "images_per_second"},
			{"map", "latency_ms"}} {
			tab.choose(`#trade-off [name="y"]`, axes[0])
			tab.choose(`#trade-off [name="x"]`, axes[1])
			result := eval[struct {
				Names    int
				Overlaps []string
			}](tab, `(() => {
				const names = [...document.querySelectorAll("#scatter .name")]
					.map((n) => ({ text: n.textContent, box: n.getBoundingClientRect() }));
				const overlaps = [];
				const chart = document.querySelector("#scatter svg").getBoundingClientRect();
				for (const [i, a] of names.entries()) {
					if (a.box.left < chart.left || a.box.right > chart.right)
						overlaps.push(a.text + " leaves the chart");
					for (const b of names.slice(0, i)) {
						const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
						const along = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
						// The boxes of text have leading.
						if (across > 1 && along > 3) overlaps.push(a.text + " and " + b.text);
					}
				}
				return { Names: names.length, Overlaps: overlaps };
			})()`)
			if least := map[int64]int{1280: 18, 390: 6}[width]; result.Names < least || len(result.Overlaps) > 0 {
				t.Errorf("%d pixels wide, %v: %d names, at least %d wanted; overlaps: %v",
					width, axes, result.Names, least, result.Overlaps)
			}
		}
	}
}

func testKeyboard(t *testing.T, browser context.Context, address string) {
	tab := open(t, browser, address, 1280, 900, "light")
	focused := func() string {
		return eval[string](tab,
			`document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent`)
	}
	// From the start of the page, Tab alone reaches everything in the order in which it is read; a chart is one stop.
	var places []string
	for range 60 {
		tab.press(kb.Tab)
		place := eval[string](tab, `(({ id, className, tagName }) => id || className || tagName)(
			document.activeElement.closest("nav, form, figure, section, .skip") ?? document.body)`)
		if len(places) == 0 || places[len(places)-1] != place || place == "scatter" {
			places = append(places, place)
		}
	}
	want := []string{"skip", "NAV", "filter", "axes", "scatter", "answer", "accuracy"}
	if diff := cmp.Diff(want, places[:min(len(want), len(places))]); diff != "" {
		t.Errorf("where the Tab key goes (-want +got):\n%s", diff)
	}

	tab.focus(`document.querySelector('#scatter .mark[tabindex="0"]')`)
	first := focused()
	if !eval[bool](tab, `!document.querySelector(".tip").hidden`) {
		t.Error("a mark with the focus shows no figures")
	}
	tab.press(kb.ArrowRight)
	second := focused()
	tab.press(kb.ArrowLeft)
	if first == second || focused() != first || !strings.HasPrefix(first, "tiny<net>, ours") {
		t.Errorf("the arrow keys go from %q to %q and back to %q", first, second, focused())
	}
	tab.press(kb.End)
	if got := focused(); !strings.HasPrefix(got, "ViT-B16") {
		t.Errorf("the End key goes to %q", got)
	}
	tab.press(kb.Escape)
	if !eval[bool](tab, `document.querySelector(".tip").hidden`) {
		t.Error("the Escape key leaves the figures")
	}

	tab.focus(mapButton)
	tab.press(kb.Enter)
	if got := tab.models("accuracy")[0]; got != "OSNet" {
		t.Errorf("sorted by the Enter key, the first row is %s", got)
	}
	if got := eval[string](tab, `getComputedStyle(document.activeElement).outlineStyle`); got != "solid" {
		t.Errorf("the focus cannot be seen: an outline of style %q", got)
	}
}

func testCurves(t *testing.T, browser context.Context, address string) {
	tab := open(t, browser, address, 1280, 900, "light")
	tab.choose(`#curves [name="curve"]`, "map")
	osnet := `document.querySelector('.panel[data-model="OSNet"]`
	label := eval[string](tab, osnet+` svg').getAttribute("aria-label")`)
	if !strings.HasPrefix(label, "OSNet, mAP (%): ") || !strings.HasSuffix(label, " after 160") {
		t.Errorf("the panel is called %q", label)
	}
	if got := eval[int](tab, `document.querySelectorAll('.panel[data-model="OSNet"] .run').length`); got != 3 {
		t.Errorf("%d runs of three seeds", got)
	}
	if !eval[bool](tab, osnet+` .band') !== null`) {
		t.Error("no band of one standard deviation")
	}
	tab.focus(osnet + " svg')")
	tab.press(kb.Home)
	caption := eval[string](tab, osnet+` figcaption span').textContent`)
	if !strings.Contains(caption, " ± ") || !strings.HasSuffix(caption, " after 10") {
		t.Errorf("at the first evaluation it reads %q", caption)
	}
	tab.press(kb.ArrowDown)
	if got := eval[string](tab, `document.activeElement.closest(".panel").dataset.model`); got != "ConvNeXt-Tiny" {
		t.Errorf("the panel below is that of %s", got)
	}
}

// testLive: the page follows what it shows, and keeps what the reader has chosen.
func testLive(t *testing.T, browser context.Context) {
	p := inventedPage(t)
	var mu sync.Mutex
	version := "1"
	site := &live.Site{
		Interval: 20 * time.Millisecond,
		Version:  func() (string, error) { mu.Lock(); defer mu.Unlock(); return version, nil },
		Write: func(w *bytes.Buffer, version string) error {
			p.Version = version
			return Write(w, p)
		},
	}
	server := httptest.NewServer(site.Handler())
	defer server.Close()
	defer server.CloseClientConnections()
	tab := open(t, browser, server.URL+"/", 1280, 900, "light")
	tab.wait(`document.getElementById("live").textContent === "Live."`)
	tab.choose(`#filter [name="model"]`, "osnet")
	tab.click(mapButton)
	tab.focus(mapButton)

	mu.Lock()
	p.Report.Caveat, version = "Everything is different now.", "2"
	mu.Unlock()
	tab.wait(`document.body.textContent.includes("Everything is different now.")`)
	tab.wait(`document.getElementById("live").textContent.startsWith("Live, last changed at")`)
	if diff := cmp.Diff([]string{"OSNet"}, tab.models("accuracy")); diff != "" {
		t.Errorf("the filter is lost:\n%s", diff)
	}
	order := eval[string](tab, `document.activeElement.closest("th")?.getAttribute("aria-sort")`)
	if order != "descending" {
		t.Errorf("order or focus are lost: %q", order)
	}
}

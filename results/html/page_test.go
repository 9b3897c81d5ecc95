package html

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	stdhtml "html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/reidbench/reidbench/results"
)

var keep = flag.String("keep", "", "folder to keep the invented page in, to be looked at")

func written(t *testing.T, p Page) string {
	t.Helper()
	var page bytes.Buffer
	if err := Write(&page, p); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestPageIsSmallAndRepeats(t *testing.T) {
	page := written(t, inventedPage(t))
	if *keep != "" {
		if err := os.WriteFile(filepath.Join(*keep, "report.html"), []byte(page), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if len(page) > 5<<20 {
		t.Errorf("%d bytes, more than 5 MiB", len(page))
	}
	if page != written(t, inventedPage(t)) {
		t.Error("the same page, written twice, differs")
	}
}

// TestPageAdmitsItselfOnly: the policy names what is in the page, and there is nothing else to be fetched or run.
func TestPageAdmitsItselfOnly(t *testing.T) {
	for _, live := range []bool{false, true} {
		p := inventedPage(t)
		if live {
			p.Version = "1"
		}
		page := written(t, p)
		for _, element := range []string{"style", "script"} {
			block := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(page, -1)
			if len(block) != 1 || !strings.Contains(stdhtml.UnescapeString(page), digest(block[0][1])) {
				t.Errorf("live %t: %d blocks of %s, or one that the policy does not name", live, len(block), element)
			}
		}
		if got := strings.Contains(page, "connect-src"); got != live {
			t.Errorf("live %t: may connect: %t", live, got)
		}
		for _, pattern := range []string{`(?i)<[^>]*\son[a-z]+=`, `(?i)<[^>]*\sstyle=`,
			`(?:src|href|url)\s*[=(]\s*"?(?:https?:)?//`, `<script[^>]*\ssrc=`} {
			if found := regexp.MustCompile(pattern).FindString(page); found != "" {
				t.Errorf("live %t: %q in the page", live, found)
			}
		}
	}
}

func TestPageEscapes(t *testing.T) {
	page := written(t, inventedPage(t))
	for _, bad := range []string{"<script>alert", "tiny<net>", "Market-<1501>"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q stands in the page as it is", bad)
		}
	}
	for _, good := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", "tiny&lt;net&gt;", `tiny\u003cnet\u003e`,
		"Market-&lt;1501&gt;"} {
		if !strings.Contains(page, good) {
			t.Errorf("%q is not in the page", good)
		}
	}
}

func TestTablesHaveWhatIsPrinted(t *testing.T) {
	p := inventedPage(t)
	lines := p.lines()
	cells := func(table table, model string) string {
		for _, r := range table.Rows {
			if r.Model == model {
				texts := []string{r.State.Text}
				for _, c := range r.Cells {
					texts = append(texts, c.Text)
				}
				return strings.Join(texts, "|")
			}
		}
		return "absent"
	}
	answer, accuracy, cost := p.answerTable(lines), p.accuracyTable(lines), p.costTable(lines)
	for _, test := range []struct {
		table       table
		model, want string
	}{
		{answer, "AlexNet", "done|44.52|67.69|57.00|0.47|6.67|577|544|57.7"},
		{answer, "SENet154", "failed|63.67|82.25|113.04|2.18||||"},
		{answer, "tiny<net>", "done|||0.061|0.001|1.01|5882|0.582|588"},
		{accuracy, "AlexNet", "done|44.48|44.52|-0.04|66.69|67.69|-1.00|83.35|84.04|-0.69|91.67|88.82|+2.85|22.23"},
		{accuracy, "OSNet", "3 seeds|85.82 ± 1.55|79.50|+6.32|92.63 ± 0.83|91.23|+1.40|" +
			"96.32 ± 0.42|96.49|-0.17|98.16 ± 0.21|97.77|+0.39|30.88 ± 0.28"},
		{accuracy, "Inceptionv4", "epoch 71 of 160||62.86|||81.57|||92.39|||95.10||"},
		{accuracy, "SENet154", "failed||63.67|||82.25|||92.69|||95.51||"},
		{accuracy, "Wide-ResNet50", "not run||69.17|||85.52|||93.85|||96.05||"},
		{cost, "AlexNet", "done|57.00|57.00|✓|0.47|0.47|✓|57.7|0.711|0.811|10:23 h|6.67|577|544"},
		{cost, "OSNet", "3 seeds|2.17|2.17|✓|0.997|0.997|✓|28.7 ± 0.0|0.899 ± 0.000|0.999 ± 0.000|20:56 h ± 0 ms|" +
			"7.09|287|20.7"},
		{cost, "SENet154", "failed|113.04|113.04|✓|2.18|2.18|✓|||||||"},
		{cost, "tiny<net>", "done|0.061|||0.001|||588|0.319|0.419|1:01 h|1.01|5882|0.582"},
	} {
		if diff := cmp.Diff(test.want, cells(test.table, test.model)); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", test.table.ID, test.model, diff)
		}
	}
	for column, c := range accuracy.Rows[0].Cells {
		best := 0
		for _, r := range accuracy.Rows {
			if r.Cells[column].Best {
				best++
			}
		}
		if (best > 0) == c.Quiet {
			t.Errorf("column %d has %d best cells; a difference: %t", column, best, c.Quiet)
		}
	}
}

func TestPageOfNothing(t *testing.T) {
	report, err := results.NewReport(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	page := written(t, Page{Report: report})
	if n := strings.Count(page, `class="state not-run"`); n != 3*34 {
		t.Errorf("%d cells say that a row is not run, want one in each of three tables for 34 rows", n)
	}
	if !strings.Contains(page, "No run has recorded any.") {
		t.Error("nothing is said of the ranked lists")
	}
}

func TestThinned(t *testing.T) {
	var long []Sample
	for i := range 10 * mostSamples {
		long = append(long, Sample{float64(i), math.Sqrt(float64(i))})
	}
	long[1].Value = math.NaN()
	got := thinned(long, 100)
	if len(got) != mostSamples || got[0] != (chartSample{0, 0}) || got[len(got)-1][0] != chartNumber(len(long)-1) {
		t.Errorf("%d samples from %v to %v", len(got), got[0], got[len(got)-1])
	}
	encoded, err := json.Marshal(got[len(got)-1])
	if want := fmt.Sprintf("[%d,%.0f]", len(long)-1, 100*math.Sqrt(float64(len(long)-1))); err != nil ||
		string(encoded) != want {
		t.Errorf("%s, want %s: %v", encoded, want, err)
	}
	if got := thinned([]Sample{{1, math.Inf(1)}}, 1); len(got) != 0 {
		t.Errorf("an infinite loss is drawn: %v", got)
	}
	if got := thinned(long[4:5], 1); len(got) != 1 {
		t.Errorf("one sample becomes %v", got)
	}
}

func TestBreakdown(t *testing.T) {
	n := Network{Model: "net", Stages: []Stage{
		{Name: "stem", Height: 128, Width: 64, MACs: 1e6},
		{Name: "body", Height: 1, Width: 129, Tokens: true, MACs: 3e6},
	}}
	b := n.breakdown()
	want := bar{Label: "MACs: stem 25.0 %, body 75.0 %", Parts: []part{
		{0, 250, "stem, 128×64: 1.00 M MACs, 25.0 %", `class="map0"`},
		{250, 750, "body, 129 tokens: 3.00 M MACs, 75.0 %", `class="tokens"`},
	}}
	if diff := cmp.Diff(want, b.MACs); diff != "" {
		t.Errorf("MACs (-want +got):\n%s", diff)
	}
	if b.Time != nil {
		t.Error("time that nobody has measured")
	}
	n.Profile = &results.Profile{Batch: 8, Stages: []results.StageTime{
		{Stage: "stem", Forward: 0.25, Backward: 0.5}, {Stage: "body", Forward: 0.25},
	}}
	if b = n.breakdown(); b.Time == nil || b.Time.Label != "Time: stem 75.0 %, body 25.0 %" ||
		b.Step != "1.00 s, batch 8" {
		t.Errorf("time %+v, step %q", b.Time, b.Step)
	}
	n.Profile.Stages = n.Profile.Stages[:0]
	if b = n.breakdown(); b.Time != nil {
		t.Error("a profile of other stages is shown")
	}
}

func TestPrintedNumbers(t *testing.T) {
	for got, want := range map[string]string{
		significant(0): "0", significant(0.00123): "0.0012", significant(1): "1.00",
		significant(99.96): "100.0", significant(1234.5): "1234", likeMean(0.123, 45.6): "0.1",
		duration(0.0123): "12.3 ms", duration(59): "59.0 s", duration(61): "1:01 min", duration(7322): "2:02 h",
		magnitude(12): "12.0", magnitude(1.5e3): "1.50 k", magnitude(2e9): "2.00 G",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

package texttable

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func layers() Table {
	return Table{
		Columns: []Column{
			{Title: "Layer", Left: true}, {Title: "Latency (ms)"}, {Title: "95\u00a0%", Yields: 2},
			{Title: "Why", Left: true, Long: true, Yields: 1}, {Title: "more", Yields: Detail},
		},
		Rows: [][]string{
			{"First"}, {"layer1.0.conv2a.conv1", "1.25", "1–2", "because it is so", "1234"}, {"Second"},
			{"bn", "10", "", "", "1"},
		},
		Footer: [][]string{{"total", "11.25", "", "", ""}},
	}
}

func TestLines(t *testing.T) {
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, `
Layer                  Latency  95 %  Why               more
                            ms
────────────────────────────────────────────────────────────
First
layer1.0.conv2a.conv1     1.25   1–2  because it is so  1234

Second
bn                          10                             1
────────────────────────────────────────────────────────────
total                    11.25
`},
		// First the long cells lose their end, then details give way.
		{57, `
Layer                  Latency  95 %  Why            more
                            ms
─────────────────────────────────────────────────────────
First
layer1.0.conv2a.conv1     1.25   1–2  because it i…  1234

Second
bn                          10                          1
─────────────────────────────────────────────────────────
total                    11.25
`},
		{50, `
Layer                  Latency  95 %  Why
                            ms
──────────────────────────────────────────────────
First
layer1.0.conv2a.conv1     1.25   1–2  because it …

Second
bn                          10
──────────────────────────────────────────────────
total                    11.25
`},
		// Then columns stand closer.
		{48, `
Layer                 Latency 95 % Why
                           ms
───────────────────────────────────────────────
First
layer1.0.conv2a.conv1    1.25  1–2 because it …

Second
bn                         10
───────────────────────────────────────────────
total                   11.25
`},
		// Then those of larger numbers go, and the others may stand apart again.
		{45, `
Layer                  Latency  Why
                            ms
────────────────────────────────────────────
First
layer1.0.conv2a.conv1     1.25  because it …

Second
bn                          10
────────────────────────────────────────────
total                    11.25
`},
		// At last the beginning of the first column's cells.
		{24, `
Layer            Latency
                      ms
────────────────────────
First
….0.conv2a.conv1    1.25

Second
bn                    10
────────────────────────
total              11.25
`},
	} {
		if diff := cmp.Diff(test.want, "\n"+strings.Join(layers().Lines(test.width), "\n")+"\n"); diff != "" {
			t.Errorf("width %d (-want +got):\n%s", test.width, diff)
		}
	}
}

// TestEveryWidth: no line is wider than it may be, and no row is lost.
func TestEveryWidth(t *testing.T) {
	for width := shortest + len("Latency") + 1; width < 80; width++ {
		lines := layers().Lines(width)
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("width %d: %d columns: %s", width, n, line)
			}
		}
		if len(lines) != 10 {
			t.Errorf("width %d: %d lines", width, len(lines))
		}
	}
}

func TestWithoutRows(t *testing.T) {
	got := Table{Columns: []Column{{Title: "Job", Left: true}, {Title: "mAP"}}}.Lines(80)
	if diff := cmp.Diff([]string{"Job  mAP", "────────"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

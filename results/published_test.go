package results

import (
	"strings"
	"testing"
)

func TestPublishedTables(t *testing.T) {
	rows := Published()
	count := make(map[Table]int)
	for i, r := range rows {
		count[r.Table]++
		if i > 0 && r.Table == CNNs && rows[i-1].Table == Transformers {
			t.Errorf("%s: a CNN after the transformers", r.Name)
		}
		for _, f := range []Figure{r.Rank1, r.Rank5, r.Rank10, r.MAP} {
			if f.Decimals() != 2 || f.Value() > 100 {
				t.Errorf("%s: %q is not percent with two places", r.Name, f)
			}
		}
		if !(r.MAP.Value() < r.Rank1.Value() && r.Rank1.Value() < r.Rank5.Value() &&
			r.Rank5.Value() < r.Rank10.Value()) {
			t.Errorf("%s: mAP, Rank-1, Rank-5, Rank-10 do not ascend", r.Name)
		}
		for _, name := range []string{r.Name, r.Model} {
			if found, ok := Find(name); !ok || found != r {
				t.Errorf("Find(%q) = %v, %v", name, found, ok)
			}
		}
		if got := r.MACsG.decimal().String(); got != string(r.MACsG) {
			t.Errorf("%s: MACs %q print as %q", r.Name, r.MACsG, got)
		}
	}
	if count[CNNs] != 21 || count[Transformers] != 13 {
		t.Errorf("tables of %d and %d rows, want 21 and 13", count[CNNs], count[Transformers])
	}
	if _, ok := Find("LeNet"); ok {
		t.Error("LeNet is found, but was not published")
	}
}

func TestParsePublishedRefuses(t *testing.T) {
	good := `{"row": "A", "model": "A", "table": "cnn", "rank1": "1.00", "rank5": "2.00", "rank10": "3.00", ` +
		`"map": "0.50", "params_m": "1", "macs_g": "2"}`
	if _, err := parsePublished([]byte("[" + good + "]")); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"twice":         good + "," + good,
		"unknown table": strings.Replace(good, "cnn", "rnn", 1),
		"no number":     strings.Replace(good, "2.00", "two", 1),
		"no figure":     strings.Replace(good, "2.00", "", 1),
		"unknown field": strings.Replace(good, "rank5", "rank6", 1),
	} {
		if _, err := parsePublished([]byte("[" + bad + "]")); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		n, unit int64
		places  int
		want    string
	}{
		{57003840, 1e6, 2, "57.00"},
		{996691088, 1e9, 3, "0.997"},
		{38655616, 1e9, 3, "0.039"},
		{1005000, 1e6, 2, "1.01"}, // half-up, where round-half-even says 1.00
		{1004999, 1e6, 2, "1.00"},
		{499999, 1e6, 0, "0"},
		{500000, 1e6, 0, "1"},
		{0, 1e9, 2, "0.00"},
	} {
		if got := ratio(c.n, c.unit, c.places).String(); got != c.want {
			t.Errorf("%d/%d with %d places is %s, want %s", c.n, c.unit, c.places, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b   Figure
		signed string
	}{
		{"11.03", "29.52", "-18.49"},
		{"85.61", "58.04", "+27.57"},
		{"0.997", "1.000", "-0.003"},
		{"2.22", "2.22", "0.00"},
	} {
		if got := c.a.decimal().minus(c.b.decimal()).Signed(); got != c.signed {
			t.Errorf("%s - %s is %s, want %s", c.a, c.b, got, c.signed)
		}
	}
	for fraction, want := range map[float64]string{0.67689: "67.69", 1: "100.00", 0: "0.00", 0.00005: "0.01"} {
		if got := percent(fraction).String(); got != want {
			t.Errorf("percent(%v) is %s, want %s", fraction, got, want)
		}
	}
}

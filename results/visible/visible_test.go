package visible

import "testing"

func TestVisible(t *testing.T) {
	for _, test := range []struct{ in, line, text string }{
		{"", "", ""},
		{"Market-1501 – 751 identities, 人", "Market-1501 – 751 identities, 人", "Market-1501 – 751 identities, 人"},
		{"a\x1b[31mb", `a\x1b[31mb`, `a\x1b[31mb`},
		{"two\nlines", `two\nlines`, "two\nlines"},
		{"over\rwritten", `over\x0dwritten`, `over\x0dwritten`},
		{"a\tb", `a\tb`, `a\tb`},
		{"\u009bm", `\x9bm`, `\x9bm`},                          // a control sequence of eight bits
		{"gpj.\u202egpj", `gpj.\u202egpj`, `gpj.\u202egpj`},    // right to left
		{"\u2066a\u2069", `\u2066a\u2069`, `\u2066a\u2069`},    // an isolate
		{"a\u200bb\ufeff", `a\u200bb\ufeff`, `a\u200bb\ufeff`}, // no width
		{"a\u2028b", `a\u2028b`, `a\u2028b`},                   // a line break of Unicode
		{"\xffa", "\uFFFDa", "\uFFFDa"},                        // no UTF-8
		{"a\U000e0041b", `a\ue0041b`, `a\ue0041b`},             // a tag
		{"\x00\x7f", `\x00\x7f`, `\x00\x7f`},
	} {
		if got := Line(test.in); got != test.line {
			t.Errorf("Line(%q) is %q, want %q", test.in, got, test.line)
		}
		if got := Text(test.in); got != test.text {
			t.Errorf("Text(%q) is %q, want %q", test.in, got, test.text)
		}
	}
}

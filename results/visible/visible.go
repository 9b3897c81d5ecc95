// Package visible makes text from files fit to be shown: what would steer a terminal, or turn the direction of reading,
// becomes characters that can be seen.
package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line keeps text on one line: line breaks and tabs are written as in Go.
func Line(s string) string { return escape(s, "") }

// Text keeps its line breaks.
func Text(s string) string { return escape(s, "\n") }

func escape(s, kept string) string {
	hidden := func(c rune) bool { return isHidden(c) && !strings.ContainsRune(kept, c) }
	if !strings.ContainsFunc(s, hidden) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, c := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case !hidden(c):
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x100:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}

// isHidden reports whether a character is not seen itself, but changes what is: control characters, marks of
// direction and of joining, breaks of lines and paragraphs.
func isHidden(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

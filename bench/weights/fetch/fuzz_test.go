package fetch

import (
	"net/http"
	"testing"
)

// FuzzContentRange: what a server says of a range is refused, or makes sense.
func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{
		"bytes 0-9/10", "bytes 5-9/10", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "bytes 5-10/10", "bytes 5-9/3",
		"bytes -5-9/10", "bytes 99999999999999999999-9/10", "items 0-9/10", "bytes", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		start, length, ok := parseRange(&http.Response{Header: http.Header{"Content-Range": {text}}})
		if ok && (start < 0 || length < 0 || start > length) {
			t.Errorf("%q is from %d on of %d", text, start, length)
		}
	})
}

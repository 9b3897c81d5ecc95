package weights

import (
	"bytes"
	"strings"
)

// headSize is how much of a file tells what it is: a tar archive says so at its 257th byte.
const headSize = 512

// foreign says what a file is that holds no tensors for us, by its first bytes; "" if it may, or if nothing is known.
// Most of these come in the place of a file that somebody has asked a server for.
func foreign(head []byte) string {
	text := strings.ToLower(strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), " \t\r\n"))
	begins := func(texts ...string) bool {
		for _, t := range texts {
			if strings.HasPrefix(text, t) {
				return true
			}
		}
		return false
	}
	switch {
	case len(head) == 0:
		return "an empty file"
	case begins("version https://git-lfs.github.com/spec/"):
		return `a git-LFS pointer, which stands for a file that is not here yet: "git lfs pull" fetches it`
	case begins("<!doctype html", "<html", "<head", "<body"):
		return "a web page in the place of a download: a server that wants a confirmation, perhaps; a browser shows it"
	case begins("<?xml", "<error"):
		return "XML in the place of a download: what a server has to say about it"
	case strings.HasPrefix(text, "{") && bytes.IndexByte(head[:min(len(head), 8)], 0) < 0:
		return "JSON, not tensors: what a server has to say about a download, or a model's configuration"
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "compressed by gzip: unpack it first"
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return "a tar archive: unpack it first"
	case bytes.HasPrefix(head, []byte("\x89HDF\r\n")):
		return "HDF5, as Keras writes it, which is not read"
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return "a NumPy array, which has no names"
	}
	return ""
}

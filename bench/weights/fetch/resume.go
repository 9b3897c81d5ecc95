package fetch

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/reidbench/reidbench/results/atomicfile"
	"github.com/reidbench/reidbench/results/regular"
)

// A state is what is remembered of a file in the making, beside it.
type state struct {
	URL       string `json:"url"`
	Validator string `json:"validator,omitempty"` // what If-Range takes; "": the server gave none
	Announced string `json:"announced,omitempty"` // SHA-256 in hex; "": none was
}

func (d *download) statePath() string { return atomicfile.PartialPath(d.file.Path) + ".json" }

// remember reads the state that an earlier call left. One that can't be read is none: the file begins anew.
func (d *download) remember() {
	data, err := regular.ReadFile(d.statePath())
	if err != nil || json.Unmarshal(data, &d.state) != nil {
		d.state = state{}
	}
}

// resumable says whether what there is may be gone on with, and under which condition.
func (d *download) resumable() (validator string, ok bool) {
	known := d.state.Announced != "" || d.file.SHA256 != ""
	return d.state.Validator, d.state.URL == d.address.Redacted() && (d.state.Validator != "" || known)
}

// keep notes what the answer says about the file. The rest of a file is of the one whose digest was announced before.
func (d *download) keep(response *http.Response, announced string) error {
	if announced == "" && response.StatusCode == http.StatusPartialContent {
		announced = d.state.Announced
	}
	now := state{d.address.Redacted(), validatorOf(response), announced}
	if now == d.state {
		return nil
	}
	d.state = now
	return atomicfile.Write(d.statePath(), func(w io.Writer) error { return json.NewEncoder(w).Encode(now) })
}

// validatorOf is a strong entity tag, or else when the file was changed last (RFC 9110, section 13.1.5).
func validatorOf(response *http.Response) string {
	if tag := response.Header.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return response.Header.Get("Last-Modified")
}

// forget removes the state.
func (d *download) forget() error {
	if err := os.Remove(d.statePath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

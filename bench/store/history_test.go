package store

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHistoryOfAnEmptyFolder(t *testing.T) {
	if _, err := (Folder{t.TempDir()}).History(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestReadEntries(t *testing.T) {
	log := `{"event":"step","epoch":1,"step":1,"loss":3}
{"event":"step","epoch":1,"step":2,"loss":2}
{"event":"epoch","epoch":1,"step":2,"loss":2.5}
`
	for _, test := range []struct {
		name, log string
		steps     bool
		want      []int // the entries' steps
		err       string
	}{
		{"all", log, true, []int{1, 2, 2}, ""},
		{"epochs", log, false, []int{2}, ""},
		{"a line under way", log + `{"event":"epoch","ep`, true, []int{1, 2, 2}, ""},
		{"nothing", "", true, nil, ""},
		{"no JSON", log + "epoch 2\n", true, nil, "line 4: "},
		{"without an end", log + strings.Repeat("x", 2*maxEntry), true, nil, "line 4: longer"},
	} {
		entries, err := readEntries(strings.NewReader(test.log), test.steps)
		var got []int
		for _, e := range entries {
			got = append(got, e.Step)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.err)
		}
	}
}

func FuzzReadEntries(f *testing.F) {
	f.Add(`{"event":"evaluation","epoch":1,"metrics":{"map":0.5}}`+"\n", true)
	f.Add("{\"event\":\"step\",\n{}\n", false)
	f.Fuzz(func(t *testing.T, log string, steps bool) {
		entries, err := readEntries(strings.NewReader(log), steps)
		if err == nil && len(entries) > strings.Count(log, "\n") {
			t.Errorf("%d entries of %q", len(entries), log)
		}
	})
}

package results

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func measuredProfile() Profile {
	return Profile{Format: ProfileFormat, Batch: 8, Threads: 2, Steps: 4, Stages: []StageTime{
		{Stage: "conv1", Forward: 0.25, Backward: 0.5}, {Stage: "layer1", Forward: 0.125, Backward: 0},
	}}
}

func TestProfileSurvivesItsFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadProfile(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a profile that was not recorded: %v", err)
	}
	if err := WriteProfile(dir, measuredProfile()); err != nil {
		t.Fatal(err)
	}
	got, err := ReadProfile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(measuredProfile(), got); diff != "" {
		t.Error(diff)
	}
	if got.Seconds() != 0.875 {
		t.Errorf("a step of %v seconds, want 0.875", got.Seconds())
	}
}

func TestProfileRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Profile){
		"no stages":       func(p *Profile) { p.Stages = nil },
		"no steps":        func(p *Profile) { p.Steps = 0 },
		"negative time":   func(p *Profile) { p.Stages[0].Forward = -1 },
		"time beyond end": func(p *Profile) { p.Stages[0].Backward = math.Inf(1) },
	} {
		p := measuredProfile()
		spoil(&p)
		if err := WriteProfile(t.TempDir(), p); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	dir := t.TempDir()
	for _, content := range []string{"", "{}", `{"format":"reidbench-profile/2"}`,
		`{"format":"reidbench-profile/1","colour":"red"}`} {
		if err := os.WriteFile(filepath.Join(dir, ProfileFile), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadProfile(dir); err == nil || !strings.Contains(err.Error(), ProfileFile) {
			t.Errorf("%q: error %v", content, err)
		}
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add(`{"format":"reidbench-profile/1","batch":8,"threads":2,"steps":4,` +
		`"stages":[{"stage":"conv1","forward":0.25,"backward":0.5}]}`)
	f.Add(`{"stages":[{"forward":1e400}]}`)
	f.Fuzz(func(t *testing.T, content string) {
		p, err := parseProfile(strings.NewReader(content))
		if err == nil && (p.validate() != nil || !(p.Seconds() >= 0)) {
			t.Errorf("%q was read as %+v", content, p)
		}
	})
}

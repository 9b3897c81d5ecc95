package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A ~ in a file of settings, between quotes and as an argument is the user's own folder.
func TestHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	succeed(t, "data", "synth", "--out", "~/S", "--ids", "4", "--images", "4")
	succeed(t, "data", "info", "~/S")
	for _, line := range [][]string{
		{"--data", "~/S"},
		{"--data=~/S"},
		{"--config", configPath(t, "data: ~/S\n")},
		{"--config", configPath(t, "data: \"~/S\"\n")},
	} {
		out := succeed(t, append([]string{"run", "lenet", "--recipe", "tiny", "--dry-run", "--out",
			filepath.Join(home, "runs")}, line...)...)
		if !strings.Contains(out, "Dataset  S, fingerprint") {
			t.Errorf("%q: no dataset S in\n%s", line, out)
		}
	}
	o := reidbench(t, "run", "lenet", "--config", "~/absent.yaml")
	if want := filepath.Join(home, "absent.yaml"); o.code != exitMisuse || !strings.Contains(o.stderr, want) {
		t.Errorf("exit code %d, and no %s in %q", o.code, want, o.stderr)
	}
}

func TestExpandHome(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	t.Setenv("USERPROFILE", "/home/me")
	for path, want := range map[string]string{
		"~": "/home/me", "~/S": "/home/me/S", "~you/S": "~you/S", "S/~": "S/~", "./~": "./~", "": "",
	} {
		if got, err := expandHome(path); err != nil || filepath.ToSlash(got) != want {
			t.Errorf("%q is %q, want %q; %v", path, got, want, err)
		}
	}
	t.Setenv("HOME", "")
	t.Setenv("USERPROFILE", "")
	if path, err := expandHome("~/S"); err == nil {
		t.Errorf("without a home, ~/S is %q", path)
	}
}
